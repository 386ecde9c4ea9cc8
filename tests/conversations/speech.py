"""Calls in real time on real speech: a server as it is deployed, with the local providers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exobridge.call.events import Role
from exobridge.call.events import Turn as KeptTurn
from exobridge.simulator import CallPlan, CallReport, Exotel
from exobridge.simulator.plan import Limits
from exobridge.simulator.speech import Voice
from exobridge.simulator.words import word_error
from exobridge.store import Store
from tests.benchmarks.sums import percentile
from tests.benchmarks.tables import Column, Line
from tests.conversations.judge import MISSED_AFTER_MS
from tests.conversations.report import Writer
from tests.conversations.speech_calls import CALLS, LONG_CALLS, SOUNDS, SpokenCall
from tests.process import server

TEMPLATE = '''\
greeting = "Hello, this is Maple Street Books."

[turns]
end_silence_ms = 300

[limits]
idle_seconds = 600

[dialogue]
provider = "scripted"

[dialogue.options]
fallback = ["Sorry, I did not get that."]

[[dialogue.options.intents]]
name = "hours"
phrases = ["opening hours", "opening times"]
reply = """We are open from nine in the morning to eight in the evening, Monday to Saturday. \\
    On Sundays we open at eleven, and close at five in the afternoon."""

[[dialogue.options.intents]]
name = "parcel"
phrases = ["parcel", "parcels"]
reply = "Your parcel left our shop yesterday, and it will be with you tomorrow before noon."

[[dialogue.options.intents]]
name = "price"
phrases = ["gift box", "how much is it"]
reply = "Our gift box with three books costs nine hundred and fifty rupees, delivery included."
'''

BARGE_IN_P95_MS = 350.0
ANSWER_P50_MS, ANSWER_P95_MS = 800.0, 1200.0
GREETING_MS = 250.0
"""From where the line's encoding is known."""
FORMAT_MS = 120.0
"""Longest time that takes."""
WORD_ERROR = 0.08
BUSY_MS = 50.0
"""A caller's frame that was sent so late says that the machine was too busy to measure on."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of a call.

    Attributes:
        understood: The caller's turns, as the server kept them.
        answers: How many turns the bot had after its greeting.
        interrupted: How many of them were cut.
        wrong: What is not as it should be.
        word_error: Of the call whose words are compared, 0 to 1.
        late_ms: How late the latest of the caller's frames was sent.
    """

    call: SpokenCall
    greeting_ms: float | None
    answer_ms: tuple[float, ...]
    barge_in_ms: tuple[float, ...]
    understood: tuple[str, ...] = ()
    answers: int = 0
    interrupted: int = 0
    wrong: tuple[str, ...] = ()
    word_error: float | None = None
    late_ms: float = 0.0


def hold_calls() -> list[Spoken]:
    """Hold all calls: one after the other where something is timed."""
    return asyncio.run(_hold_all())


async def _hold_all() -> list[Spoken]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bot").mkdir()
        (folder / "bot" / "default.toml").write_text(TEMPLATE, "utf-8")
        variables = {
            "STT_PROVIDER": "moonshine",
            "TTS_PROVIDER": "hibari",
            "VAD_PROVIDER": "silero",
            "DIALOGUE_PROVIDER": "scripted",
            "EXOBRIDGE_TEMPLATES_DIR": str(folder / "bot"),
        }
        async with server(folder, **variables) as serving, Voice() as voice, Exotel() as exotel:
            store = await Store.open(f"sqlite+aiosqlite:///{folder / 'data' / 'exobridge.sqlite3'}")
            try:
                short = [call for call in CALLS if not call.reference or SOUNDS.is_dir()]
                held = [await _hold(call, serving.url, exotel, voice, store) for call in short]
                held += await asyncio.gather(
                    *(_hold(call, serving.url, exotel, voice, store) for call in LONG_CALLS)
                )
            finally:
                await store.aclose()
    return held


async def _hold(call: SpokenCall, url: str, exotel: Exotel, voice: Voice, store: Store) -> Spoken:
    script = await call.script(voice.clip)
    plan = CallPlan(url=url, script=tuple(script), limits=Limits(call_s=420))
    report = await exotel.call(plan)
    turns = await _kept(store, report.call_sid)
    return _judged(call, report, turns)


async def _kept(store: Store, call_sid: str) -> Sequence[KeptTurn]:
    for _ in range(100):  # the server writes the last turn when the call is over
        call = await store.call(call_sid)
        if call is not None and call.outcome is not None:
            break
        await asyncio.sleep(0.05)
    return await store.turns(call_sid)


