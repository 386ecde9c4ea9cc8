"""The rules of turn-taking, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exobridge.call.turns import (
    DIGITS_WAIT_S,
    MAX_DIGITS,
    Action,
    DropSegment,
    Finalize,
    Signal,
    StartSegment,
    TakeTurn,
    TurnOptions,
    TurnPolicy,
)

PAUSE, RESUME, INTERRUPT = Signal.PAUSE_BOT, Signal.RESUME_BOT, Signal.INTERRUPT_BOT
DROP_ANSWER, GO_ON, IDLE = Signal.DROP_ANSWER, Signal.GO_ON, Signal.IDLE

WINDOW_MS = 20
OPTIONS = TurnOptions(end_silence_ms=500)


@dataclass
class Call:
    """A caller, a bot and a recogniser, in words; ``ms`` is the clock, ``heard_ms`` the audio.

    Unrealistic in that the detector's windows are judged at the moment they end.
    """

    options: TurnOptions = OPTIONS
    ms: float = 0.0
    heard_ms: float = 0.0
    actions: list[Action] = field(default_factory=list[Action])

    def __post_init__(self) -> None:
        self.policy = TurnPolicy(self.options, self.now)

    @property
    def now(self) -> float:
        return self.ms / 1000

    def _do(self, actions: list[Action]) -> list[Action]:
        self.actions += actions
        return actions

    def windows(self, milliseconds: float, probability: float) -> list[Action]:
        """Windows of the detector; as a call does, time is looked at in between."""
        done: list[Action] = []
        end = self.heard_ms + milliseconds
        while self.heard_ms + WINDOW_MS <= end:
            self.ms += WINDOW_MS
            self.heard_ms += WINDOW_MS
            done += self.policy.voice(self.heard_ms, probability, self.now)
            done += self._due()
        return self._do(done)

    def _due(self) -> list[Action]:
        due = self.policy.due()
        return self.policy.tick(self.now) if due is not None and due <= self.now else []

    def speaks(self, milliseconds: float) -> list[Action]:
        return self.windows(milliseconds, 0.9)

    def silent(self, milliseconds: float) -> list[Action]:
        return self.windows(milliseconds, 0.05)

    def says(self, text: str, milliseconds: float = 600) -> list[Action]:
        """Speaks, pauses, and the recogniser answers."""
        return [*self.speaks(milliseconds), *self.silent(520), *self.heard(text)]

    def heard(
        self, text: str, *, finalized: bool = True, end_of_turn: bool = False
    ) -> list[Action]:
        return self._do(
            self.policy.final(text, self.now, finalized=finalized, end_of_turn=end_of_turn)
        )

    def presses(self, *digits: str) -> list[Action]:
        return self._do([a for digit in digits for a in self.policy.digit(digit, self.now)])

    def waits(self, seconds: float) -> list[Action]:
        """Time without any window of the detector."""
        done: list[Action] = []
        end = self.ms + seconds * 1000
        while (due := self.policy.due()) is not None and due * 1000 <= end:
            self.ms = max(self.ms, due * 1000)
            done += self.policy.tick(self.now)
        self.ms = end
        return self._do(done)

    def bot_starts(self) -> None:
        self.policy.bot_started(self.now)

    def bot_ends(self) -> None:
        self.policy.bot_finished(self.now)


def call(**options: Any) -> Call:
    return Call(replace(OPTIONS, **options))


def bot_talking(**options: Any) -> Call:
    started = call(**options)
    started.bot_starts()
    started.silent(400)
    return started


def turns(actions: list[Action]) -> list[TakeTurn]:
    return [action for action in actions if isinstance(action, TakeTurn)]


# ------------------------------------------------------------------ a plain turn


def test_speech_and_silence_make_a_turn() -> None:
    """A segment begins, the silence asks for its text, and the text makes the turn."""
    caller = call()
    caller.silent(200)
    [begun] = caller.speaks(600)
    assert begun == StartSegment(200)
    assert caller.silent(480) == []
    assert caller.silent(20) == [Finalize(800)]
    assert caller.heard("book a table") == [TakeTurn("book a table", "", interrupted=False)]


@pytest.mark.parametrize(("probability", "begins"), [(0.5, True), (0.49, False)])
def test_a_threshold_is_reached_by_what_is_equal_to_it(probability: float, begins: bool) -> None:
    """``start_probability`` is voice; less is none."""
    assert bool(call(start_probability=0.5).windows(200, probability)) is begins


def test_an_answered_turn_is_over() -> None:
    """What is said after the bot has spoken drops no answer, and silence after it is idle."""
    caller = call()
    caller.says("hello")
    caller.bot_starts()
    caller.bot_ends()
    assert caller.waits(OPTIONS.idle_seconds) == [IDLE]
    spoken = caller.says("and now")
    assert DROP_ANSWER not in spoken
    assert spoken[-1] == TakeTurn("and now", "", interrupted=False)


def test_noises_do_not_add_up() -> None:
    """Each is too short to interrupt, so the bot is held back and resumed at every one."""
    caller = bot_talking(barge_in_ms=200)
    for _ in range(3):
        assert caller.speaks(40) == [PAUSE]
        assert caller.silent(300) == [RESUME]


def test_short_noises_do_not_add_up_to_speech() -> None:
    """100 ms of voice are a noise, the second and the third time too."""
    caller = call()
    for _ in range(3):
        caller.speaks(100)
        assert caller.silent(600) == [DropSegment()]


def test_a_timer_that_fires_too_early_decides_nothing() -> None:
    """Neither the keys' pause, nor leftover words, nor idleness."""
    keys, words, nothing = call(), call(), call()
    keys.presses("1")
    words.heard("hello", finalized=False)
    for early in (keys, words, nothing):
        due = early.policy.due()
        assert due is not None
        assert early.policy.tick(due - 0.01) == []
        assert early.policy.tick(due) != []


