"""Whole calls: digits that are asked for, fillers, silence, warnings, and machines that answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from exobridge.call.events import EndedBy, Role, Turn
from exobridge.call.state import Call
from exobridge.simulator import CallPlan, CallReport, Clip, Dtmf, Exotel, Patience, Say, Step, Wait
from exobridge_codecs.tones import tone
from tests.played import Played, Scene, heard_ms, play
from tests.server import LINE, Server, bot, http_client, serving

STAY = Wait(10_000)
PIN = {"max_digits": 4, "terminator": "#", "timeout_seconds": 0.6}
PATIENT = CallPlan(url="http://localhost", patience=Patience(bot_done_ms=250, bot_timeout_ms=900))


def answering(*turns: list[dict[str, Any]], **tables: Any) -> str:
    """A template whose dialogue has these actions, turn by turn."""
    options = {"script": list(turns), **tables.pop("dialogue_options", {})}
    return bot(dialogue={"options": options}, **tables)


ASKED = answering([{"text": "Your PIN, please."}, PIN])
SLOW = bot(dialogue={"options": {"delay_ms": 900}}, texts={"filler": "One moment, please."})

SCENES = {
    "pin": Scene(ASKED, (Say(LINE), Dtmf("1234#"), Wait(500))),
    "short-pin": Scene(ASKED, (Say(LINE), Dtmf("12"), Wait(1500))),
    "no-pin": Scene(ASKED, (Say(LINE), Wait(1500)), PATIENT),
    "spoken-pin": Scene(ASKED, (Say(LINE), Say(LINE))),
    "slow": Scene(SLOW, (Say(LINE), Wait(1500)), limits={"filler_ms": 200}),
    "slow-and-quiet": Scene(SLOW, limits={"filler_ms": 0}),
    "quick": Scene(bot(), limits={"filler_ms": 200}),
    "idle": Scene(bot(greeting=""), (STAY,), limits={"idle_seconds": 0.5, "idle_reprompts": 2}),
    "no-reprompt": Scene(
        bot(greeting=""), (STAY,), limits={"idle_seconds": 0.5, "idle_reprompts": 0}
    ),
    "warned": Scene(
        bot(texts={"warning": "Soon over."}),
        (STAY,),
        limits={"max_call_seconds": 2.5, "warning_seconds": 1.5},
    ),
    "not-warned": Scene(bot(), (STAY,), limits={"max_call_seconds": 1.5, "warning_seconds": 60}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All of them at once, on one server."""
    return await play(tmp_path_factory.mktemp("pieces"), SCENES)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("pin", [("one", ""), ("", "1234")]),
        ("short-pin", [("one", ""), ("", "12")]),
        ("no-pin", [("one", ""), ("", "")]),
        ("spoken-pin", [("one", ""), ("two", "")]),
    ],
)
async def test_the_digits_that_were_asked_for_are_a_turn(
    played: dict[str, Played], name: str, told: list[tuple[str, str]]
) -> None:
    """As many as were wanted, what there is after the pause, or none; words are one too. A late
    terminator is nothing."""
    assert [(turn.text, turn.digits) for turn in played[name].told] == told


async def test_a_filler_is_heard_while_an_answer_takes_its_time(played: dict[str, Played]) -> None:
    """It is no part of what the bot said, nor of what the record measures."""
    slow, quiet, quick = (played[name] for name in ("slow", "slow-and-quiet", "quick"))
    assert slow.said == quiet.said == quick.said == ["Hello there.", "one", "You said: one"]
    heard = [heard_ms(each.report) for each in (slow, quiet, quick)]
    assert heard == pytest.approx([880, 500, 500], abs=40)
    measured = [each.turns[-1].dialogue_ms for each in (slow, quiet)]
    assert all(each is not None and each > 850 for each in measured)


