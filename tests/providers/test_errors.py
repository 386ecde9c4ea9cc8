"""The errors of providers."""

from __future__ import annotations

from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)


def test_an_unexpected_error_is_told_by_its_type_only() -> None:
    """Its message may hold a key or the caller's words; the cause keeps it for the debugger."""
    cause = ValueError("sk-secret")
    error = as_provider_error(cause, "inference", "acme")
    assert str(error) == "inference failed: ValueError"
    assert error.retryable
    assert error.provider == "acme"
    assert error.__cause__ is cause


def test_a_provider_error_stays_itself() -> None:
    """Nothing is wrapped twice."""
    error = ProviderError("no")
    assert as_provider_error(error, "inference", "acme") is error


def test_what_may_pass_is_retryable() -> None:
    """The class decides unless the error says otherwise."""
    assert ProviderUnavailableError("down").retryable
    assert not ProviderUnavailableError("gone", retryable=False).retryable
    assert not ProviderError("broken").retryable
