"""The rules of turn-taking, in virtual time: the caller's own turns, and silence."""

from __future__ import annotations

from typing import Any

import pytest

from exobridge.call.turns import DropSegment, Finalize, Peek, Signal, StartSegment
from exobridge.call.turns.policy import GAP_WAIT_MS
from tests.call.turns.caller import OPTIONS, bot_talking, call, taken, turns

PAUSE, RESUME = Signal.PAUSE_BOT, Signal.RESUME_BOT
DROP_ANSWER, IDLE = Signal.DROP_ANSWER, Signal.IDLE


# ------------------------------------------------------------------ a plain turn


def test_speech_and_silence_make_a_turn() -> None:
    """A segment begins, a pause asks for its text, and the silence makes the turn of it."""
    caller = call()
    caller.silent(200)
    assert caller.speaks(600) == [StartSegment(200)]
    assert caller.silent(140) == []
    assert caller.silent(20) == [Finalize(800)]
    assert caller.heard("book a table") == []
    assert caller.silent(320) == []
    assert caller.silent(20) == [taken("book a table")]


def test_a_recogniser_that_can_be_peeked_into_ends_its_segment_with_the_turn() -> None:
    """The words are known in the pause; they are final when the silence is over."""
    caller = call(on_demand=True)
    caller.speaks(600)
    assert caller.silent(160) == [Peek(settled=True)]
    assert caller.partly("book a table") == []
    assert caller.silent(340) == [Finalize(600)]
    assert caller.heard("book a table") == [taken("book a table")]


def test_a_caller_who_paused_and_went_on_is_given_more_silence() -> None:
    """A quarter more than they took."""
    caller = call(on_demand=True)
    caller.speaks(600)
    caller.silent(480)
    caller.speaks(600)
    assert Finalize(1680) not in caller.silent(580)
    assert caller.silent(20) == [Finalize(1680)]


def test_a_caller_who_goes_on_after_a_pause_goes_on_with_the_segment() -> None:
    """It was peeked into, and is heard as one; the next pause is peeked into again."""
    caller = call(on_demand=True)
    caller.speaks(600)
    caller.silent(300)
    caller.partly("book a table")
    assert caller.speaks(600) == [StartSegment(0)]
    assert caller.silent(160) == [Peek(settled=True)]


def test_a_late_text_makes_the_turn_when_it_comes() -> None:
    """The silence is long enough already."""
    caller = call()
    caller.speaks(600)
    caller.silent(1000)
    assert caller.heard("book a table") == [taken("book a table")]


@pytest.mark.parametrize(("probability", "begins"), [(0.5, True), (0.49, False)])
def test_a_threshold_is_reached_by_what_is_equal_to_it(probability: float, begins: bool) -> None:
    """``start_probability`` is voice; less is none."""
    assert bool(call(start_probability=0.5).windows(200, probability)) is begins


def test_speech_ends_at_a_lower_probability_than_it_starts() -> None:
    """0.4 does not begin a segment, and does not end one."""
    caller = call()
    assert caller.windows(1000, 0.4) == []
    caller.speaks(200)
    assert caller.windows(2000, 0.4) == []
    assert caller.silent(160) == [Finalize(3200)]


def test_an_answered_turn_is_over() -> None:
    """What is said after the bot has spoken drops no answer, and silence after it is idle."""
    caller = call()
    caller.says("book it")
    caller.bot_starts()
    caller.bot_ends()
    assert caller.waits(OPTIONS.idle_seconds) == [IDLE]
    spoken = caller.says("and now please")
    assert DROP_ANSWER not in spoken
    assert turns(spoken) == [taken("and now please")]


def test_a_click_is_no_speech() -> None:
    """Two voiced windows begin nothing, and do not add up with later ones."""
    caller = call()
    for _ in range(3):
        assert caller.speaks(40) == []
        assert caller.silent(200) == []


def test_noises_do_not_add_up_to_speech() -> None:
    """100 ms of voice are a noise, the second and the third time too."""
    caller = call()
    for _ in range(3):
        assert caller.speaks(100)[1:] == []
        assert caller.silent(600) == [DropSegment()]


def test_a_short_syllable_before_a_pause_is_part_of_the_turn() -> None:
    """100 ms of voice, and then more: nothing of it is dropped."""
    caller = call()
    caller.speaks(100)
    assert caller.silent(300) == []
    assert caller.speaks(300) == []
    assert caller.silent(160) == [Finalize(700)]