async def test_silence_is_asked_about_as_often_as_is_set(played: dict[str, Played]) -> None:
    """Then the call ends."""
    assert played["idle"].said == ["Still there?", "Still there?", "Goodbye."]
    assert played["no-reprompt"].said == ["Goodbye."]


async def test_a_caller_is_warned_before_the_call_is_too_long(played: dict[str, Played]) -> None:
    """Not in one that cannot last so long."""
    assert played["warned"].said == ["Hello there.", "Soon over.", "It was too long."]
    assert played["not-warned"].said == ["Hello there.", "It was too long."]


# ------------------------------------------------------------------ machines

BEEP = tone(1000, 400, 8000)


def greeting(milliseconds: int) -> bytes:
    """What a machine says first: a tone too low for a beep."""
    return tone(330, milliseconds, 8000) + bytes(2 * 8 * 300)


MACHINES = {
    # name: what is done with a machine, what is heard of it, and the bot's last words
    "hang_up": ({"action": "hang_up"}, greeting(2400) + BEEP, "Hello there."),
    "message": (
        {"action": "message", "message": "Please call us."},
        greeting(2400) + BEEP,
        "Please call us.",
    ),
    "short_greeting": (
        {"action": "message", "message": "Please call us."},
        greeting(900) + BEEP,
        "Please call us.",
    ),
    "human": ({"action": "hang_up"}, LINE.pcm, ""),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a call, and how often it was taken for a machine's."""

    call: Call
    turns: list[Turn]
    machines: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """A call of ours to each of them, all at once."""
    numbers = {name: f"+9180471{index:05}" for index, name in enumerate(MACHINES, start=10_000)}
    book = ",".join(f"{number}={name}" for name, number in numbers.items())
    templates = {
        name: bot(voicemail={"monologue_ms": 2000, **keys}) for name, (keys, *_) in MACHINES.items()
    }
    folder = tmp_path_factory.mktemp("machines")
    async with serving(folder, templates, EXOTEL_NUMBERS=book) as server:

        async def one(name: str) -> Kept:
            report = await outgoing(server, name, numbers[name], MACHINES[name][1])
            call = await server.until_over(report.call_sid)
            turns = await server.bridge.store.turns(report.call_sid)
            said = server.log("answered by a machine", call_sid=report.call_sid)
            return Kept(call, turns, len(said))

        kept = await asyncio.gather(*map(one, MACHINES))
    return dict(zip(MACHINES, kept, strict=True))


async def outgoing(server: Server, call_sid: str, number: str, audio: bytes) -> CallReport:
    """A call that we placed, and what is heard of whoever answered."""
    parameters = {
        "CallSid": call_sid,
        "CallFrom": "09811122233",
        "CallTo": number,
        "Direction": "outbound-dial",
    }
    async with http_client() as client:
        answer = await client.get(f"{server.url}/exotel/answer", params=parameters)
    script: tuple[Step, ...] = (Say(Clip(audio, 8000, "one")), Wait(3000))
    plan = replace(PATIENT, url=answer.json()["url"], call_sid=call_sid, script=script)
    async with Exotel() as exotel:
        return await exotel.call(plan)


@pytest.mark.parametrize("name", [name for name in MACHINES if name != "human"])
def test_a_machine_that_answers_is_left(answered: dict[str, Kept], name: str) -> None:
    """At once, or with a message behind its beep."""
    one = answered[name]
    assert (one.call.ended_by, one.call.end_reason) == (EndedBy.BOT, "voicemail")
    assert [turn.text for turn in one.turns if turn.role is Role.BOT][-1] == MACHINES[name][2]
    assert one.machines == 1


def test_a_human_who_answers_is_talked_to(answered: dict[str, Kept]) -> None:
    """A word, and the conversation goes on."""
    one = answered["human"]
    assert one.call.ended_by is EndedBy.CALLER
    assert [turn.text for turn in one.turns] == ["Hello there.", "one", "You said: one"]
    assert one.machines == 0
