"""The rules of turn-taking while the bot has the floor, in virtual time."""

from __future__ import annotations

import pytest

from exobridge.call.turns import DropSegment, Finalize, Peek, Signal, StartSegment
from exobridge.call.turns.interruption import BACKCHANNEL_S, BLIND_S, DECIDE_S, TEXT_MS
from exobridge.call.turns.policy import ATTEMPT_S
from exobridge.call.turns.said import ANSWER_IN_TIME_S
from exobridge.call.turns.segment import PEEK_EVERY_MS
from tests.call.turns.caller import Caller, bot_talking, call, taken, turns

PAUSE, RESUME, INTERRUPT = Signal.PAUSE_BOT, Signal.RESUME_BOT, Signal.INTERRUPT_BOT
DROP_ANSWER, GO_ON = Signal.DROP_ANSWER, Signal.GO_ON

# ------------------------------------------------------------------ sounds


def test_a_short_noise_pauses_the_bot_and_lets_it_go_on() -> None:
    """Held back at the first voiced window, resumed after 250 ms of silence; each time."""
    caller = bot_talking()
    for _ in range(3):
        assert caller.speaks(20) == [PAUSE]
        assert caller.silent(240) == []
        assert caller.silent(20) == [RESUME]
        assert caller.silent(2000) == []


def test_a_longer_noise_is_no_speech_either() -> None:
    """100 ms of voice begin a segment and drop it."""
    caller = bot_talking()
    assert caller.speaks(100) == [PAUSE, StartSegment(400)]
    assert caller.silent(260) == [DropSegment(), RESUME]


def test_a_cough_has_no_words() -> None:
    """They are asked for after 100 ms of silence; there are none, and the bot goes on."""
    caller = bot_talking()
    caller.speaks(500)
    assert caller.silent(100) == [Finalize(900)]
    assert caller.heard("") == []
    assert caller.silent(140) == []
    assert caller.silent(20) == [RESUME]
    assert turns(caller.silent(3000)) == []


def test_a_sound_in_which_no_words_are_found_takes_longer_to_interrupt() -> None:
    """Three coughs in a row: the recogniser said that there are no words."""
    caller = bot_talking(on_demand=True)
    caller.speaks(400)
    caller.silent(100)
    caller.partly("")
    assert INTERRUPT not in caller.speaks(BACKCHANNEL_S * 1000 - 520)
    assert caller.speaks(20) == [INTERRUPT]


def test_a_cough_that_is_peeked_into_has_no_words() -> None:
    """Its segment is over when the bot goes on."""
    caller = bot_talking(on_demand=True)
    caller.speaks(200)
    assert caller.silent(100) == [Peek(settled=True)]
    caller.partly("")
    assert caller.silent(160) == [Finalize(600), RESUME]
    assert caller.heard("") == []


def test_a_loud_cough_whose_text_is_late_leaves_the_floor_to_the_bot() -> None:
    """It interrupted, as no words were known in time: the bot goes on where it was cut."""
    caller = bot_talking()
    caller.speaks(500)
    assert INTERRUPT in caller.silent(1000)
    assert caller.heard("") == [GO_ON]
    caller.bot_starts()
    caller.bot_ends()
    assert GO_ON not in caller.says("")


def test_the_text_of_a_voice_that_is_over_is_waited_for() -> None:
    """For a while longer than words while the voice goes on: nothing is lost by it."""
    caller = bot_talking()
    caller.speaks(800)
    assert INTERRUPT not in caller.silent(TEXT_MS - 20)
    caller.heard("theek hai theek hai")
    assert caller.silent(20) == [RESUME]


def test_a_late_backchannel_leaves_the_floor_to_the_bot() -> None:
    """Its text says that it was no interruption."""
    caller = bot_talking()
    caller.speaks(500)
    caller.silent(1000)
    assert caller.heard("haan ji") == [GO_ON]


@pytest.mark.parametrize("barge_in_ms", [200, 400, 800])
def test_sound_whose_words_stay_unknown_interrupts_by_its_length(barge_in_ms: int) -> None:
    """``barge_in_ms`` of voice are an interruption when the time for words is up, less is none."""
    short, long = bot_talking(barge_in_ms=barge_in_ms), bot_talking(barge_in_ms=barge_in_ms)
    short.speaks(barge_in_ms - 20)
    long.speaks(barge_in_ms)
    assert RESUME in short.silent(1000)
    assert INTERRUPT not in short.actions
    assert INTERRUPT in long.silent(1000)


