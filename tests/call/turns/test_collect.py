"""Keys that the dialogue asks for, in virtual time."""

from __future__ import annotations

import pytest

from exobridge.call.turns import Action, Signal, TakeTurn
from exobridge_providers.base import CollectDigits
from exobridge_providers.errors import ProviderError
from tests.call.turns.caller import Caller, bot_talking, call

PIN = CollectDigits(max_digits=4, terminator="#", timeout_seconds=5.0)


def taken(text: str, digits: str, *, interrupted: bool = False) -> TakeTurn:
    return TakeTurn(text, digits, interrupted)


def asked(**settings: object) -> Caller:
    """The bot has just asked for a PIN."""
    caller = bot_talking(**settings)
    caller.policy.collect(PIN)
    caller.bot_ends()
    return caller


def test_a_turn_without_keys_is_one_if_they_were_asked_for() -> None:
    """After the time-out, which begins when the bot has finished; nothing is idle meanwhile."""
    caller = bot_talking(idle_seconds=2)
    caller.policy.collect(PIN)
    assert caller.waits(20) == []
    caller.bot_ends()
    assert caller.waits(4.9) == []
    assert caller.waits(0.1) == [taken("", "")]


def test_keys_may_be_asked_for_when_the_greeting_is_over() -> None:
    """The dialogue was opened late: the wait begins at once, and nothing is idle meanwhile."""
    caller = call(idle_seconds=2)
    caller.policy.collect(PIN)
    assert caller.waits(4.9) == []
    assert caller.waits(0.1) == [taken("", "")]
    assert caller.waits(20) == []  # the answer to it is awaited


def test_the_rules_hold_for_one_turn() -> None:
    """Afterwards silence is idle again, and keys end with a pause of 1.5 s."""
    caller = asked(idle_seconds=10)
    assert caller.presses(*"1234") == [taken("", "1234")]
    caller.bot_starts()
    caller.bot_ends()
    assert caller.waits(10) == [Signal.IDLE]
    assert caller.presses(*"56789") == []
    assert caller.waits(1.5) == [taken("", "56789")]


def test_keys_pressed_while_the_bot_still_asks_count() -> None:
    """Callers who know the menu do not wait."""
    caller = bot_talking()
    caller.policy.collect(PIN)
    assert caller.presses(*"12") == [Signal.INTERRUPT_BOT]
    assert caller.waits(4.9) == []
    assert caller.presses(*"34") == [taken("", "1234", interrupted=True)]


def test_words_are_an_answer_too() -> None:
    """They end the rules, and a time-out does not cut them."""
    caller = asked()
    caller.waits(4.5)
    actions = caller.says("i do not have one", 1500)
    assert actions[-1] == taken("i do not have one", "")
    assert caller.waits(5.5) == []


@pytest.mark.parametrize("after_s", [0.0, 1.6])
def test_a_late_hash_changes_nothing(after_s: float) -> None:
    """The answer that is being made goes on."""
    caller = asked()
    caller.presses(*"1234")
    caller.waits(after_s)
    assert caller.presses("#") == []


def test_impossible_rules_are_refused() -> None:
    """It is the dialogue's mistake."""
    with pytest.raises(ProviderError):
        call().policy.collect(CollectDigits(max_digits=0))


def test_digits_end_at_sixty_four() -> None:
    """Nobody asked for so many."""
    actions: list[Action] = call().presses(*("0" * 64))
    assert actions == [taken("", "0" * 64)]
