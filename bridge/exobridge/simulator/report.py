"""What came of a simulated call: everything measured, as data, as JSON, and as a recording.

Times are milliseconds on the stream's time line, where 0 is the start event. What the caller says
is timed as it is spoken: a frame leaves at its end, so a bot that answers at once is a frame's
length away. What the bot says is timed at the caller's ear, in Exotel's playout buffer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from exobridge.simulator.playout import Gap, Heard
from exobridge.simulator.rules import Rule, Violation
from exobridge.simulator.steps import CallerLine
from exobridge.simulator.timeline import Entry
from exobridge_codecs.codec import decoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.wav import write_wav


class Outcome(StrEnum):
    """How a call ended."""

    COMPLETED = "completed"
    """There was a stream, and the caller or the bot hung up."""
    REFUSED = "refused"
    """The server answered 302."""
    NOT_ANSWERED = "not-answered"
    """No usable answer came."""
    NO_STREAM = "no-stream"
    """The WebSocket could not be opened."""
    DROPPED = "dropped"
    """The server's end of the stream broke, or was closed with another code than 1000."""
    TIMED_OUT = "timed-out"
    """The call did not end within its limit."""


class EndedBy(StrEnum):
    """Who ended the stream."""

    CALLER = "caller"
    BOT = "bot"
    NETWORK = "network"
    LIMIT = "limit"
    """Exotel, which ends a stream at its longest; the call goes on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An utterance of the bot or a line of the caller.

    Attributes:
        role: Who.
        text: The words as far as known; the keys, for keys pressed; a recording's name.
        start_ms: First audible moment.
        end_ms: Last audible moment.
        heard_ms: How much of it reached the other side's ear (for the caller: was sent).
        interrupted: For the bot: it was cut short, by a ``clear``.
        keys: For the caller: keys were pressed, nothing was said.
    """

    role: Literal["caller", "bot"]
    text: str
    start_ms: float
    end_ms: float
    heard_ms: float
    interrupted: bool = False
    keys: bool = False


@dataclass(frozen=True, slots=True)
class MarkSeen:
    """A mark that came from the bot, or that went back to it.

    Attributes:
        at_ms: When.
        name: Its first 60 characters.
        returned: It went back: what came before it had been played.
    """

    at_ms: float
    name: str
    returned: bool


@dataclass(frozen=True, slots=True)
class Tracks:
    """The audio of both sides, still in the stream's encoding."""

    audio: AudioFormat
    lines: tuple[CallerLine, ...]
    heard: tuple[Heard, ...]
    end_ms: float

    def caller(self) -> bytes:
        """What the caller sent, PCM16, from the start event to the end."""
        parts = [
            (round(line.start_ms * self.audio.sample_rate / 1000), line.audio)
            for line in self.lines
        ]
        return self._laid_out(parts)

    def bot(self) -> bytes:
        """What the caller heard, PCM16, from the start event to the end."""
        return self._laid_out([(heard.start, heard.audio) for heard in self.heard])

    def _laid_out(self, parts: Sequence[tuple[int, bytes]]) -> bytes:
        decode = decoder(self.audio.encoding)
        track = bytearray(2 * round(self.end_ms * self.audio.sample_rate / 1000))
        for start, audio in parts:
            pcm = decode(audio)[: max(0, len(track) - 2 * start)]
            track[2 * start : 2 * start + len(pcm)] = pcm
        return bytes(track)


