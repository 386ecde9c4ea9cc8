"""Voicebot and Stream applets: talks held with small bots over real sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path

from exobridge.simulator import Exotel
from exobridge.simulator.account import Account, Fault
from exobridge.simulator.flows.around import Around, Milestone
from exobridge.simulator.flows.faults import Drawn
from exobridge.simulator.flows.report import Ending, What
from exobridge.simulator.flows.walk import walk
from exobridge.simulator.line_faults import LineFaults, Try
from exobridge.simulator.rules import Rule
from exobridge.simulator.scribe import Said
from exobridge.simulator.timeline import Kind
from exobridge_codecs.tones import tone
from exobridge_codecs.wav import write_wav
from tests.server import http_client
from tests.simulator.flows.ground import Given, flow_of, ground, rules, told, walked
from tests.simulator.servers import BotLine, beep, bot_server, refusing_server

STREAM = {"bot_done_ms": 150, "patience_seconds": 1}
BOT = """
[applet.next]
type = "hangup"
[applet.wrong]
type = "hangup"
[applet.first]
type = "voicebot"
next = "next"
on_error = "wrong"
"""


async def says_goodbye(line: BotLine) -> None:
    """Beeps, waits until it was heard, and closes the stream."""
    await line.play(beep(200))
    await line.send("mark", mark={"name": "end"})
    await line.next("mark")
    await line.socket.close()


async def beeps_and_stays(line: BotLine) -> None:
    """Waits for the caller to hang up."""
    await line.play(beep(200))
    await line.until_gone()


async def test_the_flow_goes_on_when_the_bot_hangs_up() -> None:
    """The caller has listened to it; what is said is told as it is said, and every step of the
    stream is in the timeline."""
    said: list[Said] = []
    async with bot_server(says_goodbye) as bot, ground(answer=Given({"url": bot})) as server:
        flow = flow_of(BOT + 'url = "/answer"', server.url, stream=STREAM)
        report = await walked(flow, said=said.append)
        assert [turn.role for turn in said] == ["bot"]
        assert (report.path, report.ending) == (("first", "next"), Ending.COMPLETED)
        (stream,) = report.streams
        assert stream.call_sid == report.call_sid
        assert report.problems == ()
        (asked,) = report.asked
        assert (asked.what, asked.status, asked.where) == (What.ANSWER, 200, "first")
        assert told(report, Kind.STREAM)
        assert told(report, Kind.SPEECH)


async def test_a_static_url_is_not_asked() -> None:
    """The stream goes straight to it."""
    async with bot_server(says_goodbye) as bot:
        report = await walked(flow_of(BOT + f'url = "{bot}"', stream=STREAM))
        assert (report.path, report.asked) == (("first", "next"), ())


NO_STREAM: list[tuple[Given, list[str]]] = [
    (Given(status=302), []),
    (Given(status=500), ["answer-status"]),
    (Given("no url"), ["answer-type", "answer-body"]),
    (Given({"url": "ws://127.0.0.1:1/"}), ["handshake"]),
]
TOLD_OF_IT = """
[applet.first]
type = "voicebot"
url = "/answer"
next = "tell"
[applet.tell]
type = "passthru"
url = "/tell"
ok = "end"
"""


async def test_without_a_stream_the_path_for_errors_is_taken() -> None:
    """And without such a path the next applet; a Passthru there is told of the error."""
    async with ground() as server:

        async def leads(number: int, given: Given, broken: list[str]) -> None:
            server.set(f"/answer-{number}", given)
            server.set(f"/tell-{number}", Given())
            url = f'url = "/answer-{number}"'
            report = await walked(flow_of(BOT + url, server.url, stream=STREAM))
            assert (report.path, rules(report)) == (("first", "wrong"), broken), given
            text = TOLD_OF_IT.replace("/answer", f"/answer-{number}")
            text = text.replace("/tell", f"/tell-{number}")
            report = await walked(flow_of(text, server.url, stream=STREAM))
            assert report.path == ("first", "tell", "end"), given
            (seen,) = server.at(f"/tell-{number}")
            assert seen.told["Stream[Status]"] == "failed", given
            assert "3009" in seen.told["Stream[Error]"], given

        await asyncio.gather(*(leads(number, *each) for number, each in enumerate(NO_STREAM)))


async def test_a_handshake_that_is_refused_is_an_error() -> None:
    """After the second try."""
    async with refusing_server(403) as (url, asked):
        report = await walked(flow_of(BOT + f'url = "{url}"', stream=STREAM))
        assert (report.path, rules(report)) == (("first", "wrong"), ["handshake"])
        assert len(asked) == 2


async def test_a_stream_that_breaks_off_is_an_error() -> None:
    """Its close code was not 1000."""

    async def breaks(line: BotLine) -> None:
        await line.play(beep(100))
        line.socket.transport.abort()

    async with bot_server(breaks) as bot:
        report = await walked(flow_of(BOT + f'url = "{bot}"', stream=STREAM))
        assert report.path == ("first", "wrong")
        assert any("dropped" in problem for problem in report.problems)


async def test_violations_on_a_stream_are_timed_from_the_beginning_of_the_run() -> None:
    """And are in the report and in its timeline, once."""

    async def speaks_oddly(line: BotLine) -> None:
        await line.send("wave")
        await says_goodbye(line)

    slow = Given(delay_s=0.3)
    async with bot_server(speaks_oddly) as bot, ground(ask=slow) as server:
        text = BOT.replace("[applet.first]", "[applet.bot]") + (
            f'url = "{bot}"\n[applet.first]\ntype = "passthru"\nurl = "/ask"\nok = "bot"\n'
        )
        report = await walked(flow_of(text, server.url, stream=STREAM))
        (violation,) = [each for each in report.violations if each.rule is Rule.UNKNOWN_EVENT]
        assert violation.at_ms >= 300
        assert told(report, Kind.VIOLATION).count("unknown-event") == 1
        assert any("unknown-event" in problem for problem in report.problems)


async def test_talks_are_held_in_the_order_of_the_streams(tmp_path: Path) -> None:
    """Each with its expectations; a talk that has no stream is a problem."""
    write_wav(tmp_path / "line.wav", 8000, tone(330, 200, 8000))
    heard: list[str] = []

    async def listens(line: BotLine) -> None:
        await line.play(beep(200))
        while True:
            frame = await line.next_of("dtmf", "stop")
            heard.append(frame["event"])
            if frame["event"] == "dtmf":
                await line.play(beep(200))
                await line.send("mark", mark={"name": "end"})
                await line.next("mark")
                await line.socket.close()
                return

    text = """
