"""The demonstration of vendors: a call whose speech and dialogue come from elsewhere, with the
delays of their machines, and what of each answer's time exobridge itself took.

The vendors are fakes on real sockets, in this process; the server is a process of its own. Nothing
leaves this machine, and no account is needed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exobridge.call.clauses import Clauses
from exobridge.demo_server import NUMBER, DemoError, serving
from exobridge.demo_share import Share, delays, percentile, share
from exobridge.simulator import CallPlan, CallReport, Clip, Exotel, Limits, Patience, Say, events
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase, case
from exobridge_providers.testing.fake_chat import FakeChat, ending, event, streamed
from exobridge_providers.testing.fake_http import Reply
from exobridge_providers.testing.fake_vendor import KEY_VARIABLE, FakeVendor, Passed
from exobridge_providers.testing.letters import spoken

TURNS = 21
"""Of the caller, where nobody says how many."""

STT, TTS = "sarvam", "elevenlabs"
FINALIZE = "speech_end"
"""What stands in a request for the final text."""

INTERIM_S, FINAL_S = 0.15, 0.35
TOKEN_S, WORD_S = 0.4, 0.02
AUDIO_S, PACE = 0.2, 0.3
"""The vendors' delays in seconds: a word to its interim text, a request to the final text, a
question to the first word and each word to the next, text to its first audio; and how much of a
second a second of audio takes to be made."""

LANGUAGE = "en-IN"
END_SILENCE_MS = 400
PATIENCE = Patience(bot_done_ms=300, bot_timeout_ms=8000)
MAX_OWN_MS = 60.0
"""What exobridge's own share is to be in 95 of 100 answers, at most."""

TURN_S = 15.0
"""Longest turn, the answer included."""

LINES = (
    "i would like to know your opening hours",
    "how much is the large gift box",
    "is there a shop near the station",
    "what about the small one",
    "my order has not come yet",
    "it was the third of this month",
    "please send it to my office",
)
"""What the caller says. The words tell neither that the turn is over nor that it goes on."""

ANSWERS = (
    "We are open from nine to six. On Sundays we are closed.",
    "The large box is nine hundred rupees. Delivery is free.",
    "Our nearest shop is next to the post office. Shall I send you the address?",
    "The small one is four hundred rupees. It has twelve sweets.",
    "I am sorry to hear that. When did you place it?",
    "It left our store two days ago. It should be with you tomorrow.",
    "I have noted the address of your office. Is there anything else?",
)


@dataclass(frozen=True, slots=True)
class VendorReport:
    """What came of it.

    Attributes:
        call: As the caller's side saw it.
        shares: One for each answer.
        violations: What exobridge did and the vendors' documents do not allow.
    """

    call: CallReport
    shares: tuple[Share, ...]
    violations: tuple[str, ...]

    def own(self, part: float) -> float:
        """exobridge's own share that ``part`` of the answers do not exceed, in milliseconds."""
        return percentile([each.own for each in self.shares], part)

    @property
    def went_well(self) -> bool:
        """The call did, no vendor's rule was broken, and exobridge was quick enough."""
        return self.call.went_well and not self.violations and self.own(0.95) <= MAX_OWN_MS

    def to_json(self) -> dict[str, Any]:
        """The call's report, and the demonstration's own figures."""
        return {
            **self.call.to_json(),
            "vendors": {"stt": STT, "dialogue": "openai", "tts": TTS},
            "shares_ms": [
                {
                    "total": round(each.total, 1),
                    "silence": round(each.silence, 1),
                    "stt": round(each.delays.stt, 1),
                    "first_token": round(each.delays.token, 1),
                    "words": round(each.delays.words, 1),
                    "tts": round(each.delays.tts, 1),
                    "own": round(each.own, 1),
                }
                for each in self.shares
            ],
            "own_p50_ms": round(self.own(0.5), 1),
            "own_p95_ms": round(self.own(0.95), 1),
            "vendor_violations": list(self.violations),
        }