@pytest.mark.parametrize("end_silence_ms", [200, 500, 1000])
def test_the_end_silence_is_the_templates(end_silence_ms: int) -> None:
    """A pause shorter than it belongs to the turn."""
    caller = call(end_silence_ms=end_silence_ms)
    caller.speaks(400)
    assert caller.silent(end_silence_ms - 20) == []
    assert caller.speaks(400) == []
    assert caller.silent(end_silence_ms) == [Finalize(caller.ms - end_silence_ms)]


def test_a_click_is_no_speech() -> None:
    """One voiced window begins nothing."""
    caller = call()
    assert caller.speaks(40) == []
    assert caller.silent(600) == []


def test_a_noise_is_no_speech() -> None:
    """100 ms of voice begin a segment and drop it."""
    caller = call()
    assert caller.speaks(100) == [StartSegment(0)]
    assert caller.silent(600) == [DropSegment()]


def test_speech_ends_at_a_lower_probability_than_it_starts() -> None:
    """0.4 does not begin a segment, and does not end one."""
    caller = call()
    assert caller.windows(1000, 0.4) == []
    caller.speaks(200)
    assert caller.windows(2000, 0.4) == []
    assert caller.silent(520) == [Finalize(3200)]


def test_nothing_said_is_no_turn() -> None:
    """An empty text after speech that interrupted nobody does nothing."""
    assert turns(call().says("")) == []


# ------------------------------------------------------------------ the bot talks


def test_a_short_noise_pauses_the_bot_and_lets_it_go_on() -> None:
    """Held back at the first voiced window, resumed after 250 ms of silence."""
    caller = bot_talking()
    assert caller.speaks(20) == [PAUSE]
    assert caller.silent(240) == []
    assert caller.silent(20) == [RESUME]
    assert caller.silent(2000) == []


def test_a_backchannel_is_dropped() -> None:
    """160 ms of "haan" begin a segment; it ends without an interruption."""
    caller = bot_talking()
    assert caller.speaks(160) == [PAUSE, StartSegment(400)]
    assert caller.silent(300) == [DropSegment(), RESUME]


def test_a_short_end_silence_resumes_too() -> None:
    """Where the end silence is shorter than that of a noise, it counts."""
    caller = bot_talking(end_silence_ms=200)
    caller.speaks(160)
    assert caller.silent(200) == [DropSegment(), RESUME]


