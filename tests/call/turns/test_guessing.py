"""The rules of turn-taking, in virtual time: a turn that is not certain yet."""

from __future__ import annotations

from exobridge.call.digits import UNASKED
from exobridge.call.turns import DropSegment, Finalize, Signal, StartSegment
from exobridge.call.turns.policy import SPECULATION_S
from tests.call.turns.caller import call, taken, turns

PAUSE, RESUME = Signal.PAUSE_BOT, Signal.RESUME_BOT
DIGITS_WAIT_S = UNASKED.timeout_seconds
DROP_ANSWER, CERTAIN = Signal.DROP_ANSWER, Signal.CERTAIN


def test_a_speculative_dialogue_is_asked_before_the_silence_is_over() -> None:
    """As soon as all words are known; nothing is played until it is certain."""
    caller = call(speculative=True)
    caller.speaks(600)
    caller.silent(160)
    [hold, guess] = caller.heard("my order")
    assert hold is PAUSE
    assert guess == turns([guess])[0]
    assert not turns([guess])[0].certain
    assert caller.silent(320) == []
    assert caller.silent(20) == [CERTAIN, RESUME]


def test_it_is_asked_by_a_peek_too() -> None:
    """The final text makes it certain, however it is punctuated."""
    caller = call(speculative=True, on_demand=True)
    caller.speaks(600)
    caller.silent(160)
    [_, guess] = caller.partly("My order")
    assert guess == turns([guess])[0]
    assert caller.silent(340) == [Finalize(600)]
    assert caller.heard("My order.") == [CERTAIN, RESUME]


def test_a_caller_who_goes_on_has_the_guess_dropped() -> None:
    """At 60 ms of voice; the turn that follows has all the words, once."""
    caller = call(speculative=True)
    caller.speaks(600)
    caller.silent(200)
    caller.heard("my order")
    assert caller.speaks(40) == []
    assert caller.speaks(20) == [StartSegment(0), DROP_ANSWER]
    caller.speaks(400)
    caller.silent(160)
    [_, guess] = caller.heard("of yesterday")
    assert turns([guess])[0].text == "my order of yesterday"
    assert caller.silent(400) == [CERTAIN, RESUME]


def test_a_final_text_that_differs_is_answered_anew() -> None:
    """Only the words as they are in the end may be answered."""
    caller = call(speculative=True, on_demand=True)
    caller.speaks(600)
    caller.silent(160)
    caller.partly("my odour")
    caller.silent(340)
    assert caller.heard("my order") == [DROP_ANSWER, taken("my order")]


def test_a_guess_about_nothing_is_dropped() -> None:
    """The final text is empty."""
    caller = call(speculative=True, on_demand=True)
    caller.speaks(600)
    caller.silent(160)
    caller.partly("my order")
    caller.silent(340)
    assert caller.heard("") == [DROP_ANSWER]


def test_words_that_go_on_are_not_guessed_about() -> None:
    """Nor is anything where the dialogue is not speculative, nor while keys are awaited."""
    for caller, text in ((call(speculative=True), "my order and"), (call(), "my order")):
        caller.speaks(600)
        caller.silent(160)
        assert caller.heard(text) == []
    keys = call(speculative=True)
    keys.speaks(600)
    keys.presses("1")
    keys.silent(160)
    assert keys.heard("my order") == []


def test_an_eager_end_is_guessed_about_and_shortens_the_silence() -> None:
    """The recogniser's own end makes it certain."""
    caller = call(speculative=True)
    caller.speaks(600)
    [hold, guess] = caller.policy.eager_end("my order", caller.now)
    assert (hold, turns([guess])[0].text) == (PAUSE, "my order")
    assert caller.heard("My order.", finalized=False, end_of_turn=True) == [CERTAIN, RESUME]


def test_an_eager_end_after_a_pause_is_guessed_about() -> None:
    """It says all the words, so that the text that was asked for in the pause need not be waited
    for; that text, when it comes with the end of the turn, makes the guess certain."""
    caller = call(speculative=True)
    caller.speaks(600)
    assert caller.silent(160) == [Finalize(600)]
    [hold, guess] = caller.policy.eager_end("my order", caller.now)
    assert (hold, turns([guess])[0].text) == (PAUSE, "my order")
    assert caller.heard("My order.", end_of_turn=True) == [CERTAIN, RESUME]


def test_an_eager_end_that_was_none_is_taken_back() -> None:
    """The recogniser heard the caller go on."""
    caller = call(speculative=True)
    caller.speaks(600)
    caller.policy.eager_end("my order", caller.now)
    assert caller.policy.resumed() == [DROP_ANSWER]
    assert caller.policy.resumed() == []


def test_an_eager_end_shortens_the_silence_of_any_dialogue() -> None:
    """To that of a whole turn."""
    caller = call()
    caller.speaks(600)
    caller.policy.eager_end("my order", caller.now)
    caller.silent(160)
    caller.heard("my order")
    assert caller.silent(120) == []
    assert caller.silent(20) == [taken("my order")]


def test_a_guess_is_not_let_go_by_a_noise() -> None:
    """The detector found too little voice; the recogniser still says how it ends."""
    caller = call(speculative=True)
    caller.speaks(100)
    caller.policy.eager_end("yes", caller.now)
    assert caller.silent(600) == [DropSegment()]
    assert caller.heard("Yes.", finalized=False, end_of_turn=True) == [CERTAIN, RESUME]


def test_a_key_drops_the_guess() -> None:
    """The turn goes on with the keys."""
    caller = call(speculative=True)
    caller.speaks(600)
    caller.silent(200)
    caller.heard("my number")
    assert caller.presses("1") == [DROP_ANSWER]
    assert caller.waits(DIGITS_WAIT_S) == [taken("my number", "1")]


def test_a_guess_that_never_becomes_certain_is_given_up() -> None:
    """The recogniser promised an end and sent none."""
    caller = call(speculative=True)
    caller.policy.eager_end("my order", caller.now)
    assert caller.waits(SPECULATION_S - 0.1) == []
    assert caller.waits(0.1) == [DROP_ANSWER]
