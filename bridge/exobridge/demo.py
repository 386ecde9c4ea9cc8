"""The demonstration: a server of its own, a whole call into it, and what came of it.

The server is a process of its own, as in production; what it kept of the call is read from its
store afterwards and laid beside what the caller's side measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exobridge.call.events import Role
from exobridge.call.events import Turn as KeptTurn
from exobridge.demo_server import NUMBER, kept_turns, serving
from exobridge.simulator import BargeIn, CallPlan, CallReport, Exotel, Say, Turn, events
from exobridge.simulator.speech import Ears, Voice
from exobridge.simulator.words import word_error

QUESTION = "Hello. What are your opening hours?"
INTERRUPTION = "Sorry, how much is the gift box?"
GOODBYE = "Thank you, goodbye."
ANSWERS = ("We are open", "Our gift box", "Thank you for calling")
"""How the bot's answers to the three begin, if it has understood."""
INTERRUPT_AFTER_MS = 3000
"""How far into the first answer the caller interrupts."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Where the time from the caller's last word to the bot's first went, in milliseconds.

    Attributes:
        total: Voice to voice, at the caller's ear.
        rest: What no stage accounts for: frames, sockets, playout.
    """

    total: float
    end_of_turn: float
    stt: float
    dialogue: float
    tts: float
    send: float

    @property
    def rest(self) -> float:
        """See the class."""
        known = self.end_of_turn + self.stt + self.dialogue + self.tts + self.send
        return self.total - known


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What came of it.

    Attributes:
        call: As the caller's side saw it, with the server's words for the bot's turns.
        stages: One for each answer that was measured.
        heard_back: What the local speech-to-text makes of the bot's channel.
        word_error: Its word error against the bot's turns, 0 to 1.
    """

    call: CallReport
    stages: tuple[Stages, ...]
    heard_back: str
    word_error: float

    @property
    def understood(self) -> bool:
        """Whether each of the caller's lines got its answer."""
        said = iter(turn.text for turn in self.call.bot_turns)
        return all(any(answer in text for text in said) for answer in ANSWERS)

    def to_json(self) -> dict[str, Any]:
        """The call's report, and the demonstration's own figures."""
        return {
            **self.call.to_json(),
            "stages_ms": [
                {
                    "total": round(stage.total, 1),
                    "end_of_turn": stage.end_of_turn,
                    "stt": stage.stt,
                    "dialogue": stage.dialogue,
                    "tts": stage.tts,
                    "send": stage.send,
                    "rest": round(stage.rest, 1),
                }
                for stage in self.stages
            ],
            "understood": self.understood,
            "heard_back": self.heard_back,
            "word_error": round(self.word_error, 3),
        }


async def hold(folder: Path, tell: events.Listener, progress: Callable[[str], None]) -> DemoReport:
    """Hold the demonstration.

    Args:
        folder: Where the server's data and the recording go; it must exist.
        tell: Told what happens in the call.
        progress: Told which part begins.

    Raises:
        DemoError: The server does not start.
        SpeechError: The local speech is not installed.
    """
    folder = await asyncio.to_thread(folder.resolve)
    progress("Starting a server of its own")
    async with serving(folder, {"EXOTEL_NUMBERS": f"{NUMBER}=demo"}) as url:
        progress("Preparing the caller's lines")
        async with Voice() as voice:
            script = (
                Say(await voice.clip(QUESTION)),
                BargeIn(await voice.clip(INTERRUPTION), INTERRUPT_AFTER_MS),
                Say(await voice.clip(GOODBYE)),
            )
        progress("Calling")
        async with Exotel() as exotel:
            report = await exotel.call(CallPlan(url=url, called=NUMBER, script=script), tell)
    kept = await kept_turns(folder, report.call_sid)
    if report.tracks is None or not kept:
        return DemoReport(report, (), "", 1.0)
    report = with_kept_words(report, kept).with_recording(folder / "call.wav")
    progress("Listening to the recording")
    heard = await _heard_back(report)
    said = " ".join(turn.text for turn in report.bot_turns)
    return DemoReport(report, stages(report, kept), heard, word_error(said, heard))


# ------------------------------------------------------------------ what was kept


def _overlap(kept: KeptTurn, turn: Turn) -> float:
    return min(kept.end_ms, turn.end_ms) - max(kept.start_ms, turn.start_ms)


def with_kept_words(report: CallReport, kept: Sequence[KeptTurn]) -> CallReport:
    """The report with one turn for each of the bot's turns the server kept: its words, and the
    times at which they were heard. What was heard and is no turn of the server's stays."""
    bots = [turn for turn in kept if turn.role is Role.BOT]
    heard_of: dict[int, list[Turn]] = {turn.number: [] for turn in bots}
    others: list[Turn] = [turn for turn in report.turns if turn.role == "caller"]
    for turn in report.bot_turns:
        best = max(bots, key=lambda candidate: _overlap(candidate, turn), default=None)
        if best is None or _overlap(best, turn) <= 0:
            others.append(turn)
        else:
            heard_of[best.number].append(turn)
    merged = [
        Turn(
            role="bot",
            text=bot.text,
            start_ms=heard[0].start_ms,
            end_ms=heard[-1].end_ms,
            heard_ms=sum(part.heard_ms for part in heard),
            interrupted=bot.interrupted,
        )
        for bot in bots
        if (heard := heard_of[bot.number])
    ]
    return replace(report, turns=tuple(sorted([*merged, *others], key=lambda turn: turn.start_ms)))


def stages(report: CallReport, kept: Sequence[KeptTurn]) -> tuple[Stages, ...]:
    """Each answer's time from voice to voice, split by what the server measured."""
    answers = [turn for turn in kept if turn.role is Role.BOT and turn.eot_ms is not None]
    totals = [total for total in report.voice_to_voice_ms if total is not None]
    return tuple(
        Stages(
            total=total,
            end_of_turn=answer.eot_ms or 0.0,
            stt=answer.stt_ms or 0.0,
            dialogue=answer.dialogue_ms or 0.0,
            tts=answer.tts_ms or 0.0,
            send=answer.send_ms or 0.0,
        )
        for answer, total in zip(answers, totals, strict=False)
    )


# ------------------------------------------------------------------ heard back


async def _heard_back(report: CallReport) -> str:
    """The bot's channel of the recording, turn by turn, by the local speech-to-text."""
    assert report.tracks is not None
    track = report.tracks.bot()
    per_ms = report.sample_rate * 2 // 1000
    texts: list[str] = []
    async with Ears() as ears:
        for turn in report.bot_turns:
            begin, end = int(turn.start_ms) - 100, int(turn.end_ms) + 200
            part = track[max(0, begin) * per_ms : end * per_ms]
            texts.append(await ears.text(part, report.sample_rate))
    return " ".join(texts)