def test_nothing_said_is_no_turn() -> None:
    """An empty text after speech that interrupted nobody does nothing."""
    assert turns(call().says("")) == []


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


# ------------------------------------------------------------------ how much silence


def silence_that_ends(text: str, **options: Any) -> float:
    """How long the caller is silent when a turn with these words is taken, in milliseconds."""
    caller = call(**options)
    caller.speaks(600)
    caller.silent(160)
    caller.heard(text)
    while not turns(caller.actions):
        caller.silent(20)
        assert caller.ms < 10_000
    return caller.ms - 600


@pytest.mark.parametrize("end_silence_ms", [200, 500, 1000])
def test_the_end_silence_is_the_templates(end_silence_ms: int) -> None:
    """For words that neither end nor go on clearly."""
    assert silence_that_ends("my order", end_silence_ms=end_silence_ms) == end_silence_ms


@pytest.mark.parametrize(("end_silence_ms", "whole_ms"), [(500, 300), (300, 200)])
def test_a_whole_turn_needs_less_silence(end_silence_ms: int, whole_ms: int) -> None:
    """Three fifths of it, and 200 ms at least."""
    assert silence_that_ends("yes please", end_silence_ms=end_silence_ms) == whole_ms


def test_words_that_go_on_need_more_silence() -> None:
    """``max_end_silence_ms``; then they are taken as they are."""
    assert silence_that_ends("a table and", max_end_silence_ms=900) == 900


def test_the_longer_silence_is_never_the_shorter() -> None:
    """Where the template's maximum is below its end silence."""
    assert silence_that_ends("a table and", end_silence_ms=800, max_end_silence_ms=400) == 800


def test_silence_counts_from_the_last_voice() -> None:
    """A click in it begins it anew."""
    caller = call()
    caller.speaks(600)
    caller.silent(400)
    caller.heard("my order")
    caller.speaks(40)
    assert caller.silent(480) == []
    assert caller.silent(20) == [taken("my order")]


# ------------------------------------------------------------------ before the bot is heard


def test_a_caller_who_goes_on_is_heard_as_one() -> None:
    """The answer under way is dropped; the next turn has both parts."""
    caller = call()
    caller.says("I want to go to Pune")
    actions = caller.says("on Monday")
    assert DROP_ANSWER in actions
    assert actions[-1] == taken("I want to go to Pune on Monday")


def test_an_answer_waits_while_the_caller_makes_a_sound() -> None:
    """It is held back at the first window, and goes on after a noise."""
    caller = call()
    caller.says("my order")
    assert caller.speaks(40) == [PAUSE]
    assert caller.silent(240) == []
    assert caller.silent(20) == [RESUME]


def test_a_short_word_drops_the_answer_by_its_text() -> None:
    """The answer to half of it must not be spoken beside the answer to all of it."""
    caller = call()
    caller.says("a table for two")
    assert caller.speaks(160) == [PAUSE, StartSegment(caller.ms - 160)]
    caller.silent(120)
    assert caller.heard("outside") == [DROP_ANSWER]
    assert turns(caller.silent(1000)) == [taken("a table for two outside")]


def test_a_backchannel_does_not_drop_the_answer() -> None:
    """Nor does its text become a turn later."""
    caller = call()
    caller.says("a table for two")
    caller.speaks(300)
    caller.silent(120)
    assert caller.heard("haan") == []
    assert caller.silent(140) == [RESUME]
    caller.bot_starts()
    assert caller.bot_ends() == []
    assert turns(caller.silent(3000)) == []


def test_a_long_backchannel_does_not_drop_the_answer() -> None:
    """Its words are known."""
    caller = call()
    caller.says("a table for two")
    caller.speaks(300)
    caller.partly("theek hai")
    assert DROP_ANSWER not in caller.speaks(600)


def test_a_backchannel_whose_text_is_late_does_not_drop_the_answer() -> None:
    """The bot may have begun by then."""
    caller = call(barge_in_ms=900)
    caller.says("a table for two")
    caller.speaks(300)
    assert RESUME in caller.silent(900)
    assert caller.heard("okay") == []
    caller.bot_starts()
    assert caller.bot_ends() == []


