"""Connect applets: whom they ask, whom they dial, and what is told of it."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

from exobridge.simulator.flows.around import Waits
from exobridge.simulator.flows.report import Dialled, Ending, FlowReport
from exobridge.simulator.timeline import Kind, Party
from exobridge_codecs.wav import write_wav
from tests.simulator.flows.ground import Given, Ground, flow_of, ground, rules, told, walked

ONE, TWO, THREE = "+918041112231", "+918041112232", "+918041112233"

CONNECT = """
[applet.talked]
type = "hangup"
[applet.nobody]
type = "hangup"
[applet.not-dialled]
type = "hangup"
[applet.first]
type = "connect"
after_conversation = "talked"
nobody_answers = "nobody"
not_dialled = "not-dialled"
"""
ASKS = CONNECT + 'url = "/dial-up"\n'
WITH_FALLBACK = ASKS + 'fallback_url = "/fallback"\n'
TEXT = ASKS + 'contract = "text"\n'


def agent(number: str, *does: str, talk: float = 0.05, ring: float = 0.02, **more: Any) -> Any:
    """An agent who is quick."""
    behaviour = {"does": list(does) or ["answers"], "talk_seconds": talk, "ring_seconds": ring}
    return {"number": number, **behaviour, **more}


def order(*numbers: str, **keys: Any) -> Given:
    """What a server answers that follows the documents."""
    return Given({"destination": {"numbers": list(numbers)}, **keys})


async def connected(
    server: Ground, text: str, *agents: Any, **tables: Any
) -> tuple[FlowReport, str]:
    """A call through a Connect applet, and which path it took."""
    report = await walked(flow_of(text, server.url, agent=list(agents), **tables))
    return report, report.path[-1]


def elsewhere(text: str, number: int) -> str:
    """A flow that asks under a path of its own, beside others on the same server."""
    return text.replace("/dial-up", f"/dial-up-{number}")


def attempts(report: FlowReport) -> list[tuple[str, str]]:
    """Whom, and what came of it."""
    return [(each.number, each.status) for each in report.dialled]


async def test_numbers_of_the_flow_are_dialled_in_order_until_somebody_answers() -> None:
    """However a number is written, it is the same phone."""
    async with ground() as server:
        text = CONNECT + f'numbers = ["{ONE}", "08041112232", "{THREE}"]\n'
        agents = (agent("08041112231", "busy"), agent(TWO), agent(THREE))
        report, way = await connected(server, text, *agents)
        assert attempts(report) == [(ONE, "busy"), ("08041112232", "completed")]
        assert (way, report.errors) == ("talked", ())
        assert not server.seen


DOINGS = [
    ("answers", "completed", "talked"),
    ("busy", "busy", "nobody"),
    ("rejects", "busy", "nobody"),
    ("fails", "failed", "nobody"),
    ("hangs-up", "completed", "talked"),
]


async def test_what_an_agent_does() -> None:
    """Each way of not answering has its status; an agent who does not talk long has answered."""
    async with ground(**{"dial-up": order(ONE)}) as server:

        async def does(doing: str, status: str, way: str) -> None:
            report, taken = await connected(server, ASKS, agent(ONE, doing))
            assert (attempts(report), taken) == ([(ONE, status)], way), doing
            assert (report.dialled[0].seconds > 0) == (doing == "answers"), doing

        await asyncio.gather(*(does(*each) for each in DOINGS))


async def test_a_programmable_connect_says_which_contract_it_wants() -> None:
    """By its header; the parameters are those of a Connect applet."""
    async with ground(**{"dial-up": order()}) as server:
        report, way = await connected(server, ASKS)
        (seen,) = server.at("/dial-up")
        assert seen.headers["exotel-version"] == "1.0"
        assert seen.told["CallSid"] == report.call_sid
        assert (way, report.violations) == ("not-dialled", ())


async def test_without_a_path_for_nobody_dialled_nobody_answers_is_taken() -> None:
    """As Exotel's documents say."""
    async with ground(**{"dial-up": order()}) as server:
        text = ASKS.replace('not_dialled = "not-dialled"', "")
        _, way = await connected(server, text)
        assert way == "nobody"