def test_voice_that_goes_on_interrupts_when_the_time_for_words_is_up() -> None:
    """900 ms after it began; later where the recogniser tells no words before the end. Until then
    the bot is only held back."""
    for on_demand, limit_s in ((True, DECIDE_S), (False, BLIND_S)):
        caller = bot_talking(on_demand=on_demand)
        assert INTERRUPT not in caller.speaks(limit_s * 1000 - 20)
        assert caller.speaks(20) == [INTERRUPT]
        assert INTERRUPT not in caller.speaks(2000)


def test_clicks_that_go_on_do_not_interrupt() -> None:
    """There is little voice in them, however long they last."""
    caller = bot_talking()
    for _ in range(15):
        caller.speaks(20)
        caller.silent(100)
    caller.silent(1000)
    assert INTERRUPT not in caller.actions
    assert caller.actions.count(RESUME) == caller.actions.count(PAUSE) > 0


def test_a_detector_that_falls_silent_does_not_hold_the_bot_back_for_ever() -> None:
    """Time alone lets it go on."""
    caller = bot_talking()
    caller.speaks(40)
    assert caller.waits(ATTEMPT_S) == [RESUME]


@pytest.mark.parametrize("spoken_ms", [120, 500])
def test_who_speaks_when_the_time_is_up_interrupts(spoken_ms: int) -> None:
    """A word is not cut in two."""
    caller = bot_talking()
    caller.speaks(spoken_ms)
    assert caller.waits(ATTEMPT_S) == [INTERRUPT]


# ------------------------------------------------------------------ words


def test_words_interrupt_while_the_caller_still_speaks() -> None:
    """As soon as two of them were in two partials; the turn has all that follows."""
    caller = bot_talking()
    caller.speaks(500)
    assert caller.partly("I have") == []
    assert caller.partly("I have another") == [INTERRUPT]
    assert caller.partly("I have another question") == []
    caller.speaks(300)
    caller.silent(200)
    caller.heard("I have another question")
    [turn] = turns(caller.silent(500))
    assert turn == taken("I have another question", interrupted=True)


@pytest.mark.parametrize("word", ["stop", "No.", "ruko", "suniye", "नहीं", "haan ruko"])
def test_some_words_interrupt_alone(word: str) -> None:
    """Whatever the minimum is."""
    caller = bot_talking(min_words=5)
    caller.speaks(300)
    assert caller.partly(word) == []
    assert caller.partly(word) == [INTERRUPT]


def test_a_greeting_interrupts_all_but_the_first_line() -> None:
    """As the call begins "Hello?" asks for nothing; later it asks the bot to listen."""
    caller = bot_talking()
    caller.speaks(400)
    caller.silent(100)
    assert caller.heard("Hello?") == []
    assert caller.silent(160) == [RESUME]
    caller.silent(3000)
    assert caller.bot_ends() == []
    caller.bot_starts()
    caller.silent(400)
    caller.speaks(300)
    assert caller.partly("Hello?") == []
    assert caller.partly("Hello?") == [INTERRUPT]


def test_a_word_that_only_one_partial_has_does_not_interrupt() -> None:
    """It was heard in part; the bot is held back until the words are sure."""
    caller = bot_talking()
    caller.speaks(400)
    for mistake in ("I so", "I the", "eye see"):
        assert caller.partly(mistake) == []
    caller.silent(100)
    assert caller.heard("I see") == []
    assert caller.silent(160) == [RESUME]


def test_words_that_stay_interrupt_though_others_change() -> None:
    """Those that were wrong may stand before them."""
    caller = bot_talking()
    caller.speaks(400)
    assert caller.partly("know I asked") == []
    assert caller.partly("no I asked about") == [INTERRUPT]


def test_the_minimum_of_words_is_the_templates() -> None:
    """One word interrupts where it is 1."""
    caller = bot_talking(min_words=1)
    caller.speaks(300)
    caller.partly("Delhi")
    assert caller.partly("Delhi") == [INTERRUPT]


def test_words_are_asked_for_while_the_voice_goes_on() -> None:
    """Every 250 ms, one at a time."""
    caller = bot_talking(on_demand=True)
    assert caller.speaks(300) == [PAUSE, StartSegment(400)]
    assert caller.speaks(20) == [Peek(settled=False)]
    assert caller.speaks(PEEK_EVERY_MS) == []
    caller.partly("haan")
    assert caller.speaks(20) == [Peek(settled=False)]
    assert caller.partly("haan lekin mujhe") == []


def test_a_peek_that_was_under_way_is_no_answer_to_the_pause() -> None:
    """The words after it are missing: they are asked for again."""
    caller = bot_talking(on_demand=True)
    caller.speaks(340)
    assert caller.silent(100) == []
    assert caller.partly("book another") == [Peek(settled=True)]
    assert caller.partly("book another one") == [INTERRUPT]