def test_long_voice_drops_the_answer_without_words() -> None:
    """At ``barge_in_ms`` of voice, counted from when the turn was taken."""
    caller = call(barge_in_ms=300)
    caller.says("a table for two")
    assert DROP_ANSWER not in caller.speaks(280)
    assert caller.speaks(20) == [DROP_ANSWER]


def test_a_cough_before_the_bot_is_heard_takes_the_turn_again() -> None:
    """The answer was dropped for nothing: the same words are answered anew."""
    caller = call()
    caller.says("my order")
    assert caller.says("")[-1] == taken("my order")


def test_an_interruption_stays_one_when_its_answer_is_dropped() -> None:
    """The caller spoke into the bot's turn, in two parts."""
    caller = bot_talking()
    caller.says("no not today", 1000)
    assert caller.says("tomorrow")[-1] == taken("no not today tomorrow", interrupted=True)


def test_once_the_bot_is_heard_new_speech_is_a_new_turn() -> None:
    """What was answered does not come back."""
    caller = call()
    caller.says("my order")
    caller.bot_starts()
    caller.silent(1000)
    caller.bot_ends()
    assert turns(caller.says("goodbye")) == [taken("goodbye")]


def test_a_bot_with_nothing_to_say_has_answered_too() -> None:
    """The next turn does not repeat the words."""
    caller = call()
    caller.says("my order")
    caller.bot_ends()
    assert turns(caller.says("well?")) == [taken("well?")]


def test_words_between_the_turn_and_the_answer_are_not_lost() -> None:
    """A text that came after the turn was taken becomes one when the bot has finished."""
    caller = call()
    caller.says("my order")
    assert caller.heard("are you there", finalized=False) == []
    caller.bot_starts()
    assert caller.bot_ends() == [taken("are you there")]


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
    assert caller.silent(500) == [Finalize(700)]
    assert caller.waits(100) == []
    assert turns(caller.heard("my order")) != []
    assert caller.waits(100) == []


def test_idle_counts_from_the_end_of_the_bot() -> None:
    """Its own talk is no silence."""
    caller = bot_talking(idle_seconds=20)
    caller.waits(30)
    caller.bot_ends()
    assert caller.waits(19.9) == []
    assert caller.waits(0.1) == [IDLE]


def test_a_turn_that_is_too_long_is_ended_for_the_caller() -> None:
    """The text so far makes the turn, though the caller speaks on without a pause."""
    caller = call(max_turn_seconds=5)
    assert caller.speaks(5000 + GAP_WAIT_MS) == [StartSegment(0), Finalize(5000 + GAP_WAIT_MS)]
    caller.speaks(200)
    assert turns(caller.heard("a long story")) == [taken("a long story")]


def test_a_turn_that_is_too_long_is_ended_between_words() -> None:
    """In the next short silence, if there is one; its text makes the turn in any case."""
    caller = call(max_turn_seconds=5)
    caller.speaks(4980)
    caller.silent(80)
    assert caller.speaks(500) == []
    assert caller.silent(80) == []
    assert caller.silent(20) == [Finalize(5560)]
    caller.silent(200)
    caller.speaks(300)
    assert turns(caller.heard("a long story")) == [taken("a long story")]


def test_a_pause_that_was_asked_about_already_ends_no_turn_for_the_caller() -> None:
    """The turn is too long by the silence alone: its end is decided as ever."""
    caller = call(on_demand=True, max_turn_seconds=5)
    caller.speaks(4700)
    assert caller.silent(460) == [Peek(settled=True)]


def test_pauses_do_not_make_a_long_turn_shorter() -> None:
    """It counts from its first voice, though the recogniser was given it in parts."""
    caller = call(max_turn_seconds=5)
    for _ in range(4):
        caller.speaks(1000)
        caller.silent(200)
        assert caller.heard("on and") == []
    assert caller.speaks(1000) == [StartSegment(0)]
    assert caller.silent(100) == [Finalize(5800)]
    assert turns(caller.heard("on")) == [taken("on and on and on and on and on")]