@pytest.mark.parametrize("barge_in_ms", [60, 200, 500])
def test_voice_that_adds_up_interrupts(barge_in_ms: int) -> None:
    """At ``barge_in_ms`` of voice, whatever small gaps are in it."""
    caller = bot_talking(barge_in_ms=barge_in_ms)
    first = caller.speaks(40)
    assert first == [PAUSE]
    caller.silent(60)
    assert INTERRUPT not in caller.speaks(barge_in_ms - 60)
    assert caller.speaks(20)[-1] == INTERRUPT
    assert INTERRUPT not in caller.speaks(1000)


def test_an_interruption_is_told_with_the_turn() -> None:
    """The words that follow belong to it; the turn after is a plain one."""
    caller = bot_talking()
    assert turns(caller.says("no, wait")) == [TakeTurn("no, wait", "", interrupted=True)]
    caller.bot_starts()
    caller.bot_ends()
    assert turns(caller.says("yes")) == [TakeTurn("yes", "", interrupted=False)]


def test_an_interruption_without_words_leaves_the_floor_to_the_bot() -> None:
    """A cough: once its empty text is there, the bot goes on. Only once."""
    caller = bot_talking()
    assert caller.says("")[-1] == GO_ON
    caller.bot_starts()
    caller.bot_ends()
    assert GO_ON not in caller.says("")


def test_the_bot_does_not_go_on_over_itself() -> None:
    """It has begun another line when the cough's empty text comes."""
    caller = bot_talking()
    caller.speaks(300)
    caller.silent(520)
    caller.bot_starts()
    assert caller.heard("") == []


def test_the_shortest_interruption_is_asked_for_its_words() -> None:
    """Where 60 ms interrupt, 60 ms are transcribed: or nobody would ever talk again."""
    caller = bot_talking(barge_in_ms=60)
    assert caller.speaks(60) == [PAUSE, StartSegment(400), INTERRUPT]
    assert caller.silent(500) == [Finalize(460)]
    assert caller.heard("") == [GO_ON]


def test_a_bot_that_starts_into_speech_is_paused_and_interrupted() -> None:
    """The caller began 100 ms before: the bot is held back, and stops at ``barge_in_ms``."""
    caller = call()
    caller.speaks(100)
    caller.bot_starts()
    assert caller.speaks(20) == [PAUSE]
    assert caller.speaks(80) == [INTERRUPT]


def test_a_bot_that_ends_while_it_is_paused_is_not_left_paused() -> None:
    """What was at Exotel was all it had: the feed is opened again for what it says next."""
    caller = bot_talking()
    assert caller.speaks(40) == [PAUSE]
    caller.bot_ends()
    assert caller.policy.due() is not None
    assert caller.speaks(20)[0] == RESUME
    assert caller.actions.count(RESUME) == 1
    caller.speaks(300)
    caller.silent(520)
    assert turns(caller.heard("yes")) == [TakeTurn("yes", "", interrupted=False)]


def test_time_alone_opens_the_feed_again() -> None:
    """Also where the detector says nothing more."""
    caller = bot_talking()
    caller.speaks(40)
    caller.bot_ends()
    assert caller.waits(0.1) == [RESUME]


def test_a_recogniser_can_interrupt_by_words() -> None:
    """A whole turn, heard in what was too short by voice."""
    caller = bot_talking()
    assert caller.heard("stop", finalized=False, end_of_turn=True) == [
        INTERRUPT,
        TakeTurn("stop", "", interrupted=True),
    ]


# ------------------------------------------------------------------ nobody may interrupt


def test_without_barge_in_voice_does_nothing() -> None:
    """The bot is not even paused; after it the caller is heard again."""
    caller = bot_talking(barge_in=False)
    assert caller.says("") == []
    caller.bot_ends()
    assert turns(caller.says("now")) == [TakeTurn("now", "", interrupted=False)]


def test_without_barge_in_a_segment_under_way_is_dropped() -> None:
    """The bot starts into the caller's speech, and is heard to its end."""
    caller = call(barge_in=False)
    caller.speaks(300)
    caller.bot_starts()
    assert caller.speaks(300) == [DropSegment()]