def test_a_peek_that_stays_unanswered_is_given_up() -> None:
    """After a second another is asked for."""
    caller = call(on_demand=True)
    caller.says("a table")
    caller.bot_starts()
    caller.speaks(340)
    caller.partly("okay")
    assert caller.actions.count(Peek(settled=False)) == 1
    caller.speaks(1400)
    assert caller.actions.count(Peek(settled=False)) == 3


def test_an_interruption_that_pauses_is_decided_by_its_words() -> None:
    """Its text comes while the bot is held back; the turn is over when the silence is."""
    caller = bot_talking()
    caller.speaks(300)
    caller.silent(100)
    assert caller.heard("cancel it") == [INTERRUPT]
    assert caller.silent(380) == []
    assert caller.silent(20) == [taken("cancel it", interrupted=True)]


def test_words_that_come_after_the_bot_went_on_still_interrupt() -> None:
    """The text was late."""
    caller = bot_talking()
    caller.speaks(300)
    assert RESUME in caller.silent(1000)
    assert caller.heard("cancel it") == [INTERRUPT, taken("cancel it", interrupted=True)]


def test_a_recogniser_can_interrupt_by_words_alone() -> None:
    """A whole turn of a voice that was too low for the detector."""
    caller = bot_talking()
    assert caller.heard("stop", finalized=False, end_of_turn=True) == [
        INTERRUPT,
        taken("stop", interrupted=True),
    ]


# ------------------------------------------------------------------ backchannels


@pytest.mark.parametrize(
    "words", ["haan", "Okay.", "hmmmm", "theek hai", "हाँ जी", "acha acha", "I see"]
)
def test_a_backchannel_lets_the_bot_go_on(words: str) -> None:
    """When its voice is over; it is no turn, then or later."""
    caller = bot_talking()
    caller.speaks(400)
    caller.silent(100)
    assert caller.heard(words) == []
    assert caller.silent(160) == [RESUME]
    caller.silent(3000)
    assert caller.bot_ends() == []


def test_a_long_backchannel_lets_the_bot_go_on() -> None:
    """Its words are known, so its length does not count, up to a limit."""
    caller = bot_talking()
    caller.speaks(500)
    assert caller.partly("haan haan haan") == []
    assert caller.speaks(BACKCHANNEL_S * 1000 - 520) == []
    endless = caller.speaks(20)
    assert endless == [INTERRUPT]


def test_a_backchannel_that_goes_on_is_an_interruption() -> None:
    """With all its words."""
    caller = bot_talking()
    caller.speaks(300)
    assert caller.partly("haan") == []
    caller.speaks(300)
    assert caller.partly("haan lekin") == []
    assert caller.partly("haan lekin kal") == [INTERRUPT]
    caller.speaks(300)
    caller.silent(200)
    caller.heard("haan lekin kal nahi chahiye")
    assert turns(caller.silent(500)) == [taken("haan lekin kal nahi chahiye", interrupted=True)]


def test_a_backchannel_shortly_before_an_interruption_is_its_beginning() -> None:
    """The bot had gone on in between."""
    caller = bot_talking()
    caller.speaks(300)
    caller.silent(100)
    caller.heard("haan")
    assert RESUME in caller.silent(300)
    caller.speaks(300)
    caller.silent(100)
    assert caller.heard("lekin kal") == [INTERRUPT]
    assert turns(caller.silent(500)) == [taken("haan lekin kal", interrupted=True)]


def test_a_backchannel_long_before_an_interruption_is_forgotten() -> None:
    """It belongs to what the bot said then."""
    caller = bot_talking()
    caller.speaks(300)
    caller.silent(100)
    caller.heard("haan")
    caller.silent(2000)
    caller.speaks(300)
    caller.silent(100)
    caller.heard("lekin kal")
    assert turns(caller.silent(500)) == [taken("lekin kal", interrupted=True)]


def test_a_backchannel_at_the_end_of_the_bot_answers_it() -> None:
    """The caller knew how the question ends."""
    early, in_time = bot_talking(), bot_talking()
    for caller in (early, in_time):
        caller.speaks(300)
        caller.silent(100)
        caller.heard("yes")
        caller.silent(200)
    in_time.silent(ANSWER_IN_TIME_S * 1000 - 200)
    early.silent(ANSWER_IN_TIME_S * 1000 + 200)
    assert in_time.bot_ends() == [taken("yes")]
    assert early.bot_ends() == []