CAUSES = [
    (Given(status=500), "dial-status"),
    (Given('{"destination": {"numbers": []}}', kind="text/html"), "dial-type"),
    (Given({}), "dial-body"),
    (Given("[1]", kind="application/json"), "dial-body"),
    (Given("[" * 50_000, kind="application/json"), "dial-body"),
    (Given(b"\xff", kind="application/json"), "dial-body"),
]


async def test_the_fallback_url_is_asked_on_its_causes() -> None:
    """Its answer is used; without one nobody is dialled."""
    async with ground(fallback=order(ONE)) as server:

        async def asks(number: int, wrong: Given, rule: str) -> None:
            server.set(f"/dial-up-{number}", wrong)
            for text, to in ((WITH_FALLBACK, "talked"), (ASKS, "not-dialled")):
                report, way = await connected(server, elsewhere(text, number), agent(ONE))
                assert (way, rules(report)) == (to, [rule]), wrong

        await asyncio.gather(*(asks(number, *each) for number, each in enumerate(CAUSES)))


NOBODY: list[tuple[Given, list[str]]] = [
    (order(), []),
    (order(ONE, "08041112232"), ["dial-numbers"]),
    (order("a number"), ["dial-numbers"]),
    (Given({"destination": {"numbers": ONE}}), ["dial-body"]),
    (Given({"destination": {"numbers": [None, {}, 7]}}), ["dial-numbers"]),
]


async def test_an_empty_or_wrong_list_dials_nobody() -> None:
    """And does not ask the fallback URL."""
    async with ground(fallback=order(ONE)) as server:

        async def dials(number: int, answer: Given, broken: list[str]) -> None:
            server.set(f"/dial-up-{number}", answer)
            report, way = await connected(server, elsewhere(WITH_FALLBACK, number), agent(ONE))
            assert (way, rules(report)) == ("not-dialled", broken), answer

        await asyncio.gather(*(dials(number, *each) for number, each in enumerate(NOBODY)))
        assert not server.at("/fallback")


async def test_keys_out_of_bounds_are_violations_and_the_defaults_hold() -> None:
    """Each is named, and the call goes on."""
    keys = {
        "max_ringing_duration": 61,
        "max_conversation_duration": 0,
        "fetch_after_attempt": "yes",
        "recording_channels": "three",
        "parallel_ringing": {"activate": True, "max_parallel_attempts": 11},
        "music_on_hold": {"type": "rock"},
        "start_call_playback": {"type": "text", "value": " "},
        "dial_passthru_event_url": "ftp://x",
        "outgoing_phone_number": "08047112233",
        "unknown": 5,
    }
    async with ground(**{"dial-up": order(ONE, **keys)}) as server:
        report, way = await connected(server, ASKS, agent(ONE))
        assert way == "talked"
        assert set(rules(report)) == {"dial-key"}
        details = " ".join(violation.detail for violation in report.violations)
        assert all(key in details for key in keys)


async def test_an_answer_that_does_not_come_is_a_violation_by_its_contract() -> None:
    """A programmable Connect applet waits half as long as one that reads text."""
    assert (Waits().dial_json, Waits().dial_text) == (5, 10)
    async with ground(**{"dial-up": Given("", delay_s=0.2)}) as server:
        for text, broken in ((ASKS, ["dial-timeout"]), (TEXT, [])):
            waits = Waits(dial_json=0.05, dial_text=5)
            report = await walked(flow_of(text, server.url), waits=waits)
            assert report.path == ("first", "not-dialled")
            assert rules(report) == broken