def test_without_barge_in_words_wait_for_the_end_of_the_bot() -> None:
    """A text that comes while the bot talks is taken after it."""
    caller = bot_talking(barge_in=False)
    assert caller.heard("hello", finalized=False, end_of_turn=True) == []
    assert caller.waits(10) == []
    caller.bot_ends()
    assert caller.waits(0.6) == [TakeTurn("hello", "", interrupted=False)]


@pytest.mark.parametrize("keys", ["42", "42#"])
def test_without_barge_in_keys_wait_for_the_end_of_the_bot(keys: str) -> None:
    """They neither interrupt nor get lost."""
    caller = bot_talking(barge_in=False)
    assert caller.presses(*keys) == []
    assert caller.waits(10) == []
    caller.bot_ends()
    assert caller.waits(0.6) == [TakeTurn("", "42", interrupted=False)]


# ------------------------------------------------------------------ before the bot is heard


def test_a_caller_who_goes_on_is_heard_as_one() -> None:
    """The answer under way is dropped; the next turn has both parts."""
    caller = call()
    caller.says("I want to go to Pune")
    actions = caller.says("on Monday")
    assert DROP_ANSWER in actions
    assert actions[-1] == TakeTurn("I want to go to Pune on Monday", "", interrupted=False)


def test_a_word_too_short_to_drop_the_answer_does_so_by_its_text() -> None:
    """The answer to half of it must not be spoken beside the answer to all of it."""
    caller = call()
    caller.says("a table for two")
    assert DROP_ANSWER not in caller.speaks(160)
    caller.silent(520)
    assert caller.heard("please") == [
        DROP_ANSWER,
        TakeTurn("a table for two please", "", interrupted=False),
    ]


def test_a_cough_before_the_bot_is_heard_takes_the_turn_again() -> None:
    """The answer was dropped for nothing: the same words are answered anew."""
    caller = call()
    caller.says("hello")
    assert caller.says("")[-1] == TakeTurn("hello", "", interrupted=False)


def test_an_interruption_stays_one_when_its_answer_is_dropped() -> None:
    """The caller spoke into the bot's turn, in two parts."""
    caller = bot_talking()
    caller.says("no")
    assert caller.says("tomorrow")[-1] == TakeTurn("no tomorrow", "", interrupted=True)


def test_once_the_bot_is_heard_new_speech_is_a_new_turn() -> None:
    """What was answered does not come back."""
    caller = call()
    caller.says("hello")
    caller.bot_starts()
    caller.silent(1000)
    caller.bot_ends()
    assert turns(caller.says("goodbye")) == [TakeTurn("goodbye", "", interrupted=False)]


def test_a_bot_with_nothing_to_say_has_answered_too() -> None:
    """The next turn does not repeat the words."""
    caller = call()
    caller.says("hello")
    caller.bot_ends()
    assert turns(caller.says("well?")) == [TakeTurn("well?", "", interrupted=False)]


def test_words_between_the_turn_and_the_answer_are_not_lost() -> None:
    """A text that came after the turn was taken is in the next one."""
    caller = call()
    caller.says("hello")
    assert caller.heard("are you there", finalized=False) == []
    caller.bot_starts()
    caller.bot_ends()
    assert turns(caller.says("well")) == [TakeTurn("are you there well", "", interrupted=False)]


# ------------------------------------------------------------------ keys


def test_hash_ends_the_digits() -> None:
    """At once, and it is none of them."""
    caller = call()
    assert caller.presses(*"12*3#") == [TakeTurn("", "12*3", interrupted=False)]


def test_a_pause_ends_the_digits() -> None:
    """1.5 s after the last key."""
    caller = call()
    caller.presses("1")
    assert caller.waits(1.4) == []
    caller.presses("2")
    assert caller.waits(DIGITS_WAIT_S - 0.01) == []
    assert caller.waits(0.01) == [TakeTurn("", "12", interrupted=False)]


def test_hash_alone_is_a_key() -> None:
    """There is nothing it could end."""
    caller = call()
    assert caller.presses("#") == []
    assert caller.waits(DIGITS_WAIT_S) == [TakeTurn("", "#", interrupted=False)]


