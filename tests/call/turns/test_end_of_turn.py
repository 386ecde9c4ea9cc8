"""How much silence ends the caller's turn."""

from __future__ import annotations

import pytest

from exobridge.call.turns.end_of_turn import MIN_SILENCE_MS, EndOfTurn
from exobridge.call.turns.vocabulary import Ending


@pytest.mark.parametrize(
    ("ending", "needed_ms"), [(Ending.WHOLE, 300), (Ending.PLAIN, 500), (Ending.OPEN, 1200)]
)
def test_the_words_decide(ending: Ending, needed_ms: float) -> None:
    """Less for a turn that is whole, more for one that goes on; only that one is said to."""
    end = EndOfTurn(500, 1200)
    assert end.needed_ms == 500
    end.learn(ending)
    assert end.needed_ms == needed_ms
    assert end.goes_on is (ending is Ending.OPEN)
    end.learn(Ending.PLAIN)
    assert end.needed_ms == 500


def test_the_recogniser_decides_where_the_words_do_not() -> None:
    """Until the next utterance; words that go on do so whatever it takes them for."""
    end = EndOfTurn(500, 1200)
    end.eager = True
    end.learn(Ending.PLAIN)
    assert end.needed_ms == 300
    end.learn(Ending.OPEN)
    assert end.needed_ms == 1200
    end.reset()
    assert (end.eager, end.needed_ms) == (False, 500)
    end.learn(Ending.PLAIN)
    assert end.needed_ms == 500


def test_who_has_paused_and_gone_on_may_pause_longer() -> None:
    """By a quarter, up to the longest silence; words that are whole end the turn as soon as ever,
    and the next utterance begins anew."""
    end = EndOfTurn(400, 1200)
    end.went_on(200)
    end.learn(Ending.PLAIN)
    assert end.needed_ms == 400
    end.went_on(380)
    end.learn(Ending.PLAIN)
    assert (end.needed_ms, end.goes_on) == (475, False)
    end.learn(Ending.WHOLE)
    assert end.needed_ms == 240
    end.went_on(1100)
    end.learn(Ending.PLAIN)
    assert end.needed_ms == 1200
    end.reset()
    assert end.needed_ms == 400


def test_a_pause_that_the_words_foretold_is_no_hesitation() -> None:
    """It says nothing of the pauses to come."""
    end = EndOfTurn(400, 1200)
    end.learn(Ending.OPEN)
    end.went_on(900)
    end.learn(Ending.PLAIN)
    assert end.needed_ms == 400


def test_no_turn_ends_after_too_little_silence() -> None:
    """Nor is the longest silence ever the shorter."""
    end = EndOfTurn(250, 200)
    end.learn(Ending.WHOLE)
    assert end.needed_ms == MIN_SILENCE_MS
    end.learn(Ending.OPEN)
    assert end.needed_ms == 250