async def test_talk_and_ringing_are_cut_at_their_limits() -> None:
    """One second is the least an answer can say. A number of nobody rings, too, and a note tells of
    it; the number is not whole in it."""
    together = {"max_ringing_duration": 1, "parallel_ringing": {"activate": True}}
    talking, ringing = elsewhere(ASKS, 1), elsewhere(ASKS, 2)
    async with ground() as server:
        server.set("/dial-up-1", order(ONE, max_conversation_duration=1))
        server.set("/dial-up-2", order(ONE, TWO, **together))
        (talked, way), (rang, to) = await asyncio.gather(
            connected(server, talking, agent(ONE, talk=30)),
            connected(server, ringing, agent(TWO, ring=30)),
        )
        assert (way, attempts(talked)) == ("talked", [(ONE, "completed")])
        assert 1 <= talked.dialled[0].seconds < 20
        assert any("limit" in label for label in told(talked, Kind.PHONE))
        assert (to, attempts(rang)) == ("nobody", [(ONE, "no-answer"), (TWO, "no-answer")])
        (note,) = [note for note in rang.notes if "no [[agent]]" in note]
        assert ONE not in note


async def test_an_agent_can_stand_for_every_other_phone() -> None:
    """But not for one that has an agent of its own."""
    async with ground(**{"dial-up": order(ONE, TWO, THREE)}) as server:
        agents = (agent("any", "busy", "rejects"), agent(THREE))
        report, way = await connected(server, ASKS, *agents)
        assert attempts(report) == [(ONE, "busy"), (TWO, "busy"), (THREE, "completed")]
        assert (way, report.notes) == ("talked", ())


async def test_several_ring_at_once_and_the_first_who_answers_talks() -> None:
    """The others stop ringing."""
    together = {"parallel_ringing": {"activate": True, "max_parallel_attempts": 3}}
    async with ground(**{"dial-up": order(ONE, TWO, THREE, **together)}) as server:
        agents = (agent(ONE, ring=5), agent(TWO, ring=0.1), agent(THREE, "busy"))
        report, way = await connected(server, ASKS, *agents)
        assert dict(attempts(report)) == {ONE: "canceled", TWO: "completed", THREE: "busy"}
        assert told(report, Kind.PHONE).count("rings") == 2
        assert way == "talked"


async def test_an_attempt_that_failed_is_told_and_the_same_set_ends_the_attempts() -> None:
    """In whatever order it comes the second time."""
    again = {"fetch_after_attempt": True}
    async with ground() as server:
        server.set("/dial-up", order(ONE, TWO, **again), order(TWO, ONE, **again))
        report, way = await connected(server, ASKS, agent(ONE, "busy"), agent(TWO, "busy"))
        assert attempts(report) == [(ONE, "busy"), (TWO, "busy")]
        assert way == "nobody"
        first, second = server.at("/dial-up")
        assert "DialCallStatus" not in first.told
        assert (second.told["DialCallStatus"], second.told["DialWhomNumber"]) == ("busy", TWO)


async def test_the_text_contract_tries_each_unique_number_once() -> None:
    """It asks again after each failed attempt, until nobody is left."""
    async with ground(**{"dial-up": Given(f"{ONE}, {TWO},{ONE}\n")}) as server:
        report, way = await connected(server, TEXT, agent(ONE, "busy"), agent(TWO, "busy"))
        assert attempts(report) == [(ONE, "busy"), (TWO, "busy")]
        assert (way, report.violations) == ("nobody", ())
        assert len(server.at("/dial-up")) == 3
        assert "exotel-version" not in server.at("/dial-up")[0].headers


async def test_the_text_contract_can_ask_once() -> None:
    """And then dials the whole list."""
    async with ground(**{"dial-up": Given(f"{ONE},{TWO}")}) as server:
        text = TEXT + "fetch_after_attempt = false\n"
        report, way = await connected(server, text, agent(ONE, "busy"), agent(TWO))
        assert attempts(report) == [(ONE, "busy"), (TWO, "completed")]
        assert (way, len(server.at("/dial-up"))) == ("talked", 1)


async def test_a_server_of_either_contract_is_judged_by_its_own() -> None:
    """It is asked as by a programmable applet; its content type says which it is."""
    answers = {"dial-up-1": order(ONE), "dial-up-2": Given(ONE), "dial-up-3": Given("{}")}
    async with ground(**answers, **{"dial-up-4": Given({})}) as server:
        text = ASKS + 'contract = "either"\n'
        reports = [
            (await connected(server, elsewhere(text, number), agent(ONE, "busy")))[0]
            for number in range(1, 5)
        ]
        assert [attempts(report) for report in reports] == [[(ONE, "busy")]] * 2 + [[]] * 2
        assert [rules(report) for report in reports] == [[], [], ["dial-body"], ["dial-body"]]
        for number in range(1, 5):
            (seen,) = server.at(f"/dial-up-{number}")
            assert seen.headers["exotel-version"] == "1.0"