[applet.first]
type = "voicebot"
url = "BOT"
next = "second"
[applet.second]
type = "voicebot"
url = "BOT"
next = "end"
[[talk]]
[[talk.step]]
press = "5"
expect = { within_ms = 5000 }
[talk.expect]
ends = "bot"
[[talk]]
[[talk.step]]
play = "line.wav"
expect = { silent_for_ms = 300 }
[[talk.step]]
hang_up = true
"""
    async with bot_server(listens) as bot, bot_server(says_goodbye) as other:
        flow = flow_of(text.replace("BOT", bot), stream=STREAM)
        alone = flow_of(BOT + f'url = "{other}"\n', stream=STREAM)
        alone = alone.model_copy(update={"talk": [*flow.talk, flow.talk[0]]})
        report, unheld = await asyncio.gather(
            walked(flow, folder=tmp_path), walked(alone, folder=tmp_path)
        )
    assert heard == ["dtmf", "stop"]
    assert (report.path, report.ending) == (("first", "second"), Ending.CALLER)
    assert [[finding.key for finding in each] for each in report.findings] == [
        ["within_ms", "ends"],
        ["silent_for_ms"],
    ]
    assert report.problems == ()
    assert unheld.unheld == 2
    assert any("[[talk]]" in problem for problem in unheld.problems)


async def test_the_caller_hangs_up_in_the_middle_of_a_stream() -> None:
    """The bot is told, and a Passthru behind it: the user left."""
    text = BOT.replace('next = "next"', 'next = "tell"') + (
        'url = "BOT"\n[applet.tell]\ntype = "passthru"\nurl = "/tell"\nok = "next"\n'
    )
    caller = {"hangs_up": {"during": "first", "after_seconds": 0.4}}
    async with bot_server(beeps_and_stays) as bot, ground(tell=Given()) as server:
        flow = flow_of(text.replace("BOT", bot), server.url, stream=STREAM, caller=caller)
        report = await walked(flow)
        assert (report.path, report.ending) == (("first", "tell"), Ending.CALLER)
        assert server.at("/tell")[0].told["Stream[DisconnectedBy]"] == "user"
        assert server.at("/tell")[0].told["Stream[Status]"] == "completed"


async def test_a_call_and_its_streams_are_ended_at_their_limits() -> None:
    """The bot goes on waiting for a caller who goes on listening: at a stream's longest the flow
    goes on, as Exotel's does after an hour; at the call's the call is over."""
    async with bot_server(beeps_and_stays) as bot:
        text = BOT + f'url = "{bot}"'
        call, stream = await asyncio.gather(
            walked(flow_of(text, stream=STREAM, call={"timeout_seconds": 1})),
            walked(flow_of(text, stream={**STREAM, "limit_seconds": 0.5})),
        )
    assert call.ending is Ending.TIMEOUT
    assert call.problems == ("the call did not end within 1 s",)
    assert (stream.path, stream.ending) == (("first", "next"), Ending.COMPLETED)


async def test_a_one_way_stream_goes_on_beside_the_flow_until_it_is_stopped() -> None:
    """Its server hears the caller, and is not heard."""
    ended: list[str] = []

    async def listens(line: BotLine) -> None:
        await line.play(beep(100))
        ended.append((await line.next("stop"))["stop"]["reason"])

    text = """