# ------------------------------------------------------------------ a word that may be an answer


def test_a_single_unknown_word_waits_for_the_end_of_the_bot() -> None:
    """It does not interrupt, and is not lost."""
    caller = bot_talking()
    caller.speaks(400)
    caller.silent(100)
    assert caller.heard("Delhi") == []
    assert caller.silent(160) == [RESUME]
    caller.silent(5000)
    assert caller.bot_ends() == [taken("Delhi")]


def test_a_single_word_that_was_misheard_interrupts() -> None:
    """The bot is held back until its final text is there."""
    right, wrong = bot_talking(on_demand=True), bot_talking(on_demand=True)
    for caller in (right, wrong):
        caller.speaks(240)
        caller.silent(100)
        assert caller.partly("Wade") == []
        assert caller.silent(160) == [Finalize(640)]
    assert right.heard("Wade") == []
    assert right.silent(20) == [RESUME]
    assert wrong.heard("Wait") == [INTERRUPT]


def test_a_kept_word_belongs_to_the_interruption_that_follows() -> None:
    """In order."""
    caller = bot_talking()
    caller.speaks(400)
    caller.silent(100)
    caller.heard("Delhi")
    caller.silent(2000)
    caller.speaks(600)
    caller.partly("no")
    assert caller.partly("no Mumbai") == [INTERRUPT]
    caller.silent(200)
    caller.heard("no Mumbai")
    assert turns(caller.silent(500)) == [taken("Delhi no Mumbai", interrupted=True)]


def test_a_word_whose_voice_goes_on_interrupts() -> None:
    """More words follow, it seems, than the recogniser has told."""
    caller = bot_talking()
    caller.speaks(500)
    assert caller.partly("Delhi") == []
    assert caller.speaks(400) == [INTERRUPT]


# ------------------------------------------------------------------ the bot's beginning and end


def test_a_bot_that_starts_into_speech_is_held_back() -> None:
    """The caller began first: what they said before counts."""
    caller = call()
    caller.speaks(800)
    caller.bot_starts()
    assert caller.speaks(20)[0] == PAUSE
    assert caller.speaks(BLIND_S * 1000 - 840) == []
    assert caller.speaks(20) == [INTERRUPT]


def test_a_bot_that_ends_while_it_is_held_back_is_not_left_so() -> None:
    """What was at Exotel was all it had: the feed is opened again for what it says next."""
    caller = bot_talking()
    caller.speaks(300)
    assert caller.bot_ends() == [RESUME]
    caller.speaks(300)
    caller.silent(200)
    caller.heard("my order")
    assert turns(caller.silent(500)) == [taken("my order")]


def test_an_interruption_is_told_with_the_turn_and_no_other() -> None:
    """The turn after is a plain one."""
    caller = bot_talking()
    assert turns(caller.says("no, wait")) == [taken("no, wait", interrupted=True)]
    caller.bot_starts()
    caller.bot_ends()
    assert turns(caller.says("my order")) == [taken("my order")]


def test_a_partial_text_that_comes_in_the_pause_counts() -> None:
    """The segment's end was asked for; its final text is late."""
    caller = bot_talking()
    caller.speaks(500)
    caller.silent(300)
    assert caller.partly("Delhi") == []
    assert INTERRUPT not in caller.silent(1000)
    other = bot_talking()
    other.speaks(500)
    other.silent(300)
    assert other.partly("book it") == []
    assert other.silent(TEXT_MS - 320) == []
    assert other.silent(20) == [INTERRUPT]


def test_words_that_come_in_a_gap_wait_for_its_end() -> None:
    """It may be a pause, in which better ones come; a voice that goes on does as they say."""
    caller = bot_talking()
    caller.speaks(500)
    caller.silent(60)
    assert caller.partly("I the") == []
    assert caller.partly("I the one") == []
    assert caller.speaks(20) == [INTERRUPT]


def test_a_partial_text_is_not_believed_where_the_final_one_is_near() -> None:
    """The bot is held back anyway; until the time for words is up, if the voice goes on."""
    caller, other = bot_talking(), bot_talking()
    for each in (caller, other):
        each.speaks(500)
        each.silent(120)
        assert each.partly("I the") == []
    assert caller.heard("I see") == []
    assert caller.silent(140) == [RESUME]
    assert INTERRUPT not in other.speaks(BACKCHANNEL_S * 1000 - 640)
    assert INTERRUPT in other.speaks(20)