def test_a_key_interrupts_the_bot() -> None:
    """At the first press."""
    caller = bot_talking()
    assert caller.presses("1") == [INTERRUPT]
    assert caller.presses("#") == [TakeTurn("", "1", interrupted=True)]


def test_a_key_pressed_just_before_the_bot_starts_interrupts_it_in_time() -> None:
    """The digits end while the bot talks."""
    caller = call()
    caller.presses("7")
    caller.bot_starts()
    assert caller.waits(DIGITS_WAIT_S) == [INTERRUPT, TakeTurn("", "7", interrupted=True)]


def test_keys_before_the_bot_is_heard_belong_together() -> None:
    """The answer to the first is dropped, and the next turn holds both."""
    caller = call()
    caller.presses("1")
    caller.waits(DIGITS_WAIT_S)
    assert caller.presses("2") == [DROP_ANSWER]
    assert caller.waits(DIGITS_WAIT_S) == [TakeTurn("", "12", interrupted=False)]


def test_a_late_hash_is_still_no_digit() -> None:
    """It came when the pause had ended the digits already."""
    caller = call()
    caller.presses(*"123")
    caller.waits(DIGITS_WAIT_S)
    assert caller.presses("#") == [DROP_ANSWER, TakeTurn("", "123", interrupted=False)]


def test_keys_and_voice_before_the_bot_is_heard_belong_together() -> None:
    """Voice that drops the answer to keys does not lose them."""
    caller = call()
    caller.presses(*"5#")
    assert caller.says("the blue one")[-1] == TakeTurn("the blue one", "5", interrupted=False)


def test_words_wait_for_the_end_of_the_digits() -> None:
    """A number is not cut in two by a text that comes in the middle, nor by a tone's echo."""
    caller = call()
    caller.speaks(300)
    caller.presses("4")
    caller.silent(520)
    assert caller.heard("my number is") == []
    caller.presses("2")
    assert caller.waits(DIGITS_WAIT_S) == [TakeTurn("my number is", "42", interrupted=False)]


def test_digits_are_bounded() -> None:
    """The last 64 are kept."""
    caller = call()
    caller.presses(*("0" * 100), "1")
    [turn] = turns(caller.presses("#"))
    assert turn.digits == "0" * (MAX_DIGITS - 1) + "1"


# ------------------------------------------------------------------ silence and long turns


def test_silence_on_both_sides_is_idle_again_and_again() -> None:
    """Every ``idle_seconds``."""
    caller = call(idle_seconds=20)
    assert caller.waits(19.9) == []
    assert caller.waits(0.1) == [IDLE]
    assert caller.waits(20) == [IDLE]


def test_nobody_is_idle_while_something_goes_on() -> None:
    """Not while the bot talks, the caller speaks, a text is awaited or an answer is made."""
    caller = bot_talking()
    assert caller.waits(100) == []
    caller.bot_ends()
    caller.speaks(300)
    assert caller.waits(100) == []
    assert len(caller.silent(500)) == 1
    assert caller.waits(100) == []
    assert turns(caller.heard("hm")) != []
    assert caller.waits(100) == []


def test_idle_counts_from_the_end_of_the_bot() -> None:
    """Its own talk is no silence."""
    caller = bot_talking(idle_seconds=20)
    caller.waits(30)
    caller.bot_ends()
    assert caller.waits(19.9) == []
    assert caller.waits(0.1) == [IDLE]


def test_a_turn_that_is_too_long_is_ended_for_the_caller() -> None:
    """The text so far makes the turn, though the caller speaks on."""
    caller = call(max_turn_seconds=5)
    assert caller.speaks(5000) == [StartSegment(0), Finalize(5000)]
    caller.speaks(200)
    assert turns(caller.heard("a long story")) == [TakeTurn("a long story", "", interrupted=False)]


