"""When recordings are looked for."""

from __future__ import annotations

from exobridge.recordings.schedule import AT_SECONDS, GIVE_UP_SECONDS, next_look


def test_the_looks_of_a_day() -> None:
    """After 5 s, 15 s, 60 s, 180 s and 600 s; every ten minutes in the first hour; then hourly."""
    looks: list[float] = []
    age = 0.0
    while age < GIVE_UP_SECONDS:
        age += next_look(age)
        looks.append(age)
    assert tuple(looks[:5]) == AT_SECONDS == (5, 15, 60, 180, 600)
    assert looks[5:11] == [1200, 1800, 2400, 3000, 3600, 7200]
    assert looks[-1] == GIVE_UP_SECONDS
    assert len(looks) == 33


def test_a_late_look_does_not_shift_the_others() -> None:
    """A look that came late is followed by the next one of the list."""
    assert next_look(12) == 3
    assert next_look(100) == 80


def test_a_look_that_came_a_little_early_is_not_repeated() -> None:
    """It is taken for the one that was due."""
    assert next_look(4.99) == 15 - 4.99