async def hold(
    folder: Path, turns: int, tell: events.Listener, progress: Callable[[str], None]
) -> VendorReport:
    """Hold the demonstration.

    Args:
        folder: Where the server's data go; it must exist.
        turns: How often the caller speaks, 1 or more.
        tell: Told what happens in the call.
        progress: Told which part begins.

    Raises:
        DemoError: The server does not start, or the caller was not answered each time.
    """
    folder = await asyncio.to_thread(folder.resolve)
    lines = [LINES[number % len(LINES)] for number in range(turns)]
    answers = [_pieces(ANSWERS[number % len(ANSWERS)]) for number in range(turns)]
    chat = FakeChat(*map(_streamed, answers))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(chat.listening())
        stt = await stack.enter_async_context(_listening(Kind.STT, STT))
        tts = await stack.enter_async_context(_listening(Kind.TTS, TTS))
        progress("Starting a server of its own")
        variables = await asyncio.to_thread(_prepared, folder, stt, tts, chat)
        url = await stack.enter_async_context(serving(folder, variables))
        progress(f"Calling: {turns} turns")
        exotel = await stack.enter_async_context(Exotel())
        script = tuple(Say(Clip(spoken(line), 8000, line)) for line in lines)
        limits = Limits(call_s=turns * TURN_S)
        plan = CallPlan(url, script, called=NUMBER, record=False, patience=PATIENCE, limits=limits)
        for vendor in (stt, tts):
            vendor.passed.clear()
        report = await exotel.call(plan, tell)
    violations = (*stt.fake.violations, *tts.fake.violations)
    return VendorReport(report, _shares(report, answers, stt, chat, tts), violations)


# ------------------------------------------------------------------ the vendors


@dataclass(slots=True)
class _Vendor:
    """A fake, and what passed at it."""

    case: VendorCase
    fake: FakeVendor
    passed: list[Passed] = field(default_factory=list[Passed])


@asynccontextmanager
async def _listening(kind: Kind, name: str) -> AsyncGenerator[_Vendor]:
    found = case(kind, name)
    assert found is not None
    fake = found.fake()
    fake.interim_seconds, fake.final_seconds = INTERIM_S, FINAL_S
    fake.first_audio_seconds, fake.pace = AUDIO_S, PACE
    vendor = _Vendor(found, fake)
    fake.watch = vendor.passed.append
    async with fake.listening():
        yield vendor


def _pieces(answer: str) -> list[str]:
    """As a model gives it out: word by word, the space before each."""
    first, *rest = answer.split(" ")
    return [first, *(f" {word}" for word in rest)]


def _streamed(pieces: Sequence[str]) -> Reply:
    parts: list[bytes | float] = []
    for piece in pieces:
        delta = {"choices": [{"index": 0, "delta": {"content": piece}}]}
        parts += [WORD_S if parts else TOKEN_S, event(delta)]
    return streamed(*parts, *ending())


def _prepared(folder: Path, stt: _Vendor, tts: _Vendor, chat: FakeChat) -> dict[str, str]:
    """Write the template, and name what the server's environment needs."""
    tables = [
        'greeting = "Hello."',
        f"language = {json.dumps(LANGUAGE)}",
        f"turns.end_silence_ms = {END_SILENCE_MS}",
        'vad.provider = "exobridge_providers.testing.fakes:FakeVad"',
        'dialogue.provider = "openai"',
        *_options("dialogue", chat.options),
    ]
    for table, vendor in (("stt", stt), ("tts", tts)):
        url = f"{vendor.fake.url}{vendor.case.path}"
        tables.append(f"{table}.provider = {json.dumps(vendor.case.name)}")
        tables += _options(table, {"url": url, "api_key_env": _key_variable(table)})
    templates = folder / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "vendors.toml").write_text("\n".join(tables) + "\n", "utf-8")
    return {
        "EXOTEL_NUMBERS": f"{NUMBER}=vendors",
        "EXOBRIDGE_TEMPLATES_DIR": str(templates),
        _key_variable("stt"): stt.fake.key,
        _key_variable("tts"): tts.fake.key,
    }


def _options(table: str, options: dict[str, Any]) -> list[str]:
    return [f"{table}.options.{name} = {json.dumps(value)}" for name, value in options.items()]


def _key_variable(table: str) -> str:
    return f"{KEY_VARIABLE}_{table.upper()}"


# ------------------------------------------------------------------ what came of it


def _shares(
    report: CallReport,
    answers: Sequence[Sequence[str]],
    stt: _Vendor,
    chat: FakeChat,
    tts: _Vendor,
) -> tuple[Share, ...]:
    totals = [total for total in report.voice_to_voice_ms if total is not None]
    if not len(totals) == len(chat.asked) == len(answers):
        raise DemoError(
            f"the caller spoke {len(answers)} times, the dialogue was asked {len(chat.asked)} "
            f"times, and {len(totals)} answers were heard"
        )
    try:
        return tuple(
            share(
                total,
                END_SILENCE_MS,
                delays(stt.passed, FINALIZE, question, pieces, _first_line(pieces), tts.passed),
            )
            for total, pieces, question in zip(totals, answers, chat.asked, strict=True)
        )
    except ValueError as error:
        raise DemoError(str(error)) from error


def _first_line(pieces: Sequence[str]) -> str:
    """What of an answer is spoken first."""
    clauses = Clauses(LANGUAGE)
    for piece in pieces:
        if lines := clauses.push(piece):
            return lines[0]
    return clauses.flush()[0]
