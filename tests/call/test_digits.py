"""The keys a caller presses."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.digits import LATE_S, UNASKED, DigitCollector
from exobridge_providers.base import CollectDigits
from exobridge_providers.errors import ProviderError

PIN = CollectDigits(max_digits=4, terminator="#", timeout_seconds=5.0)


@dataclass
class Phone:
    """A caller with a keypad and a clock; ``numbers`` is what came out, each with its time."""

    now: float = 100.0
    keys: DigitCollector = field(default_factory=DigitCollector)
    numbers: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def asked(self, rules: CollectDigits) -> Phone:
        self.keys.collect(rules)
        self.keys.start(self.now)
        return self

    def presses(self, keys: str, every_s: float = 0.3) -> None:
        for key in keys:
            self.waits(every_s)
            if not self.keys.superfluous(key, self.now):
                self._take(self.keys.press(key, self.now))

    def waits(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.keys.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self._take(self.keys.tick(self.now))
        self.now = end

    def _take(self, digits: str | None) -> None:
        if digits is not None:
            self.numbers.append((digits, round(self.now - 100.0, 3)))


def test_keys_that_nobody_asked_for_end_with_a_hash_or_a_pause() -> None:
    """The hash is not one of them; the pause is counted from the last key."""
    phone = Phone()
    phone.presses("41#")
    phone.presses("52")
    phone.waits(10)
    assert phone.numbers == [("41", 0.9), ("52", 3.0)]


def test_a_hash_alone_is_a_key() -> None:
    """A menu may offer it."""
    phone = Phone()
    phone.presses("#")
    assert phone.keys.pending
    phone.waits(UNASKED.timeout_seconds)
    assert phone.numbers == [("#", 1.8)]


def test_a_caller_who_presses_nothing_is_awaited_only_if_asked() -> None:
    """Without being asked there is nothing to be due."""
    phone = Phone()
    phone.keys.start(phone.now)
    assert phone.keys.due() is None
    phone.waits(60)
    assert phone.numbers == []
    phone.asked(PIN).waits(60)
    assert phone.numbers == [("", 65.0)]


def test_as_many_as_were_wanted_are_enough() -> None:
    """The last of them ends the number at once, and what is pressed next is another."""
    phone = Phone().asked(PIN)
    phone.presses("1234")
    assert phone.numbers == [("1234", 1.2)]
    assert not phone.keys.asked
    phone.presses("9")
    assert phone.keys.digits == "9"


def test_a_terminator_ends_what_was_asked_for() -> None:
    """Even if nothing was pressed: the caller has no number to give."""
    phone = Phone().asked(CollectDigits(max_digits=8, terminator="*"))
    phone.presses("12#*")
    phone.asked(PIN).presses("#")
    assert [digits for digits, _ in phone.numbers] == ["12#", ""]


def test_without_a_terminator_every_key_counts() -> None:
    """Only their number and the pause end them."""
    phone = Phone().asked(CollectDigits(max_digits=3, terminator=""))
    phone.presses("#*#")
    assert phone.numbers == [("#*#", 0.9)]


def test_the_pause_after_a_key_is_that_of_the_rules() -> None:
    """What there is when it has passed is the number."""
    phone = Phone().asked(PIN)
    phone.waits(4)
    phone.presses("1")
    phone.waits(4.9)
    phone.presses("2", every_s=0)
    phone.waits(5.1)
    assert phone.numbers == [("12", 14.2)]


def test_the_wait_for_the_first_key_begins_when_the_bot_has_finished() -> None:
    """While it still asks, no time passes; nor is a key forgotten when it finishes after it."""
    phone = Phone()
    phone.keys.collect(PIN)
    phone.waits(30)
    assert phone.numbers == []
    phone.keys.start(phone.now)
    phone.waits(3)
    phone.keys.start(phone.now)  # a noise is over
    phone.waits(4)
    phone.presses("7")
    phone.waits(3)
    phone.keys.start(phone.now)
    phone.waits(5)
    assert phone.numbers == [("7", 42.3)]


@pytest.mark.parametrize(("number", "after"), [("1234", 0.5), ("12", 5.5), ("12#", 0.5)])
def test_a_terminator_that_comes_late_is_passed_over(number: str, after: float) -> None:
    """Habit presses it after the last key, after the pause, or twice; it is no key of the next
    number."""
    phone = Phone().asked(PIN)
    phone.presses(number)
    phone.presses("#", after)
    phone.presses("#")
    assert [digits for digits, _ in phone.numbers] == [number.removesuffix("#")]
    assert not phone.keys.pending


@pytest.mark.parametrize(("keys", "after"), [("#", LATE_S + 0.1), ("*", 0.5), ("5#", 0.5)])
def test_only_the_terminator_itself_is_late_and_not_for_long(keys: str, after: float) -> None:
    """Another key, or one that comes much later, begins something new."""
    phone = Phone().asked(PIN)
    phone.presses("1234")
    phone.presses(keys, after)
    phone.waits(10)
    assert [digits for digits, _ in phone.numbers][1:] == [keys.removesuffix("#") or "#"]


def test_a_turn_ends_the_rules_with_what_was_pressed() -> None:
    """The caller spoke instead, say."""
    phone = Phone().asked(PIN)
    phone.presses("1")
    assert phone.keys.stop() == "1"
    assert (phone.keys.asked, phone.keys.pending, phone.keys.due()) == (False, False, None)


@pytest.mark.parametrize(
    "rules",
    [
        CollectDigits(max_digits=0),
        CollectDigits(max_digits=65),
        CollectDigits(terminator="##"),
        CollectDigits(terminator="A"),
        CollectDigits(timeout_seconds=0),
        CollectDigits(timeout_seconds=121),
        CollectDigits(timeout_seconds=float("nan")),
    ],
)
def test_rules_that_no_caller_could_follow_are_refused(rules: CollectDigits) -> None:
    """They would wait for ever, or for nothing; the rules there were go on."""
    keys = DigitCollector()
    with pytest.raises(ProviderError, match="CollectDigits"):
        keys.collect(rules)
    assert not keys.asked


@given(
    st.lists(st.tuples(st.sampled_from("0123456789*#"), st.floats(0, 8)), max_size=80),
    st.integers(1, 6),
    st.sampled_from(["", "#", "*"]),
)
def test_no_key_is_lost_or_counted_twice(
    keys: list[tuple[str, float]], max_digits: int, terminator: str
) -> None:
    """All numbers together are the keys in their order, but for what ends a number; none is longer
    than asked for, and after every wait there is an end."""
    phone = Phone().asked(CollectDigits(max_digits, terminator, timeout_seconds=2.0))
    for key, after in keys:
        phone.presses(key, after)
    phone.waits(10)
    assert phone.keys.due() is None
    assert len(phone.numbers[0][0]) <= max_digits
    given_out = "".join(digits for digits, _ in phone.numbers)
    pressed = iter(key for key, _ in keys)
    assert all(digit in pressed for digit in given_out)  # in that order
    enders = {terminator, "#"}
    kept = [key for key, _ in keys if key not in enders]
    assert [digit for digit in given_out if digit not in enders] == kept