def test_after_a_turn_that_is_too_long_the_bot_gets_a_word_in() -> None:
    """Voice without a pause neither drops the answer nor pauses the bot; its words still count."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000 + GAP_WAIT_MS)
    caller.heard("a long story")
    assert caller.speaks(500) == [StartSegment(5000 + GAP_WAIT_MS)]
    caller.bot_starts()
    assert caller.speaks(500) == []
    caller.bot_ends()
    assert caller.silent(500) == [Finalize(6000 + GAP_WAIT_MS)]
    assert turns(caller.heard("of my life")) == [taken("of my life")]


def test_after_a_turn_that_is_too_long_a_slow_answer_is_not_dropped() -> None:
    """A caller who goes on after the pause in which it was ended would never be answered."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000)
    caller.silent(100)
    assert turns(caller.heard("a long story")) == [taken("a long story")]
    caller.silent(300)
    assert DROP_ANSWER not in caller.speaks(1000)
    caller.silent(200)
    assert caller.heard("of my life") == []
    caller.bot_starts()
    assert turns(caller.bot_ends()) == [taken("of my life")]


def test_a_gap_between_words_is_no_pause_in_a_long_turn() -> None:
    """The bot still gets its word in after 140 ms of silence."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000 + GAP_WAIT_MS)
    caller.heard("a long story")
    caller.bot_starts()
    caller.speaks(100)
    caller.silent(140)
    assert caller.speaks(400) == []


def test_after_a_pause_a_long_turn_is_forgotten() -> None:
    """Voice holds the bot back again."""
    caller = call(max_turn_seconds=5)
    caller.speaks(5000 + GAP_WAIT_MS)
    caller.heard("a long story")
    caller.bot_starts()
    caller.silent(300)
    assert caller.speaks(20) == [PAUSE]


# ------------------------------------------------------------------ recognisers of all kinds


def test_two_segments_are_awaited_before_the_turn_is_taken() -> None:
    """The text of the first comes when the second has been asked for."""
    caller = call()
    caller.speaks(300)
    caller.silent(500)
    caller.speaks(160)
    caller.silent(640)
    assert caller.heard("one") == []
    assert caller.heard("more") == [taken("one more")]


def test_a_text_that_comes_while_the_caller_speaks_on_waits() -> None:
    """The turn is over when the second segment is."""
    caller = call()
    caller.speaks(300)
    caller.silent(500)
    caller.speaks(100)
    assert caller.heard("one") == []
    caller.speaks(100)
    caller.silent(640)
    assert caller.heard("more") == [taken("one more")]


def test_texts_that_end_no_turn_are_collected() -> None:
    """A recogniser that cuts by itself: the detector's silence makes the turn."""
    caller = call()
    caller.speaks(400)
    assert caller.heard("I would like", finalized=False) == []
    caller.speaks(400)
    caller.heard("a room", finalized=False)
    caller.silent(500)
    assert caller.heard("") == [taken("I would like a room")]


def test_a_recogniser_that_ends_the_turn_is_believed() -> None:
    """Also while the detector still hears a voice; the turn is taken once."""
    caller = call()
    caller.speaks(600)
    assert caller.heard("book it", finalized=False, end_of_turn=True) == [taken("book it")]
    assert caller.speaks(60) == [PAUSE]
    assert caller.silent(500) == [DropSegment(), RESUME]


def test_after_the_recognisers_end_of_turn_new_voice_drops_the_answer() -> None:
    """Only voice since then counts."""
    caller = call(barge_in_ms=200)
    caller.speaks(600)
    caller.heard("book it", finalized=False, end_of_turn=True)
    assert caller.speaks(180) == [PAUSE]
    assert caller.speaks(20) == [DROP_ANSWER]
    caller.silent(500)
    assert caller.heard("for two") == [taken("book it for two")]


def test_words_that_the_detector_never_heard_are_taken_after_a_silence() -> None:
    """A voice too low for it is not left unanswered."""
    caller = call()
    caller.silent(1000)
    assert caller.heard("can you hear me", finalized=False) == []
    assert caller.silent(480) == []
    assert caller.silent(40) == [taken("can you hear me")]


def test_a_text_nobody_asked_for_is_harmless() -> None:
    """More answers than questions."""
    caller = call()
    assert caller.heard("") == []
    assert caller.heard("my order") == []
    assert caller.waits(0.5) == [taken("my order")]
    assert caller.says("again")[-1] == taken("my order again")


def test_a_partial_text_that_comes_after_its_final_is_passed_over() -> None:
    """It would be taken for the words of the sound that follows."""
    caller = call(speculative=True)
    caller.says("stop it now")
    caller.bot_starts()
    assert caller.speaks(20) == [PAUSE]
    assert caller.partly("stop it now") == []
    assert caller.partly("stop it now") == []
