"""Calls that we placed, from the far end: how the server knows that it did, and what it does when
a machine answers in a real voice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from exobridge.call.events import EndedBy, Role
from exobridge.call.state import Call
from exobridge.simulator import BargeIn, CallPlan, CallReport, Clip, Exotel, Patience, Say, Wait
from exobridge_codecs.tones import tone
from tests.server import bot, serving

HUMAN = "+919811122233"
PLAN = CallPlan(url="http://localhost", patience=Patience(bot_done_ms=250, bot_timeout_ms=900))
STREAM_URL = replace(PLAN, url="ws://localhost")
"""As Exotel places a call with ``StreamUrl``: no webhook is asked."""

BEEP = tone(1000, 400, 8000)
MACHINE = Clip(tone(330, 2400, 8000) + bytes(2 * 8 * 300) + BEEP, 8000, "one")
"""A voice that goes on for long, and its beep."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A call to somebody.

    Attributes:
        template: Laid over a template that hangs up on machines.
        plan: How Exotel sees the call.
        outgoing: Whether it is to be known as ours, and left.
    """

    template: Mapping[str, Any] = field(default_factory=dict[str, Any])
    plan: CallPlan = PLAN
    outgoing: bool = True


OUTGOING = {"stream": {"default_direction": "outgoing"}}
CALLS = {
    "told-by-the-webhook": Answered(plan=replace(PLAN, outgoing=True)),
    "webhook-before-template": Answered(OUTGOING, outgoing=False),
    "told-by-the-url": Answered(
        plan=replace(STREAM_URL, custom_parameters={"direction": "outbound"})
    ),
    "told-by-the-template": Answered(OUTGOING, STREAM_URL),
    "url-before-template": Answered(
        OUTGOING, replace(STREAM_URL, custom_parameters={"direction": "incoming"}), outgoing=False
    ),
    "from-our-number": Answered(plan=replace(STREAM_URL, outgoing=True)),
    "told-by-nothing": Answered(plan=STREAM_URL, outgoing=False),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    """All of them at once, on one server: what it keeps of each."""
    numbers = {name: f"+9180471{index:05}" for index, name in enumerate(CALLS, start=10_000)}
    templates = {
        name: bot(voicemail={"action": "hang_up", "monologue_ms": 2000}, **call.template)
        for name, call in CALLS.items()
    }
    book = ",".join(f"{number}={name}" for name, number in numbers.items())
    folder = tmp_path_factory.mktemp("outgoing")
    async with serving(folder, templates, EXOTEL_NUMBERS=book) as server, Exotel() as exotel:

        async def one(name: str) -> Call:
            plan = CALLS[name].plan
            url, called, caller = server.url, numbers[name], HUMAN
            if plan.is_static:
                url = server.stream_url
            if name == "from-our-number":
                called, caller = caller, called
            plan = replace(plan, url=url, called=called, caller=caller, script=(Say(MACHINE),))
            report = await exotel.call(plan)
            return await server.until_over(report.call_sid)

        kept = await asyncio.gather(*map(one, CALLS))
    return dict(zip(CALLS, kept, strict=True))


@pytest.mark.parametrize("name", CALLS)
def test_only_a_call_that_we_placed_is_left(calls: dict[str, Call], name: str) -> None:
    """Exotel's word counts first, then the stream's URL, then the numbers, then the template; and
    whichever tells, the human's number is the human's."""
    call, outgoing = calls[name], CALLS[name].outgoing
    assert call.direction == ("outgoing" if outgoing else "incoming")
    assert (call.end_reason == "voicemail") is outgoing
    assert (call.caller, call.template) == (HUMAN, name)


# ------------------------------------------------------------------ a real voice

GREETING = "You have reached Asha Traders. Please leave your name after the tone."
MESSAGE = "Please call us."
DOES: dict[str, dict[str, Any]] = {
    "hang-up": {"action": "hang_up"},
    "message": {"action": "message", "message": MESSAGE},
}


@dataclass(frozen=True, slots=True)
class Left:
    """A call that a machine answered: from its end, and the bot's words in the record."""

    report: CallReport
    call: Call
    said: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Left]:
    """A machine begins to talk while the bot greets; one call for each thing it can do then."""
    pytest.importorskip("hibari")
    from exobridge_providers.tts.hibari_voice import HibariVoice

    speech = await asyncio.to_thread(HibariVoice().synthesise, GREETING, 8000)
    machine = BargeIn(Clip(speech + bytes(2 * 8 * 600) + BEEP, 8000, GREETING), 300)
    numbers = {name: f"+9180471{index:05}" for index, name in enumerate(DOES, start=20_000)}
    templates = {
        name: bot(
            voicemail={"monologue_ms": 2000, **does},
            vad={"provider": "silero"},
            tts={"options": {"ms_per_char": 60}},
        )
        for name, does in DOES.items()
    }
    book = ",".join(f"{number}={name}" for name, number in numbers.items())
    folder = tmp_path_factory.mktemp("machines")
    async with serving(folder, templates, EXOTEL_NUMBERS=book) as server, Exotel() as exotel:

        async def one(name: str) -> Left:
            plan = replace(PLAN, url=server.url, called=numbers[name], caller=HUMAN, outgoing=True)
            report = await exotel.call(replace(plan, script=(machine, Wait(8000))))
            call = await server.until_over(report.call_sid)
            turns = await server.bridge.store.turns(report.call_sid)
            return Left(report, call, [turn.text for turn in turns if turn.role is Role.BOT])

        kept = await asyncio.gather(*map(one, DOES))
    return dict(zip(DOES, kept, strict=True))


@pytest.mark.speech
def test_a_voicemail_is_hung_up_on(left: dict[str, Left]) -> None:
    """In the middle of its greeting, and nothing is left on it."""
    one = left["hang-up"]
    assert (one.call.ended_by, one.call.end_reason) == (EndedBy.BOT, "voicemail")
    assert MESSAGE not in one.said
    assert one.report.duration_ms < 4300  # its greeting alone takes 4380


@pytest.mark.speech
def test_a_message_is_left_after_the_beep(left: dict[str, Left]) -> None:
    """Whole, and not before; then the bot hangs up."""
    one = left["message"]
    assert (one.call.ended_by, one.call.end_reason) == (EndedBy.BOT, "voicemail")
    assert one.said[-1] == MESSAGE
    (machine,) = [turn for turn in one.report.turns if turn.role == "caller"]
    after = [turn for turn in one.report.bot_turns if turn.start_ms > machine.end_ms - 100]
    assert sum(turn.heard_ms for turn in after) == pytest.approx(60 * len(MESSAGE), abs=150)
    before = [turn for turn in one.report.bot_turns if turn not in after]
    assert sum(turn.heard_ms for turn in before) <= 60 * len("Hello there.") + 100