NO_NUMBERS: list[tuple[Given, list[str]]] = [
    (Given(""), []),
    (Given("08041112231"), ["dial-numbers"]),
    (Given("call somebody"), ["dial-body"]),
    (Given(b"\xff"), ["dial-body"]),
    (Given("", kind="text/html"), ["dial-type"]),
    (Given(f"<p>{ONE}</p>", kind="text/html"), ["dial-type", "dial-body"]),
]


async def test_a_text_without_numbers_dials_nobody() -> None:
    """Nothing but numbers in E.164 may stand in it."""
    async with ground() as server:

        async def dials(number: int, answer: Given, broken: list[str]) -> None:
            server.set(f"/dial-up-{number}", answer)
            report, way = await connected(server, elsewhere(TEXT, number), agent(ONE))
            assert (way, rules(report)) == ("not-dialled", broken), answer

        await asyncio.gather(*(dials(number, *each) for number, each in enumerate(NO_NUMBERS)))


async def test_dial_events_are_told_in_order() -> None:
    """Of who was dialled, and how it went; the secret in the URL is the server's own."""
    async with ground(events=Given()) as server:
        server.set("/dial-up", order(ONE, TWO, dial_passthru_event_url=f"{server.url}/events?k=1"))
        report, _ = await connected(server, ASKS, agent(ONE, "busy"), agent(TWO))
        events = [
            (seen.told["DialWhomNumber"], seen.told["EventType"], seen.told["Status"])
            for seen in server.at("/events")
        ]
        assert events == [
            (ONE, "Dial", "busy"),
            (ONE, "Terminal", "free"),
            (TWO, "Dial", "busy"),
            (TWO, "Ringing", "busy"),
            (TWO, "Answered", "busy"),
            (TWO, "Terminal", "free"),
        ]
        assert not report.violations
        assert {seen.query["k"] for seen in server.at("/events")} == {"1"}
        requests = told(report, Kind.REQUEST)
        assert "GET dial-event Ringing" in requests
        assert not any("k=1" in each for each in requests)


async def test_a_dial_event_that_is_not_answered_200_is_a_violation() -> None:
    """One for each."""
    async with ground() as server:
        server.set("/dial-up", order(ONE, dial_passthru_event_url=f"{server.url}/nowhere"))
        report, way = await connected(server, ASKS, agent(ONE, "busy"))
        assert (way, rules(report)) == ("nobody", ["dial-event-status"] * 2)


async def test_a_text_is_whispered_to_the_agent() -> None:
    """Who hears it before the conversation, while the caller hears music."""
    whisper = {"playback_to": "callee", "type": "text", "value": "Wants shoes."}
    async with ground(**{"dial-up": order(ONE, start_call_playback=whisper)}) as server:
        report, _ = await connected(server, ASKS, agent(ONE))
        assert report.dialled[0].whisper == "Wants shoes."
        spoken = [entry for entry in report.timeline if entry.kind is Kind.SPEECH]
        assert [(entry.target, entry.label) for entry in spoken] == [
            (Party.AGENT, "Wants shoes."),
            (Party.CALLER, "conversation"),
        ]
        assert not report.violations


def wav(seconds: float, rate: int = 8000) -> bytes:
    """Silence."""
    file = BytesIO()
    write_wav(file, rate, bytes(2 * int(seconds * rate)))
    return file.getvalue()