def _judged(call: SpokenCall, report: CallReport, turns: Sequence[KeptTurn]) -> Spoken:
    understood = tuple(turn.text for turn in turns if turn.role is Role.CALLER)
    bots = [turn for turn in turns if turn.role is Role.BOT]
    spoken = Spoken(
        call=call,
        greeting_ms=report.greeting_ms,
        answer_ms=tuple(ms for ms in report.voice_to_voice_ms if ms is not None),
        barge_in_ms=report.barge_in_ms if call.interrupted else (),
        understood=understood,
        answers=len(bots) - 1,  # the first one greets
        interrupted=sum(turn.interrupted for turn in bots),
        word_error=word_error(call.reference, " ".join(understood)) if call.reference else None,
        late_ms=report.send_lateness_ms,
    )
    return replace(spoken, wrong=tuple(_wrong(spoken)))


def _wrong(spoken: Spoken) -> Iterator[str]:
    call = spoken.call
    if call.interrupted is not None and spoken.interrupted != call.interrupted:
        yield f"{spoken.interrupted} of the bot's turns were cut, not {call.interrupted}"
    if call.answers and spoken.answers not in call.answers:
        told = " | ".join(spoken.understood)
        yield f"{spoken.answers} answers, not {call.answers[-1]}: {told}"
    text = " ".join(spoken.understood).lower()
    if missing := [words for words in call.words if words not in text]:
        yield f"{', '.join(missing)} not in {text!r}"
    yield from (f"silent after {ms:.0f} ms" for ms in spoken.barge_in_ms if ms > MISSED_AFTER_MS)


# ------------------------------------------------------------------ figures

COLUMNS = (
    Column("p50", "p50", ".0f"),
    Column("p95", "p95", ".0f"),
    Column("worst", "worst", ".0f"),
    Column("count", "of", ".0f"),
    Column("limit", "limit of p50", ".0f"),
    Column("limit95", "limit of p95", ".0f"),
)


def figures(spoken: Sequence[Spoken]) -> list[Line]:
    """The times, and their limits."""
    barge = [ms for each in spoken for ms in each.barge_in_ms]
    answer = [ms for each in spoken for ms in each.answer_ms]
    greeting = [each.greeting_ms for each in spoken if each.greeting_ms is not None]
    error = [100 * each.word_error for each in spoken if each.word_error is not None]
    return [
        ("first voice to silence, ms", _row(barge, limit95=BARGE_IN_P95_MS)),
        ("voice to voice, ms", _row(answer, limit=ANSWER_P50_MS, limit95=ANSWER_P95_MS)),
        (
            "start to the first sound, ms",
            _row(greeting, limit95=GREETING_MS + FORMAT_MS),
        ),
        ("word error of a human's recordings, %", _row(error, limit95=100 * WORD_ERROR)),
    ]


def _row(values: Iterable[float], **limits: float) -> dict[str, float]:
    ranked = sorted(values)
    return {
        "p50": percentile(ranked, 0.5),
        "p95": percentile(ranked, 0.95),
        "worst": percentile(ranked, 1.0),
        "count": len(ranked),
        **limits,
    }


def problems(spoken: Sequence[Spoken]) -> list[str]:
    """What is not as it should be, each a sentence."""
    wrong = [f"{each.call.name}: {what}" for each in spoken for what in each.wrong]
    for name, row in figures(spoken) if spoken else ():
        for value, limit in (("p50", "limit"), ("p95", "limit95")):
            if limit in row and row[value] > row[limit]:
                wrong.append(f"{name}: {value} is {row[value]:.0f}, the limit {row[limit]:.0f}")
    if late := [each for each in spoken if each.late_ms > BUSY_MS]:
        worst = max(each.late_ms for each in late)
        wrong.append(f"void: the machine was busy, a frame of the caller's was {worst:.0f} ms late")
    return wrong


def speech_tables(spoken: Sequence[Spoken], write: Writer) -> str:
    """The times of the calls on real speech, and what was wrong; nothing without any."""
    if not spoken:
        return ""
    held = f"{len(spoken)} calls on real speech"
    wrong = [f"- {what}" for what in problems(spoken)] or ["- nothing is wrong"]
    return "\n".join([write(held, COLUMNS, figures(spoken)), "", *wrong])


def to_json(spoken: Sequence[Spoken]) -> list[dict[str, object]]:
    """All of it."""
    return [
        {
            "name": each.call.name,
            "says": each.call.says,
            "greeting_ms": each.greeting_ms,
            "answer_ms": each.answer_ms,
            "barge_in_ms": each.barge_in_ms,
            "understood": each.understood,
            "answers": each.answers,
            "interrupted": each.interrupted,
            "word_error": each.word_error,
            "wrong": each.wrong,
        }
        for each in spoken
    ]