def test_after_a_turn_that_is_too_long_the_bot_gets_a_word_in() -> None:
    """Voice without a pause neither drops the answer nor pauses the bot; its words still count."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000)
    caller.heard("a long story")
    assert caller.speaks(500) == [StartSegment(5000)]
    caller.bot_starts()
    assert caller.speaks(500) == []
    caller.bot_ends()
    assert caller.silent(500) == [Finalize(6000)]
    assert turns(caller.heard("and so on")) == [TakeTurn("and so on", "", interrupted=False)]


def test_a_gap_between_words_is_no_pause_in_a_long_turn() -> None:
    """The bot still gets its word in after 200 ms of silence."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000)
    caller.heard("a long story")
    caller.bot_starts()
    caller.speaks(100)
    caller.silent(200)
    assert caller.speaks(400) == []


def test_after_a_pause_a_long_turn_is_forgotten() -> None:
    """Voice interrupts again."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000)
    caller.heard("a long story")
    caller.bot_starts()
    caller.silent(300)
    assert INTERRUPT in caller.speaks(300)


# ------------------------------------------------------------------ recognisers of all kinds


def test_two_segments_are_awaited_before_the_turn_is_taken() -> None:
    """The text of the first comes when the second has been asked for."""
    caller = call()
    caller.speaks(300)
    caller.silent(500)
    caller.speaks(160)
    caller.silent(500)
    assert caller.heard("one") == []
    assert caller.heard("two") == [TakeTurn("one two", "", interrupted=False)]


def test_a_text_that_comes_while_the_caller_speaks_on_waits() -> None:
    """The turn is over when the second segment is."""
    caller = call()
    caller.speaks(300)
    caller.silent(500)
    caller.speaks(100)
    assert caller.heard("one") == []
    caller.speaks(100)
    caller.silent(500)
    assert caller.heard("two") == [TakeTurn("one two", "", interrupted=False)]


def test_texts_that_end_no_turn_are_collected() -> None:
    """A recogniser that cuts by itself: the detector's silence makes the turn."""
    caller = call()
    caller.speaks(400)
    assert caller.heard("I would like", finalized=False) == []
    caller.speaks(400)
    caller.heard("a room", finalized=False)
    caller.silent(500)
    assert caller.heard("") == [TakeTurn("I would like a room", "", interrupted=False)]


def test_a_recogniser_that_ends_the_turn_is_believed() -> None:
    """Also while the detector still hears a voice; the turn is taken once."""
    caller = call()
    caller.speaks(600)
    taken = caller.heard("book it", finalized=False, end_of_turn=True)
    assert taken == [TakeTurn("book it", "", interrupted=False)]
    assert caller.speaks(100) == []
    assert caller.silent(500) == [Finalize(700)]
    assert caller.heard("") == []


def test_after_the_recognisers_end_of_turn_new_voice_drops_the_answer() -> None:
    """Only voice since then counts."""
    caller = call()
    caller.speaks(600)
    caller.heard("book it", finalized=False, end_of_turn=True)
    assert caller.speaks(180) == []
    assert caller.speaks(20) == [DROP_ANSWER]
    caller.silent(500)
    assert caller.heard("for two") == [TakeTurn("book it for two", "", interrupted=False)]


def test_words_that_the_detector_never_heard_are_taken_after_a_silence() -> None:
    """A voice too low for it is not left unanswered."""
    caller = call()
    caller.silent(1000)
    assert caller.heard("can you hear me", finalized=False) == []
    assert caller.silent(480) == []
    assert caller.silent(40) == [TakeTurn("can you hear me", "", interrupted=False)]


def test_a_text_nobody_asked_for_is_harmless() -> None:
    """More answers than questions."""
    caller = call()
    assert caller.heard("") == []
    assert caller.heard("hello") == [TakeTurn("hello", "", interrupted=False)]
    assert caller.says("again")[-1] == TakeTurn("hello again", "", interrupted=False)


# ------------------------------------------------------------------ any order of events

windows = st.tuples(st.just("window"), st.integers(0, 1500), st.floats(0, 1))
keys = st.tuples(st.just("key"), st.sampled_from("0123456789*#ABCD"), st.just(0.0))
finals = st.tuples(st.just("final"), st.sampled_from(["", "text"]), st.integers(0, 3))
others = st.tuples(st.sampled_from(["start", "end", "tick", "wait"]), st.floats(0, 25), st.just(0))
any_options = st.builds(
    TurnOptions,
    end_silence_ms=st.integers(200, 1000),
    barge_in=st.booleans(),
    barge_in_ms=st.integers(60, 2000),
    max_turn_seconds=st.integers(5, 8),
    idle_seconds=st.integers(5, 20),
)


