"""Whether a provider is worth asking, by the clock that is passed in."""

from __future__ import annotations

import pytest

from exobridge.call.failover.breaker import (
    FAILURES,
    JITTER,
    MAX_REST_S,
    REST_S,
    TRIAL_S,
    WINDOW_S,
    Circuit,
    CircuitState,
)

EVEN = 0.5
"""The chance that makes no jitter."""


def circuit(chance: float = EVEN) -> Circuit:
    return Circuit(lambda: chance)


def opened(now: float = 0.0, chance: float = EVEN) -> Circuit:
    """One that has just opened."""
    found = circuit(chance)
    for _ in range(FAILURES):
        found.failed(now)
    assert found.state(now) is CircuitState.OPEN
    return found


def test_a_new_circuit_is_closed() -> None:
    """Nobody has failed yet."""
    assert circuit().state(0) is CircuitState.CLOSED
    assert circuit().admits(0)


def test_it_opens_at_the_third_failure() -> None:
    """And says for how long; another failure in that time changes nothing."""
    found = circuit()
    assert [found.failed(now) for now in (0, 1, 2, 3)] == [None, None, REST_S, None]
    assert not found.admits(3)
    assert found.state(2 + REST_S - 0.1) is CircuitState.OPEN
    assert found.state(2 + REST_S) is CircuitState.HALF_OPEN


def test_failures_far_apart_do_not_open_it() -> None:
    """The first is forgotten when the third comes."""
    found = circuit()
    assert [found.failed(now) for now in (0, 30, WINDOW_S, WINDOW_S + 1)] == [None] * 3 + [REST_S]


def test_a_success_clears_the_failures_before_it() -> None:
    """They were not in a row."""
    found = circuit()
    found.failed(0)
    found.failed(1)
    assert not found.worked(asked_at=2)
    assert found.failed(3) is None
    assert found.failed(4) is None
    assert found.failed(5) == REST_S


def test_a_success_of_a_session_from_before_says_nothing() -> None:
    """What is open may go on where nothing new opens."""
    found = circuit()
    for now in (10, 11):
        found.failed(now)
    found.worked(asked_at=5)
    assert found.failed(12) == REST_S
    assert not found.worked(asked_at=5)
    assert found.state(13) is CircuitState.OPEN


def test_what_will_not_help_opens_it_at_once() -> None:
    """A wrong key is wrong the next time too."""
    found = circuit()
    assert found.failed(0, for_good=True) == REST_S


def test_half_open_one_call_tries() -> None:
    """The others pass it over, until nothing was heard of the trial for long."""
    found = opened()
    assert found.admits(REST_S)
    found.asked(REST_S)
    assert not found.admits(REST_S + 1)
    assert found.admits(REST_S + TRIAL_S)


def test_a_trial_that_works_closes_it() -> None:
    """The next rest is a short one again."""
    found = opened()
    found.asked(REST_S)
    assert found.worked(asked_at=REST_S)
    assert found.admits(REST_S)
    for _ in range(FAILURES - 1):
        assert found.failed(100) is None
    assert found.failed(100) == REST_S


def test_a_call_that_had_nobody_else_closes_it_too() -> None:
    """It was asked while the circuit was open, and it worked."""
    found = opened()
    assert found.worked(asked_at=1)
    assert found.state(2) is CircuitState.CLOSED


def test_each_trial_that_fails_doubles_the_rest() -> None:
    """Up to five minutes."""
    found = opened()
    now, rests = REST_S, list[float | None]()
    for _ in range(6):
        found.asked(now)
        rests.append(found.failed(now))
        now += rests[-1] or 0
    assert rests == [60, 120, 240, MAX_REST_S, MAX_REST_S, MAX_REST_S]


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 1 - JITTER), (1.0, 1 + JITTER)])
def test_rests_are_a_little_longer_or_shorter(chance: float, factor: float) -> None:
    """So that many processes do not try at the same moment."""
    found = opened(chance=chance)
    assert found.state(REST_S * factor - 0.01) is CircuitState.OPEN
    assert found.state(REST_S * factor) is CircuitState.HALF_OPEN
