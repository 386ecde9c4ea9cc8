"""The circuits of a process."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from exobridge.call.failover.breaker import CircuitState
from exobridge.call.failover.circuits import Circuits, provider_key
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind

ONE = provider_key(Kind.STT, "acme", {"key": 1})
OTHER = provider_key(Kind.STT, "acme", {"key": 2})


def test_the_same_provider_with_other_options_has_a_circuit_of_its_own() -> None:
    """The order in which they stand does not count."""
    circuits = Circuits(lambda: 0.0)
    assert circuits.of(ONE) is not circuits.of(OTHER)
    key = provider_key(Kind.STT, "acme", {"b": 1, "a": [2]})
    assert key == provider_key(Kind.STT, "acme", {"a": [2], "b": 1})


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (ProviderAuthError("no"), True),
        (ProviderConfigError("no"), True),
        (ProviderUnavailableError("no"), False),
        (ProviderError("no"), False),
    ],
)
def test_a_wrong_key_or_setting_opens_it_at_once(error: ProviderError, opens: bool) -> None:
    """Other failures may pass."""
    circuits = Circuits(lambda: 0.0)
    circuits.failed(ONE, error)
    assert circuits.of(ONE).admits(0.0) is not opens


def test_states_are_counted_by_name() -> None:
    """Every state of a known provider, those with none at 0."""
    circuits = Circuits(lambda: 0.0)
    circuits.of(OTHER)
    circuits.failed(ONE, ProviderAuthError("no"))
    assert circuits.states() == {
        (Kind.STT, "acme", CircuitState.CLOSED): 1,
        (Kind.STT, "acme", CircuitState.OPEN): 1,
        (Kind.STT, "acme", CircuitState.HALF_OPEN): 0,
    }


def test_the_log_tells_when_one_opens_and_closes() -> None:
    """And for how long, and why; a failure in between is no news."""
    circuits = Circuits(lambda: 0.0)
    with capture_logs() as log:
        circuits.failed(ONE, ProviderAuthError("no"))
        circuits.failed(ONE, ProviderAuthError("no"))
        circuits.worked(ONE, 0.0)
        circuits.worked(ONE, 0.0)
    opened, closed = log
    assert (opened["event"], opened["kind"], opened["provider"], opened["error"]) == (
        "circuit opened",
        "stt",
        "acme",
        "no",
    )
    assert 24 <= opened["seconds"] <= 36
    assert (closed["event"], closed["log_level"]) == ("circuit closed", "info")
