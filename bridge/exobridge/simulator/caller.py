"""What the virtual caller does: a script of steps, played frame by frame.

Pure: asked once a frame, told the time and what is heard of the bot. Between the lines silence
flows, as it does on a telephone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from exobridge.simulator.ear import Utterance
from exobridge.simulator.lines import Clip, Line, prepare, silent_payload
from exobridge_codecs.formats import AudioFormat

DIGIT_MS = 200
"""From one key to the next, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak, once the bot has finished."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class PlayWav:
    """Play a recording, once the bot has finished."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class Dtmf:
    """Press keys (``0-9*#A-D``), once the bot has finished: events, no tones on the line."""

    digits: str


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak ``after_ms`` after the bot began its next utterance, into it."""

    clip: Clip
    after_ms: float = 1000


@dataclass(frozen=True, slots=True)
class Wait:
    """Be silent for ``ms``."""

    ms: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call: once the bot has finished, or at once. The end of a script does the former."""

    wait_for_bot: bool = True


Step = Say | PlayWav | Dtmf | BargeIn | Wait | HangUp


@dataclass(frozen=True, slots=True)
class Patience:
    """When the caller takes it to be their turn.

    Attributes:
        bot_done_ms: The bot has finished when nothing of it was audible for so long, and nothing
            audible is buffered.
        bot_timeout_ms: After so long without a sound of the bot the caller goes on without it.
    """

    bot_done_ms: float = 700
    bot_timeout_ms: float = 15_000


class LineKind(StrEnum):
    """What a caller's line was."""

    SAY = "say"
    AUDIO = "audio"
    DTMF = "dtmf"
    BARGE_IN = "barge-in"


@dataclass(frozen=True, slots=True)
class CallerLine:
    """What the caller said or pressed. Times are ms since the start event.

    Attributes:
        kind: Speech, a recording, keys or an interruption.
        text: The words, or the keys.
        start_ms: Start of its first frame (or the first key).
        end_ms: End of its last frame (or the last key).
        voiced_from_ms: First audible moment.
        voiced_to_ms: Last audible moment.
        audio: What was sent, in the stream's encoding; empty for keys.
    """

    kind: LineKind
    text: str
    start_ms: float
    end_ms: float
    voiced_from_ms: float
    voiced_to_ms: float
    audio: bytes = b""


class BotSound(Protocol):
    """What the caller can tell of the bot."""

    @property
    def utterances(self) -> Sequence[Utterance]:
        """The bot's utterances so far; the last may still go on."""
        ...

    @property
    def audible_until_ms(self) -> float:
        """When the bot was last audible."""
        ...

    def expects_sound(self) -> bool:
        """Whether something audible is buffered."""
        ...


@dataclass(slots=True)
class CallerFrame:
    """What one frame carries.

    Attributes:
        payload: Base64 of the caller's audio.
        digit: The key that is pressed at its start, or empty.
        hang_up: The call is to be ended now.
    """

    payload: str
    digit: str = ""
    hang_up: bool = False


def answer_to(line: CallerLine | None, utterances: Sequence[Utterance]) -> Utterance | None:
    """The utterance that answers ``line``: it began after the caller did, and was still audible
    after the caller had finished. Before the first line (``None``) any will do: a greeting."""
    for utterance in utterances:
        if line is None or (
            utterance.start_ms > line.voiced_from_ms and utterance.end_ms > line.voiced_to_ms
        ):
            return utterance
    return None


class Caller:
    """Plays a script.

    Args:
        script: The steps, in order; at its end the caller hangs up.
        audio: The stream's format.
        frame_ms: Length of a frame.
        patience: When it is the caller's turn.
    """

    def __init__(
        self,
        script: Sequence[Step],
        audio: AudioFormat,
        frame_ms: int,
        patience: Patience,
    ) -> None:
        self._steps: list[Step] = [*script, HangUp()]
        self._prepared = [
            prepare(step.clip, audio, frame_ms)
            if isinstance(step, Say | PlayWav | BargeIn)
            else None
            for step in self._steps
        ]
        self._frame_ms = frame_ms
        self._patience = patience
        self._silence = silent_payload(audio, frame_ms)
        self._at = 0  # the current step
        self._since_ms = 0.0  # when it became current
        self._spoken = 0  # frames of the current line that were given out, or keys pressed
        self._pressed_ms = 0.0
        self._recent: CallerLine | None = None
        self.lines: list[CallerLine] = []
        self.timeouts: list[str] = []

    @property
    def unspoken(self) -> int:
        """Lines of the script that were not begun."""
        begun = self._at + (self._spoken > 0)
        return sum(not isinstance(step, Wait | HangUp) for step in self._steps[begun:])

    def frame(self, now_ms: float, bot: BotSound) -> CallerFrame:
        """What to send for the frame that starts at ``now_ms``."""
        while True:
            step = self._steps[self._at]
            if isinstance(step, HangUp):
                done = not step.wait_for_bot or self._my_turn(now_ms, bot)
                return CallerFrame(self._silence, hang_up=done)
            if isinstance(step, Wait):
                if now_ms < self._since_ms + step.ms:
                    return CallerFrame(self._silence)
                self._next(now_ms)
            elif isinstance(step, Dtmf):
                if (frame := self._press(step, now_ms, bot)) is not None:
                    return frame
            elif (frame := self._speak(step, now_ms, bot)) is not None:
                return frame

    def _speak(
        self, step: Say | PlayWav | BargeIn, now_ms: float, bot: BotSound
    ) -> CallerFrame | None:
        line = self._prepared[self._at]
        assert line is not None
        if self._spoken == 0:
            if not self._may_begin(step, now_ms, bot):
                return CallerFrame(self._silence)
            self._begin(step, line, now_ms)
        if self._spoken == len(line.payloads):
            self._next(now_ms)
            return None
        self._spoken += 1
        return CallerFrame(line.payloads[self._spoken - 1])

    def _press(self, step: Dtmf, now_ms: float, bot: BotSound) -> CallerFrame | None:
        if self._spoken == 0:
            if not self._my_turn(now_ms, bot):
                return CallerFrame(self._silence)
            last_ms = now_ms + (len(step.digits) - 1) * DIGIT_MS
            self._add(CallerLine(LineKind.DTMF, step.digits, now_ms, last_ms, now_ms, last_ms))
        elif now_ms < self._pressed_ms + DIGIT_MS:
            return CallerFrame(self._silence)
        if self._spoken == len(step.digits):
            self._next(now_ms)
            return None
        self._pressed_ms = now_ms
        self._spoken += 1
        return CallerFrame(self._silence, digit=step.digits[self._spoken - 1])

    def _may_begin(self, step: Say | PlayWav | BargeIn, now_ms: float, bot: BotSound) -> bool:
        if not isinstance(step, BargeIn):
            return self._my_turn(now_ms, bot)
        if (utterance := answer_to(self._recent, bot.utterances)) is not None:
            return now_ms >= utterance.start_ms + step.after_ms
        return self._gave_up(now_ms, bot)

    def _my_turn(self, now_ms: float, bot: BotSound) -> bool:
        if (
            answer_to(self._recent, bot.utterances) is not None
            and now_ms - bot.audible_until_ms >= self._patience.bot_done_ms
            and not bot.expects_sound()
        ):
            return True
        return self._gave_up(now_ms, bot)

    def _gave_up(self, now_ms: float, bot: BotSound) -> bool:
        waited = now_ms - max(self._since_ms, bot.audible_until_ms)
        if waited < self._patience.bot_timeout_ms:
            return False
        after = f"after line {len(self.lines)}" if self.lines else "before the first line"
        self.timeouts.append(f"the bot was not heard for {waited / 1000:.1f} s {after}")
        return True

    def _begin(self, step: Say | PlayWav | BargeIn, line: Line, now_ms: float) -> None:
        kinds = {Say: LineKind.SAY, PlayWav: LineKind.AUDIO, BargeIn: LineKind.BARGE_IN}
        self._add(
            CallerLine(
                kind=kinds[type(step)],
                text=line.text,
                start_ms=now_ms,
                end_ms=now_ms + len(line.payloads) * self._frame_ms,
                voiced_from_ms=now_ms + line.voiced_from_ms,
                voiced_to_ms=now_ms + line.voiced_to_ms,
                audio=line.audio,
            )
        )

    def _add(self, line: CallerLine) -> None:
        self._recent = line
        self.lines.append(line)

    def _next(self, now_ms: float) -> None:
        self._at += 1
        self._spoken = 0
        self._since_ms = now_ms
