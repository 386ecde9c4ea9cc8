"""The rules of turn-taking, in virtual time: keys."""

from __future__ import annotations

from exobridge.call.digits import UNASKED
from exobridge.call.turns import Signal
from exobridge.call.turns.said import MAX_DIGITS
from tests.call.turns.caller import bot_talking, call, taken, turns

INTERRUPT = Signal.INTERRUPT_BOT
DIGITS_WAIT_S = UNASKED.timeout_seconds
DROP_ANSWER = Signal.DROP_ANSWER


def test_hash_ends_the_digits() -> None:
    """At once, and it is none of them."""
    assert call().presses(*"12*3#") == [taken("", "12*3")]


def test_a_pause_ends_the_digits() -> None:
    """1.5 s after the last key."""
    caller = call()
    caller.presses("1")
    assert caller.waits(1.4) == []
    caller.presses("2")
    assert caller.waits(DIGITS_WAIT_S - 0.01) == []
    assert caller.waits(0.01) == [taken("", "12")]


def test_hash_alone_is_a_key() -> None:
    """There is nothing it could end."""
    caller = call()
    assert caller.presses("#") == []
    assert caller.waits(DIGITS_WAIT_S) == [taken("", "#")]


def test_a_key_interrupts_the_bot() -> None:
    """At the first press."""
    caller = bot_talking()
    assert caller.presses("1") == [INTERRUPT]
    assert caller.presses("#") == [taken("", "1", interrupted=True)]


def test_a_key_pressed_just_before_the_bot_starts_interrupts_it_in_time() -> None:
    """The digits end while the bot talks."""
    caller = call()
    caller.presses("7")
    caller.bot_starts()
    assert caller.waits(DIGITS_WAIT_S) == [INTERRUPT, taken("", "7", interrupted=True)]


def test_keys_before_the_bot_is_heard_belong_together() -> None:
    """The answer to the first is dropped, and the next turn holds both."""
    caller = call()
    caller.presses("1")
    caller.waits(DIGITS_WAIT_S)
    assert caller.presses("2") == [DROP_ANSWER]
    assert caller.waits(DIGITS_WAIT_S) == [taken("", "12")]


def test_a_late_hash_is_still_no_digit() -> None:
    """It came when the pause had ended the digits already."""
    caller = call()
    caller.presses(*"123")
    caller.waits(DIGITS_WAIT_S)
    assert caller.presses("#") == []


def test_keys_and_voice_before_the_bot_is_heard_belong_together() -> None:
    """Voice that drops the answer to keys does not lose them."""
    caller = call()
    caller.presses(*"5#")
    assert caller.says("the blue one")[-1] == taken("the blue one", "5")


def test_keys_pressed_while_words_are_understood_are_not_lost() -> None:
    """The silence after the words goes on while the keys do; both are one turn, at the end of
    them."""
    caller = call()
    caller.speaks(300)
    caller.silent(500)
    caller.presses(*"28")
    assert caller.heard("my number is") == []
    assert caller.silent(DIGITS_WAIT_S * 1000) == [taken("my number is", "28")]


def test_words_wait_for_the_end_of_the_digits() -> None:
    """A number is not cut in two by a text that comes in the middle, nor by a tone's echo."""
    caller = call()
    caller.speaks(300)
    caller.presses("4")
    caller.silent(520)
    assert caller.heard("my pin code") == []
    caller.presses("2")
    assert caller.waits(DIGITS_WAIT_S) == [taken("my pin code", "42")]


def test_digits_are_bounded() -> None:
    """So many are a turn at once."""
    [turn] = turns(call().presses(*("0" * MAX_DIGITS)))
    assert turn.digits == "0" * MAX_DIGITS
