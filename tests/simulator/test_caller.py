"""The caller's script, in virtual time."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from exobridge.simulator.caller import Caller
from exobridge.simulator.ear import Utterance
from exobridge.simulator.lines import Clip, prepare
from exobridge.simulator.steps import (
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
from exobridge.simulator.waiting import answer_to
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


def test_whatever_follows_a_hear_is_done_at_once() -> None:
    """So long after the bot began its next turn, while it talks: a line, keys, the end."""
    bot = Bot([(100, 400), (2000, 9000), (10_000, 15_000), (17_000, 19_000)])
    caller, ended, keys = play(
        bot,
        Say(CLIP),
        *(Hear(after_ms=500), BargeIn(CLIP)),
        *(Hear(after_ms=300), Dtmf("1")),
        *(Hear(after_ms=200), HangUp()),
    )
    assert [line.start_ms for line in caller.lines] == [1100, 2500, 10_300]
    assert keys == ["1@10300"]
    assert ended == 17_200
    assert caller.steps_ms == [1100, 1200, 2500, 2600, 10_300, 10_500, 17_200]


def test_words_are_waited_for_in_the_next_turn() -> None:
    """As soon as they are understood the caller speaks; the turn before does not count."""
    bot = Bot([(100, 1000), (3000, 9000)])
    caller = Caller(
        (Say(CLIP), Hear(words="Nine to FIVE"), BargeIn(CLIP)), pcm16(8000), 20, PATIENCE
    )
    asked: list[float | None] = []
    for now in range(0, 6000, 20):
        bot.advance(now)
        caller.frame(now, bot)
        asked.append(caller.awaits_words_from(bot))
        if now == 2000:
            caller.understand(100, "nine to five")  # of the greeting
        if now == 4000:
            caller.understand(3000, "we are open nine to")
        if now == 5000:
            caller.understand(3000, "we are open 9 to 5")
    assert [line.start_ms for line in caller.lines] == [1700, 5020]
    assert {when for when in asked if when is not None} == {3000}
    assert asked.index(3000) == 3020 // 20
    assert caller.timeouts == []


@pytest.mark.parametrize(
    ("spans", "begins", "complaint"),
    [
        ([(100, 1000), (3000, 4000)], 4700, '"five" was not heard in what the bot said'),
        ([(100, 1000)], 6800, "the bot was not heard for 5.0 s after line 1"),
    ],
    ids=["said without them", "said nothing"],
)
def test_words_that_do_not_come_hold_nothing_up(
    spans: list[tuple[float, float]], begins: float, complaint: str
) -> None:
    """When the bot's turn is over, or does not begin, the caller goes on and says so."""
    caller, _, _ = play(Bot(spans), Say(CLIP), Hear(words="five"), BargeIn(CLIP))
    assert caller.lines[1].start_ms == begins
    assert caller.timeouts[0] == complaint


def test_a_bot_that_is_to_go_on_is_waited_for() -> None:
    """What it says on from where it was spoken into is its answer, and can be spoken into again,
    counted from the end of the caller's line."""
    bot = Bot([(100, 3000), (4000, 5000)])
    script = (BargeIn(CLIP, 500, interrupts=False), Say(CLIP))
    caller, ended, _ = play(bot, *script)
    assert [line.start_ms for line in caller.lines] == [600, 3700]
    assert [line.answered for line in caller.lines] == [False, True]
    assert [line.kind for line in caller.lines] == [LineKind.BACKCHANNEL, LineKind.SAY]
    assert ended == 5700
    into = (Hear(after_ms=500), BargeIn(CLIP, 0, interrupts=False))
    caller, _, _ = play(Bot([(100, 3000), (4000, 5000)]), *into, *into)
    assert [line.start_ms for line in caller.lines] == [600, 1200]


def test_silence_asks_for_no_answer() -> None:
    """After it the caller goes on without one; the line before it is not one to be answered."""
    caller, ended, _ = play(Bot([(100, 400)]), PlayWav(CLIP), Silence(2000), Say(CLIP), Wait(100))
    assert [line.start_ms for line in caller.lines] == [1100, 3200]
    assert [line.answered for line in caller.lines] == [False, True]
    assert ended == 3400 + 5000


def test_a_caller_who_hesitates_does_not_wait_for_the_bot() -> None:
    """They go on so long after their own last sound, whatever the bot does meanwhile; what they
    said first asks for no answer."""
    bot = Bot([(100, 400), (1500, 9000)])
    hesitates = (Say(CLIP), Pause(1000), BargeIn(CLIP), Pause(600), Dtmf("1"), Pause(40), HangUp())
    caller, ended, keys = play(bot, *hesitates)
    assert [line.start_ms for line in caller.lines] == [1100, 2200, 2900]
    assert [line.answered for line in caller.lines] == [False, False, False]
    assert keys == ["1@2900"]
    assert ended == 3100  # keys are 200 ms apart, and so is what follows the last
    assert caller.timeouts == []


def test_a_pause_before_the_first_word_counts_from_the_beginning() -> None:
    """Whoever picks up may speak first."""
    caller, _, _ = play(Bot([(300, 1000)]), Pause(400), BargeIn(CLIP))
    assert caller.lines[0].start_ms == 400


def test_something_new_is_waited_for() -> None:
    """Its beginning is the end of what was said before; without anything new patience ends it."""
    bot = Bot([(100, 400), (3000, 3500), (5000, 5200)])
    caller, ended, _ = play(bot, BotDone(), BotDone(anew=True), HangUp())
    assert caller.steps_ms == [0, 1100, 4200]
    assert ended == 4200
    caller, ended, _ = play(Bot([(100, 400)]), BotDone(), BotDone(anew=True), HangUp(False))
    assert (ended, caller.timeouts) == (
        6100,
        ["the bot was not heard for 5.0 s before the first line"],
    )


def test_the_bot_is_given_time_to_hang_up() -> None:
    """As long as patience lasts from its last sound; then the caller does it."""
    _, ended, _ = play(Bot([(100, 400), (2000, 3000)]), Say(CLIP), BotEnds())
    assert ended == 8000


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
