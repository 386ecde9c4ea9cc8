"""What a refusal means, and words that are fit for a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderUnavailableError,
)
from exobridge_providers.vendor import refused, trouble_of_status


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (301, ProviderConfigError, False),
        (400, ProviderConfigError, False),
        (401, ProviderAuthError, False),
        (402, ProviderUnavailableError, False),
        (403, ProviderAuthError, False),
        (404, ProviderConfigError, False),
        (408, ProviderUnavailableError, True),
        (409, ProviderUnavailableError, True),
        (425, ProviderUnavailableError, True),
        (429, ProviderUnavailableError, True),
        (500, ProviderUnavailableError, True),
        (503, ProviderUnavailableError, True),
        (529, ProviderUnavailableError, True),
    ],
)
def test_a_status_says_whose_fault_it_is(status: int, kind: type, retryable: bool) -> None:
    """And whether it may pass."""
    error = trouble_of_status(status, "acme", "its words")
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.status_code == status
    assert error.provider == "acme"
    assert str(status) in str(error)
    assert "its words" in str(error)


@given(st.text(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_the_vendors_words_are_short_printable_and_without_secrets(words: str, key: str) -> None:
    """Whatever they are."""
    told = refused(f"{words}{key}{words}", (key,))
    assert key not in told
    assert len(told) <= 201
    assert told.replace("…", "").isascii()
    assert told.replace("…", "").isprintable()


def test_a_key_cut_off_at_the_end_is_not_told_either() -> None:
    """What is too long is cut after the secrets were taken out."""
    assert "secret" not in refused("x" * 196 + "secret-key", ("secret-key",))


def test_an_empty_secret_hides_nothing() -> None:
    """A plugin without a key has one."""
    assert refused("hello", ("",)) == "hello"