@dataclass(frozen=True, slots=True)
class CallReport:
    """Everything measured.

    Attributes:
        call_sid: Exotel's id of the call.
        stream_sid: Exotel's id of the stream.
        encoding: ``pcm16`` or ``mulaw``.
        sample_rate: Hertz.
        frame_ms: Length of the caller's frames.
        outcome: How it ended.
        ended_by: Who ended the stream; ``None`` if there was none.
        close_code: The WebSocket's close code as the caller's side saw it; 1006 without one.
        answer_ms: The webhook's answer; ``None`` if none was asked or came.
        answer_status: Its HTTP status.
        handshake_ms: The handshake that succeeded.
        handshake_attempts: Tries it took.
        greeting_ms: From the start event to the bot's first audible moment.
        duration_ms: From the start event to the end.
        turns: Both sides', by their start.
        voice_to_voice_ms: One for each spoken line: from its last audible moment to the answer's
            first; ``None`` without an answer, where none is asked for, or if the bot had begun
            before the caller's end.
        barge_in_ms: One for each interruption of audible speech: from the caller's first audible
            moment until the bot is silent.
        bot_gaps: Where the bot's audio ran dry in the middle of an utterance.
        violations: The rules the server did not keep, ten of each at most.
        violation_counts: How often each was broken.
        timeouts: Each time the caller waited in vain, and the call's limit, as sentences.
        notes: What the reader should know of this report, as sentences.
        problems: Why the call did not go well; empty if it did.
        frames_sent: Media frames to the bot.
        frames_received: Messages from the bot.
        chunks_received: Of them media.
        bytes_received: Audio of these, in bytes.
        marks_received: Marks of the bot.
        marks_returned: Of them returned.
        marks: These, when they came and went back, two thousand at most.
        clears: ``clear`` events of the bot.
        clears_at_ms: When they came, a thousand at most.
        steps_ms: When each step of the plan's script began; ``None`` if it did not.
        faults: What was made to go wrong on the line; ``at_ms`` since the start event, 0 for what
            came before it.
        send_lateness_ms: The latest a frame was sent after its time: the simulator's own delay.
        stream_url: Where the stream went. It may hold a secret, and is not among the JSON values.
        tracks: The audio, if it was kept.
        recording: Path of the recording, if one was written.
    """

    call_sid: str
    stream_sid: str
    encoding: str
    sample_rate: int
    frame_ms: int
    outcome: Outcome
    ended_by: EndedBy | None = None
    close_code: int | None = None
    answer_ms: float | None = None
    answer_status: int | None = None
    handshake_ms: float | None = None
    handshake_attempts: int = 0
    greeting_ms: float | None = None
    duration_ms: float = 0.0
    turns: tuple[Turn, ...] = ()
    voice_to_voice_ms: tuple[float | None, ...] = ()
    barge_in_ms: tuple[float, ...] = ()
    bot_gaps: tuple[Gap, ...] = ()
    violations: tuple[Violation, ...] = ()
    violation_counts: tuple[tuple[Rule, int], ...] = ()
    timeouts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    frames_sent: int = 0
    frames_received: int = 0
    chunks_received: int = 0
    bytes_received: int = 0
    marks_received: int = 0
    marks_returned: int = 0
    marks: tuple[MarkSeen, ...] = ()
    clears: int = 0
    clears_at_ms: tuple[float, ...] = ()
    steps_ms: tuple[float | None, ...] = ()
    faults: tuple[Entry, ...] = ()
    send_lateness_ms: float = 0.0
    stream_url: str = field(default="", repr=False)
    tracks: Tracks | None = None
    recording: str | None = None

    @property
    def went_well(self) -> bool:
        """Whether the call was answered, every line was, no rule was broken badly, and it ended
        as calls end."""
        return not self.problems

    @property
    def bot_turns(self) -> tuple[Turn, ...]:
        """The bot's turns, in order."""
        return tuple(turn for turn in self.turns if turn.role == "bot")

    def with_bot_texts(self, texts: Sequence[str]) -> CallReport:
        """The report with the words of the bot's turns, in order; as many as there are turns.

        Raises:
            ValueError: There are more or fewer.
        """
        if len(texts) != len(self.bot_turns):
            raise ValueError(f"{len(self.bot_turns)} turns of the bot, {len(texts)} texts")
        words = iter(texts)
        turns = tuple(
            replace(turn, text=next(words)) if turn.role == "bot" else turn for turn in self.turns
        )
        return replace(self, turns=turns)

    def with_recording(self, path: str | os.PathLike[str]) -> CallReport:
        """Write the call as a WAV file: caller left, bot right; the report with its path.

        Raises:
            ValueError: No audio was kept.
            OSError: The file cannot be written.
        """
        if self.tracks is None:
            raise ValueError("this call's audio was not kept")
        write_wav(path, self.sample_rate, self.tracks.caller(), self.tracks.bot())
        return replace(self, recording=os.fspath(path))

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values. Keys are only ever added; times have one decimal."""
        return {
            "call_sid": self.call_sid,
            "stream_sid": self.stream_sid,
            "encoding": self.encoding,
            "sample_rate": self.sample_rate,
            "frame_ms": self.frame_ms,
            "outcome": str(self.outcome),
            "ended_by": None if self.ended_by is None else str(self.ended_by),
            "close_code": self.close_code,
            "went_well": self.went_well,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "answer_ms": _rounded(self.answer_ms),
            "answer_status": self.answer_status,
            "handshake_ms": _rounded(self.handshake_ms),
            "handshake_attempts": self.handshake_attempts,
            "greeting_ms": _rounded(self.greeting_ms),
            "duration_ms": _rounded(self.duration_ms),
            "turns": [_turn(turn) for turn in self.turns],
            "voice_to_voice_ms": [_rounded(value) for value in self.voice_to_voice_ms],
            "barge_in_ms": [_rounded(value) for value in self.barge_in_ms],
            "bot_gaps_ms": [_rounded(gap.ms) for gap in self.bot_gaps],
            "bot_gaps_at_ms": [_rounded(gap.at_ms) for gap in self.bot_gaps],
            "violations": [_violation(violation) for violation in self.violations],
            "violation_counts": {str(rule): count for rule, count in self.violation_counts},
            "timeouts": list(self.timeouts),
            "frames_sent": self.frames_sent,
            "frames_received": self.frames_received,
            "chunks_received": self.chunks_received,
            "bytes_received": self.bytes_received,
            "marks_received": self.marks_received,
            "marks_returned": self.marks_returned,
            "marks": [_mark(mark) for mark in self.marks],
            "clears": self.clears,
            "clears_at_ms": [_rounded(at) for at in self.clears_at_ms],
            "steps_ms": [_rounded(at) for at in self.steps_ms],
            "faults": [each.to_json() for each in self.faults],
            "send_lateness_ms": _rounded(self.send_lateness_ms),
            "recording": self.recording,
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "role": turn.role,
        "text": turn.text,
        "start_ms": _rounded(turn.start_ms),
        "end_ms": _rounded(turn.end_ms),
        "heard_ms": _rounded(turn.heard_ms),
        "interrupted": turn.interrupted,
        "keys": turn.keys,
    }


def _mark(mark: MarkSeen) -> dict[str, Any]:
    return {"at_ms": _rounded(mark.at_ms), "name": mark.name, "returned": mark.returned}


def _violation(violation: Violation) -> dict[str, Any]:
    return {
        "rule": str(violation.rule),
        "severity": str(violation.severity),
        "at_ms": _rounded(violation.at_ms),
        "detail": violation.detail,
        "sentence": violation.sentence,
    }
