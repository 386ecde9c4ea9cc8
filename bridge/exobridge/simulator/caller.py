"""What the virtual caller does: a script of steps, played frame by frame.

Pure: asked once a frame, told the time and what is heard of the bot. Between the lines silence
flows, as it does on a telephone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exobridge.simulator.lines import Line, prepare, silent_payload
from exobridge.simulator.steps import (
    LINES,
    BargeIn,
    BotDone,
    BotEnds,
    CallerLine,
    Dtmf,
    HangUp,
    Hear,
    LineKind,
    Patience,
    Pause,
    PlayWav,
    Say,
    Silence,
    Step,
    Wait,
)
from exobridge.simulator.waiting import BotSound, Waiting
from exobridge.simulator.words import contains
from exobridge_codecs.formats import AudioFormat

DIGIT_MS = 200
"""From one key to the next, in milliseconds."""


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


class Caller:
    """Plays a script.

    Args:
        script: The steps, in order; at its end the caller hangs up.
        audio: The stream's format.
        frame_ms: Length of a frame.
        patience: When it is the caller's turn.

    Attributes:
        lines: What was said and pressed so far.
        steps_ms: When each step of the script began, ``None`` while it has not. A line begins with
            its first frame or key.
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
        self._waiting = Waiting(patience)
        self._silence = silent_payload(audio, frame_ms)
        self._at = 0  # the current step
        self._spoken = 0  # frames of the current line that were given out, or keys pressed
        self._pressed_ms = 0.0
        self._understood_of: float | None = None  # the turn in which the awaited words were
        self.lines: list[CallerLine] = []
        self.steps_ms: list[float | None] = [None] * len(script)

    @property
    def timeouts(self) -> Sequence[str]:
        """Each time the caller waited in vain, as a sentence."""
        return self._waiting.timeouts

    @property
    def unspoken(self) -> int:
        """Lines of the script that were not begun."""
        begun = self._at + (self._spoken > 0)
        return sum(isinstance(step, LINES) for step in self._steps[begun:])

    def frame(self, now_ms: float, bot: BotSound) -> CallerFrame:
        """What to send for the frame that starts at ``now_ms``."""
        while True:
            step = self._steps[self._at]
            if isinstance(step, HangUp):
                done = not step.wait_for_bot or self._may_begin(now_ms, bot)
                if done:
                    self._begun(now_ms)
                return CallerFrame(self._silence, hang_up=done)
            if isinstance(step, Dtmf):
                frame = self._press(step, now_ms, bot)
            elif isinstance(step, Say | PlayWav | BargeIn):
                frame = self._speak(step, now_ms, bot)
            else:
                frame = self._listen(step, now_ms, bot)
            if frame is not None:
                return frame
            self._at += 1
            self._spoken = 0
            self._waiting.since_ms = now_ms

    def awaits_words_from(self, bot: BotSound) -> float | None:
        """Where the turn of the bot began in which words are waited for, in ms; ``None`` if none
        are, or it has not begun."""
        step = self._steps[self._at]
        if not isinstance(step, Hear) or not step.words:
            return None
        return None if (turn := self._waiting.next_turn(bot)) is None else turn.start_ms

    def understand(self, of_ms: float, text: str) -> None:
        """Take what was heard so far, in words, of the turn that began at ``of_ms``."""
        step = self._steps[self._at]
        if isinstance(step, Hear) and contains(text, step.words):
            self._understood_of = of_ms

    # ------------------------------------------------------------------ lines

    def _speak(
        self, step: Say | PlayWav | BargeIn, now_ms: float, bot: BotSound
    ) -> CallerFrame | None:
        line = self._prepared[self._at]
        assert line is not None
        if self._spoken == 0:
            if not self._may_begin(now_ms, bot):
                return CallerFrame(self._silence)
            self._begin(step, line, now_ms)
        if self._spoken == len(line.payloads):
            return None
        self._spoken += 1
        return CallerFrame(line.payloads[self._spoken - 1])

    def _press(self, step: Dtmf, now_ms: float, bot: BotSound) -> CallerFrame | None:
        if self._spoken == 0:
            if not self._may_begin(now_ms, bot):
                return CallerFrame(self._silence)
            last_ms = now_ms + (len(step.digits) - 1) * DIGIT_MS
            self._add(
                CallerLine(
                    kind=LineKind.DTMF,
                    text=step.digits,
                    start_ms=now_ms,
                    end_ms=last_ms,
                    voiced_from_ms=now_ms,
                    voiced_to_ms=last_ms,
                    answered=self._expects_answer(),
                )
            )
        elif now_ms < self._pressed_ms + DIGIT_MS:
            return CallerFrame(self._silence)
        if self._spoken == len(step.digits):
            return None
        self._pressed_ms = now_ms
        self._spoken += 1
        return CallerFrame(self._silence, digit=step.digits[self._spoken - 1])

    def _begin(self, step: Say | PlayWav | BargeIn, line: Line, now_ms: float) -> None:
        self._add(
            CallerLine(
                kind=_kind(step),
                text=line.text,
                start_ms=now_ms,
                end_ms=now_ms + len(line.payloads) * self._frame_ms,
                voiced_from_ms=now_ms + line.voiced_from_ms,
                voiced_to_ms=now_ms + line.voiced_to_ms,
                audio=line.audio,
                answered=self._expects_answer(),
            )
        )
        if self.lines[-1].kind is LineKind.BACKCHANNEL:
            self._waiting.for_the_rest(self.lines[-1])

    def _expects_answer(self) -> bool:
        step, following = self._steps[self._at : self._at + 2]  # the last step is a HangUp
        goes_on = isinstance(step, BargeIn) and not step.interrupts
        return not goes_on and not isinstance(following, Silence | Pause)

    def _add(self, line: CallerLine) -> None:
        self._begun(line.start_ms)
        self._waiting.for_answer_to(line)
        self.lines.append(line)

    # ------------------------------------------------------------------ between the lines

    def _listen(
        self, step: Hear | Pause | BotDone | Wait | Silence | BotEnds, now_ms: float, bot: BotSound
    ) -> CallerFrame | None:
        if self._begun(now_ms):
            self._understood_of = None
            if isinstance(step, BotDone) and step.anew:
                self._waiting.for_something_new(now_ms)
        if not self._is_over(step, now_ms, bot):
            return CallerFrame(self._silence)
        if isinstance(step, Silence):
            self._waiting.for_nothing()
        return None

    def _is_over(
        self, step: Hear | Pause | BotDone | Wait | Silence | BotEnds, now_ms: float, bot: BotSound
    ) -> bool:
        match step:
            case Wait(ms) | Silence(ms):
                return now_ms >= self._waiting.since_ms + ms
            case Pause(ms):
                return now_ms >= ms + (self.lines[-1].voiced_to_ms if self.lines else 0.0)
            case BotDone():
                return self._waiting.is_over(now_ms, bot)
            case BotEnds():
                return self._waiting.is_past_patience(now_ms, bot)
            case Hear(words=""):
                return self._waiting.has_gone_on(step.after_ms, now_ms, bot)
            case Hear(words=words):
                return self._has_said(words, now_ms, bot)

    def _has_said(self, words: str, now_ms: float, bot: BotSound) -> bool:
        if (turn := self._waiting.next_turn(bot)) is None:
            return self._waiting.in_vain(now_ms, bot)
        if turn.start_ms == self._understood_of:
            return True
        if not self._waiting.is_over(now_ms, bot):
            return False
        self._waiting.timeouts.append(f'"{words}" was not heard in what the bot said')
        return True

    def _may_begin(self, now_ms: float, bot: BotSound) -> bool:
        """Whether a line may begin, or the call be ended."""
        step = self._steps[self._at]
        if self._at and isinstance(self._steps[self._at - 1], Hear | Pause):
            return True
        if isinstance(step, BargeIn):
            return self._waiting.has_gone_on(step.after_ms, now_ms, bot)
        return self._waiting.is_over(now_ms, bot)

    def _begun(self, now_ms: float) -> bool:
        """Note that the current step begins; ``False`` if it had begun already."""
        if self._at == len(self.steps_ms) or self.steps_ms[self._at] is not None:
            return False
        self.steps_ms[self._at] = now_ms
        return True


def _kind(step: Say | PlayWav | BargeIn) -> LineKind:
    match step:
        case Say():
            return LineKind.SAY
        case PlayWav():
            return LineKind.AUDIO
        case BargeIn(interrupts=interrupts):
            return LineKind.BARGE_IN if interrupts else LineKind.BACKCHANNEL