[applet.first]
type = "stream"
url = "BOT"
next = "wait"
[applet.wait]
type = "voicemail"
seconds = 0.4
next = "stop"
[applet.stop]
type = "stream"
url = "BOT"
action = "stop"
next = "end"
"""
    async with bot_server(listens) as bot:
        report = await walked(flow_of(text.replace("BOT", bot), stream=STREAM))
        assert report.path == ("first", "wait", "stop", "end")
        assert ended == ["stopped"]
        (stream,) = report.streams
        assert stream.frames_sent > 5
        assert any("one-way" in note for note in report.notes)
        assert report.problems == ()


async def test_many_calls_walk_at_once_and_do_not_mix() -> None:
    """Twenty of them in one event loop."""
    async with bot_server(says_goodbye) as bot, ground(answer=Given({"url": bot})) as server:
        flow = flow_of(BOT + 'url = "/answer"', server.url, stream=STREAM)
        reports = await asyncio.gather(*(walked(flow) for _ in range(20)))
        assert {report.path for report in reports} == {("first", "next")}
        assert len({report.call_sid for report in reports}) == 20
        assert sorted(seen.told["CallSid"] for seen in server.at("/answer")) == sorted(
            report.call_sid for report in reports
        )
        assert all(not report.problems for report in reports)


async def test_a_stream_without_speech_says_that_the_bot_was_not_written_down() -> None:
    """Once, however many streams there were."""
    async with bot_server(says_goodbye) as bot:
        report = await walked(flow_of(BOT + f'url = "{bot}"', stream=STREAM))
        assert len([note for note in report.notes if "not written down" in note]) == 1


async def test_an_account_without_room_opens_no_stream() -> None:
    """The Passthru behind it is told why, and nothing was asked."""
    account = Account()
    account.limit = 0
    text = BOT.replace('on_error = "wrong"', 'on_error = "tell"') + (
        'url = "/answer"\n[applet.tell]\ntype = "passthru"\nurl = "/tell"\nok = "next"\n'
    )
    async with ground(tell=Given()) as server:
        report = await walked(flow_of(text, server.url, stream=STREAM), account=account)
        assert report.path == ("first", "tell", "next")
        assert server.at("/tell")[0].told["Stream[DetailedStatus]"] == "Streaming_call_throttled"
        assert not server.at("/answer")


async def test_an_account_knows_the_call_and_its_streams() -> None:
    """While it lasts, and how it ended."""
    account = Account()
    active: list[int] = []

    async def looks(line: BotLine) -> None:
        active.append(account.active)
        assert account.calls[line.start["start"]["call_sid"]].fields["Status"] == "in-progress"
        await says_goodbye(line)

    async with bot_server(looks) as bot:
        report = await walked(flow_of(BOT + f'url = "{bot}"', stream=STREAM), account=account)
    assert (active, account.active) == ([1], 0)
    assert report.problems == ()
    assert account.calls[report.call_sid].fields["Status"] == "completed"


async def test_whoever_runs_the_server_may_act_at_milestones() -> None:
    """The call waits: behind a stream, and behind the callback."""
    reached: list[Milestone] = []

    async def after(milestone: Milestone) -> None:
        reached.append(milestone)
        await asyncio.sleep(0.05)

    async with bot_server(says_goodbye) as bot, ground(callback=Given()) as server:
        table = {"url": "/callback"}
        flow = flow_of(BOT + f'url = "{bot}"', server.url, stream=STREAM, callback=table)
        await walked(flow, after=after)
        assert reached == ["stream", "callback"]


async def test_faults_that_were_drawn_are_told_and_carried_out() -> None:
    """The drawn flow is walked; the line's faults are the first stream's, the rest go well."""
    text = BOT.replace('next = "next"', 'next = "second"') + (
        'url = "BOT"\n[applet.second]\ntype = "voicebot"\nurl = "BOT"\nnext = "next"\n'
    )
    account = Account()
    async with bot_server(says_goodbye) as bot, Exotel() as exotel, http_client() as http:
        flow = flow_of(text.replace("BOT", bot), stream=STREAM)
        drawn = Drawn(
            seed=7,
            flow=flow,
            line=LineFaults(tries=(Try.UNREACHED,)),
            api=(Fault(503),),
            told=("the first handshake does not come about",),
        )
        other = flow_of(BOT + 'url = "ws://127.0.0.1:1"')
        around = Around(exotel, http, account=account)
        report = await walk(other, Path(), around, faults=drawn)
    assert (report.seed, report.path) == (7, ("first", "second", "next"))
    assert [stream.handshake_attempts for stream in report.streams] == [2, 1]
    assert drawn.told[0] in told(report, Kind.FAULT)
    assert len(account.faults) == 1
