"""A receiver that is down is left alone, and found soon once it is back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exobridge.webhooks.circuit import (
    BESIDE_PROBE,
    FAILURES,
    LONGEST_HOLD,
    LONGEST_WAIT,
    SHORTEST_WAIT,
    Circuit,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """Some time after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def down() -> Circuit:
    """One whose receiver has just failed too often."""
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit.failed(NOW)
    return circuit


def test_a_few_failures_are_no_outage() -> None:
    """Until there are five in a row; an answer in between begins the count anew."""
    circuit = Circuit()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            circuit.failed(NOW)
            assert (circuit.is_down, circuit.enter(NOW), circuit.room(NOW, 9)) == (False, 0, 9)
        circuit.answered()
    assert down().is_down


def test_only_a_probe_gets_by() -> None:
    """Nothing while it is left alone; then one, and the others wait for what becomes of it."""
    circuit = down()
    assert (circuit.room(NOW, 9), circuit.enter(NOW)) == (0, SHORTEST_WAIT)
    then = later(SHORTEST_WAIT)
    assert (circuit.room(then, 9), circuit.enter(then)) == (1, 0)
    assert circuit.enter(then) == BESIDE_PROBE
    circuit.leave(circuit.probe)
    assert circuit.enter(then) == 0
    circuit.answered()
    assert (circuit.is_down, circuit.room(then, 9), circuit.enter(then)) == (False, 9, 0)


def test_who_was_sent_before_the_outage_is_no_probe() -> None:
    """Nor is the probe of an outage that is over: when it is gone, the one that runs stays one."""
    circuit = Circuit()
    assert (circuit.enter(NOW), circuit.probe) == (0, 0)
    then = later(SHORTEST_WAIT)
    early = [0]
    for _ in range(2):
        for _ in range(FAILURES):
            circuit.failed(NOW)
        assert circuit.enter(then) == 0
        for probe in early:
            circuit.leave(probe)
        assert circuit.enter(then) == BESIDE_PROBE
        early.append(circuit.probe)
        circuit.answered()


def test_probes_grow_rarer_with_the_outage() -> None:
    """A sixtieth of it, within bounds: after an hour one a minute."""
    circuit, waits, now = down(), [SHORTEST_WAIT], NOW
    while now < later(86_400):
        now += timedelta(seconds=circuit.wait(now))
        circuit.failed(now)
        waits.append(circuit.wait(now))
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert 250 < len(waits) < 700
    circuit = down()
    circuit.failed(later(3600))
    assert circuit.wait(later(3600)) == 60


def test_the_receivers_own_wish_counts_at_once() -> None:
    """Within bounds, and a shorter one of another webhook does not cut it short."""
    circuit = Circuit()
    circuit.failed(NOW, 90)
    assert circuit.is_down
    circuit.failed(NOW, 10)
    assert circuit.wait(NOW) == 90
    circuit.failed(NOW, 1e6)
    assert circuit.wait(NOW) == LONGEST_HOLD


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    """A wait longer than any there can be is none."""
    assert down().wait(later(-86_400)) == 0