def test_words_of_a_pause_that_may_be_wrong_wait_for_the_final_text() -> None:
    """One partial alone has them: the segment is over sooner, and its text decides."""
    right, wrong = bot_talking(on_demand=True), bot_talking(on_demand=True)
    for caller in (right, wrong):
        caller.speaks(240)
        caller.silent(100)
        assert caller.partly("got on") == []
        assert caller.silent(160) == [Finalize(640)]
    assert wrong.heard("got it") == []
    assert wrong.silent(20) == [RESUME]
    assert right.heard("got on") == [INTERRUPT]


def test_the_bot_does_not_go_on_over_itself() -> None:
    """It has begun another line when the cough's empty text comes."""
    caller = bot_talking()
    caller.speaks(500)
    caller.silent(1000)
    caller.bot_starts()
    assert caller.heard("") == []


# ------------------------------------------------------------------ nobody may interrupt


def test_without_barge_in_voice_does_nothing() -> None:
    """The bot is not even paused; what was said is understood, and taken after it."""
    caller = bot_talking(barge_in=False)
    assert caller.speaks(1000) == [StartSegment(400)]
    assert caller.silent(1000) == [Finalize(1400)]
    assert caller.heard("stop it now") == []
    assert caller.waits(10) == []
    assert caller.bot_ends() == [taken("stop it now")]


def test_without_barge_in_a_bot_that_starts_into_speech_is_heard_to_its_end() -> None:
    """The turn is taken after it, also when the caller has gone on longer."""
    caller = call(barge_in=False)
    caller.speaks(300)
    caller.bot_starts()
    assert caller.speaks(300) == []
    assert caller.bot_ends() == []
    caller.speaks(300)
    caller.silent(200)
    caller.heard("my order")
    assert turns(caller.silent(500)) == [taken("my order")]


@pytest.mark.parametrize("keys", ["42", "42#"])
def test_without_barge_in_keys_wait_for_the_end_of_the_bot(keys: str) -> None:
    """They neither interrupt nor get lost."""
    caller = bot_talking(barge_in=False)
    assert caller.presses(*keys) == []
    assert caller.waits(10) == []
    assert caller.bot_ends() == [taken("", "42")]


def protected() -> Caller:
    """The bot says something that nobody interrupts."""
    caller = bot_talking()
    caller.protect(protected=True)
    return caller


def test_a_protected_passage_is_not_even_held_back() -> None:
    """What is said meanwhile is understood, and taken when the bot has finished."""
    caller = protected()
    assert caller.speaks(1500) == [StartSegment(400)]
    assert caller.silent(500) == [Finalize(1900)]
    assert caller.heard("the blue one") == []
    assert caller.silent(1000) == []
    assert caller.bot_ends() == [taken("the blue one")]


def test_words_that_interrupt_wait_for_the_end_of_the_protection() -> None:
    """Then they do, with the turn if they are whole; others wait for the end of the bot."""
    caller = protected()
    caller.speaks(600)
    caller.silent(600)
    caller.heard("stop please")
    assert caller.protect(protected=False) == [INTERRUPT, taken("stop please", interrupted=True)]
    other = protected()
    other.speaks(600)
    other.silent(600)
    other.heard("Delhi")
    assert other.protect(protected=False) == []


def test_keys_wait_for_the_end_of_the_protection() -> None:
    """They interrupt then, and are a turn when they are over."""
    caller = protected()
    assert caller.presses("4") == []
    assert caller.protect(protected=False) == [INTERRUPT]
    assert caller.waits(2) == [taken("", "4", interrupted=True)]
    over = protected()
    over.presses("4", "#")
    assert over.protect(protected=False) == [INTERRUPT, taken("", "4", interrupted=True)]


def test_a_voice_that_outlasts_the_protection_interrupts_then() -> None:
    """It has gone on for long enough."""
    caller = protected()
    caller.speaks(1500)
    assert caller.protect(protected=False) == []
    assert caller.speaks(20) == [PAUSE, INTERRUPT]


def test_protection_lets_a_bot_that_is_held_back_go_on() -> None:
    """The line that began last is one that nobody interrupts."""
    caller = bot_talking()
    caller.speaks(100)
    assert caller.protect(protected=True) == [RESUME]
    assert INTERRUPT not in caller.speaks(2000)


def test_a_greeting_is_protected_for_as_long_as_the_template_says() -> None:
    """From when it is heard."""
    caller = call()
    caller.bot_starts(protect_ms=1000)
    assert PAUSE not in caller.speaks(980)
    assert PAUSE in caller.speaks(40)


def test_the_end_of_the_bot_ends_the_protection() -> None:
    """Its next line is not protected."""
    caller = protected()
    caller.bot_ends()
    caller.bot_starts()
    assert caller.speaks(20) == [PAUSE]