class Checked:
    """A policy whose every action is held against what must always be true."""

    def __init__(self, options: TurnOptions) -> None:
        self.now = 0.0
        self.policy = TurnPolicy(options, self.now)
        self.paused = self.in_segment = False
        self.position = 0.0
        self.count = 0
        self.open_words: list[str] = []
        self.open_digits = ""
        self.answering: TakeTurn | None = None

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case StartSegment():
                    assert not self.in_segment
                    self.in_segment = True
                case DropSegment() | Finalize():
                    assert self.in_segment, f"{action} without StartSegment"
                    self.in_segment = False
                case TakeTurn():
                    assert self.answering is None, "two answers at once"
                    assert action.text == " ".join(self.open_words), "words lost or repeated"
                    assert action.digits == self.open_digits.removesuffix("#") or (
                        action.digits == self.open_digits
                    )
                    self.answering = action
                case Signal.PAUSE_BOT:
                    assert not self.paused
                    self.paused = True
                case Signal.RESUME_BOT:
                    assert self.paused, "RESUME without PAUSE"
                    self.paused = False
                case Signal.INTERRUPT_BOT | Signal.DROP_ANSWER:
                    self.paused = False  # what is cut is not held
                    self.answering = None
                case _:
                    pass

    def answered(self) -> None:
        if self.answering is not None:
            self.open_words = self.open_words[len(self.answering.text.split()) :]
            self.open_digits = self.open_digits[len(self.answering.digits) :].removeprefix("#")
        self.answering = None

    def final(self, text: str, kind: int) -> None:
        words = f"{text}{self.count}" if text else ""
        self.count += 1
        self.open_words += [words] if words else []
        self.do(
            self.policy.final(words, self.now, finalized=bool(kind & 1), end_of_turn=bool(kind & 2))
        )

    def settle(self) -> None:
        """Time passes until nothing more is due but silence."""
        for _ in range(20):
            due = self.policy.due()
            if due is None:
                return
            self.now = max(self.now, due)
            actions = self.policy.tick(self.now)
            self.do(actions)
            if actions == [IDLE]:
                return
        raise AssertionError("due() never comes to rest")


Step = tuple[str, str | float, float]


@settings(max_examples=300)
@given(any_options, st.lists(st.one_of(windows, keys, finals, others), max_size=60))
def test_any_order_of_events_keeps_the_rules(options: TurnOptions, script: list[Step]) -> None:
    """It never raises, resumes only what was paused, ends only segments that began, never makes two
    answers at once, and every word is in a turn, once."""
    checked = Checked(options)
    policy = checked.policy
    for kind, value, other in script:
        match kind:
            case "window":
                assert isinstance(value, int)
                checked.position += value
                checked.now += value / 1000
                checked.do(policy.voice(checked.position, other, checked.now))
            case "key":
                assert isinstance(value, str)
                if not (value == "#" and checked.open_digits):
                    checked.open_digits = (checked.open_digits + value)[-MAX_DIGITS:]
                checked.do(policy.digit(value, checked.now))
            case "final":
                assert isinstance(value, str)
                checked.final(value, int(other))
            case "start":
                checked.answered()
                policy.bot_started(checked.now)
            case "end":
                checked.answered()
                policy.bot_finished(checked.now)
            case "tick":
                checked.do(policy.tick(checked.now))
            case _:
                assert isinstance(value, float)
                checked.now += value
                checked.do(policy.tick(checked.now))
    # The caller falls silent, every text comes, the bot finishes: nothing may be left over.
    checked.answered()
    policy.bot_finished(checked.now)
    for _ in range(100):
        checked.position += 20
        checked.now += 0.02
        checked.do(policy.voice(checked.position, 0.0, checked.now))
    for _ in range(len(script)):
        checked.final("", 1)
    checked.settle()
    assert not checked.paused
    assert not checked.in_segment
    if checked.answering is None:
        assert checked.open_words == []