AUDIO: list[tuple[Given, str, str, list[str]]] = [
    (Given(wav(0.2), kind="audio/wav"), "audio 0.2 s", "talked", []),
    (Given(b"\xff\xe3\x18\xc0" + bytes(68)), "audio 0.1 s", "talked", []),
    (Given(wav(0.2, 16000)), "audio 0.0 s", "talked", ["dial-audio"]),
    (Given("no audio at all"), "audio 0.0 s", "talked", ["dial-audio"]),
    (Given(b""), "audio 0.0 s", "talked", ["dial-audio"]),
    (Given(status=404), "", "not-dialled", ["dial-audio"]),
]


async def test_audio_for_the_agent_is_fetched_and_judged() -> None:
    """It must be there, and such as a telephone plays; a status other than 200 is a cause for the
    fallback URL, and here there is none."""
    async with ground() as server:

        async def plays(
            number: int, answer: Given, whisper: str, way: str, broken: list[str]
        ) -> None:
            playback = {"type": "audio_url", "value": f"{server.url}/audio-{number}"}
            server.set(f"/audio-{number}", answer)
            server.set(f"/dial-up-{number}", order(ONE, start_call_playback=playback))
            report, taken = await connected(server, elsewhere(ASKS, number), agent(ONE))
            assert (taken, rules(report)) == (way, broken), answer
            heard = [each.whisper for each in report.dialled]
            assert heard == ([whisper] if whisper else []), answer
            assert len(server.at(f"/audio-{number}")) == 1, answer

        await asyncio.gather(*(plays(number, *each) for number, each in enumerate(AUDIO)))


async def test_music_of_the_servers_own_is_fetched_once() -> None:
    """And is what the caller hears while an agent rings."""
    async with ground(music=Given(wav(0.1))) as server:
        music = {"type": "custom_tone", "value": f"{server.url}/music"}
        server.set("/dial-up", order(ONE, TWO, music_on_hold=music))
        report, _ = await connected(server, ASKS, agent(ONE, "rejects"), agent(TWO))
        assert len(server.at("/music")) == 1
        heard = [entry.detail for entry in report.timeline if entry.label == "hold music"]
        assert "custom_tone" in heard
        assert not report.violations


async def test_the_caller_hangs_up_while_an_agent_rings() -> None:
    """The attempt is canceled; a Passthru applet that follows is told, and then nothing more."""
    caller = {"hangs_up": {"during": "first", "after_seconds": 0.2}}
    text = ASKS.replace('"nobody"', '"after"') + (
        '[applet.after]\ntype = "passthru"\nurl = "/after"\nok = "talked"\n'
    )
    async with ground(**{"dial-up": order(ONE), "after": Given()}) as server:
        report, _ = await connected(server, text, agent(ONE, ring=20), caller=caller)
        assert attempts(report) == [(ONE, "canceled")]
        assert (report.path, report.ending) == (("first", "after"), Ending.CALLER)
        (seen,) = server.at("/after")
        assert seen.told["CallType"] == "client-hangup"
        assert seen.told["DialCallStatus"] == "canceled"


async def test_the_caller_leaves_first() -> None:
    """After the conversation there is nobody to go on with."""
    async with ground(**{"dial-up": order(ONE)}) as server:
        report, _ = await connected(server, ASKS, agent(ONE, leaves_first=False))
        assert (report.path, report.ending) == (("first",), Ending.CALLER)
        assert attempts(report) == [(ONE, "completed")]


async def test_a_flow_may_end_after_a_conversation() -> None:
    """That path needs no applet: the call is over then."""
    async with ground(**{"dial-up": order(ONE)}) as server:
        text = ASKS.replace('after_conversation = "talked"', "")
        report, _ = await connected(server, text, agent(ONE))
        assert report.ending is Ending.COMPLETED
        assert report.dialled == (Dialled(ONE, "completed", report.dialled[0].seconds),)


async def test_a_server_that_always_names_somebody_else_comes_to_an_end() -> None:
    """It is asked twenty times at most."""
    async with ground() as server:
        answers = [order(f"+9180411122{at:02}", fetch_after_attempt=True) for at in range(30)]
        server.set("/dial-up", *answers)
        agents = [agent(f"+9180411122{at:02}", "busy") for at in range(30)]
        report, way = await connected(server, ASKS, *agents)
        assert (way, len(report.dialled)) == ("nobody", 20)
