"""The caller's script, in virtual time."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from exobridge.simulator.caller import (
    BargeIn,
    Caller,
    CallerLine,
    Dtmf,
    HangUp,
    LineKind,
    Patience,
    PlayWav,
    Say,
    Step,
    Wait,
    answer_to,
)
from exobridge.simulator.ear import Utterance
from exobridge.simulator.lines import Clip, prepare
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.tones import tone

CLIP = Clip(tone(300, 100, 8000), 8000, "Hello.")
PATIENCE = Patience(bot_done_ms=700, bot_timeout_ms=5000)


@dataclass
class Bot:
    """A bot that was heard at these times, as far as the caller can tell at ``now_ms``."""

    spans: Sequence[tuple[float, float]] = ()
    buffered_until_ms: float = 0.0
    now_ms: float = 0.0
    utterances: list[Utterance] = field(default_factory=list[Utterance])

    @property
    def audible_until_ms(self) -> float:
        return self.utterances[-1].end_ms if self.utterances else 0.0

    def expects_sound(self) -> bool:
        return self.now_ms < self.buffered_until_ms

    def advance(self, now_ms: float) -> None:
        """Hear what was said until now."""
        self.now_ms = now_ms
        self.utterances = [
            Utterance(start, min(end, now_ms)) for start, end in self.spans if start < now_ms
        ]


def play(bot: Bot, *script: Step, limit_ms: int = 20_000) -> tuple[Caller, float, list[str]]:
    """Play a script in frames of 20 ms; the caller, when it hung up, and the keys with times."""
    caller = Caller(script, pcm16(8000), 20, PATIENCE)
    keys: list[str] = []
    for now in range(0, limit_ms, 20):
        bot.advance(now)
        frame = caller.frame(now, bot)
        assert len(base64.b64decode(frame.payload)) == 320
        if frame.digit:
            keys.append(f"{frame.digit}@{now}")
        if frame.hang_up:
            return caller, now, keys
    raise AssertionError("the caller never hung up")


def test_a_line_waits_for_the_bots_last_word() -> None:
    """It begins 700 ms after the bot was last audible, on a frame's edge."""
    caller, ended, _ = play(Bot([(100, 1000), (2300, 3000)]), Say(CLIP))
    (line,) = caller.lines
    assert (line.kind, line.text, line.start_ms, line.end_ms) == ("say", "Hello.", 1700, 1800)
    assert ended == 3700
    assert caller.timeouts == []
    assert caller.unspoken == 0


def test_buffered_speech_is_waited_for() -> None:
    """A pause of the bot is no end while it has more to be played."""
    caller, _, _ = play(Bot([(100, 1000), (2500, 2600)], buffered_until_ms=2520), Say(CLIP))
    assert caller.lines[0].start_ms == 3300


def test_a_greeting_is_waited_for() -> None:
    """The caller does not speak first, until patience is over; the report says so."""
    caller, ended, _ = play(Bot(), Say(CLIP))
    assert caller.lines[0].start_ms == 5000
    assert ended == 5100 + 5000
    assert caller.timeouts == [
        "the bot was not heard for 5.0 s before the first line",
        "the bot was not heard for 5.0 s after line 1",
    ]


def test_a_barge_in_speaks_into_the_next_utterance() -> None:
    """So long after the bot began, whether or not it is still speaking."""
    bot = Bot([(100, 400), (1900, 9000)])
    caller, _, _ = play(bot, Say(CLIP), BargeIn(CLIP, after_ms=500))
    assert [line.start_ms for line in caller.lines] == [1100, 2400]
    assert caller.lines[1].kind is LineKind.BARGE_IN


def test_keys_are_200_ms_apart() -> None:
    """Each is given out once."""
    caller, _, keys = play(Bot([(0, 300), (2000, 2100)]), Dtmf("12#"))
    assert keys == ["1@1000", "2@1200", "#@1400"]
    assert caller.lines[0].end_ms == 1400


def test_waiting_and_hanging_up_at_once() -> None:
    """What follows a hang-up is never said."""
    step = HangUp(wait_for_bot=False)
    caller, ended, _ = play(Bot(), Wait(250), step, PlayWav(CLIP))
    assert ended == 260
    assert caller.unspoken == 1


def test_an_answer_began_after_the_caller_and_outlasts_the_line() -> None:
    """What was interrupted is no answer; an echo that overlaps is."""
    line = CallerLine(LineKind.SAY, "", 1000, 2000, 1000, 2000)
    interrupted, early, echo = Utterance(0, 2100), Utterance(1100, 1900), Utterance(1040, 2040)
    assert answer_to(line, [interrupted, early]) is None
    assert answer_to(line, [interrupted, echo]) is echo
    assert answer_to(None, [interrupted]) is interrupted


@pytest.mark.parametrize(
    ("audio", "frame_ms", "size"),
    [
        (pcm16(16000), 20, 640),
        (pcm16(8000), 33, 528),
        (AudioFormat(Encoding.MULAW, 8000), 20, 160),
    ],
)
def test_a_clip_is_made_ready_once(audio: AudioFormat, frame_ms: int, size: int) -> None:
    """Resampled, encoded, filled up to whole frames; the same object for every call."""
    line = prepare(CLIP, audio, frame_ms)
    assert {len(base64.b64decode(payload)) for payload in line.payloads} == {size}
    assert audio.duration_ms(len(line.audio)) == pytest.approx(100, abs=frame_ms)
    assert (line.voiced_from_ms, line.voiced_to_ms) == pytest.approx((0, 100), abs=10)
    assert prepare(CLIP, audio, frame_ms) is line
