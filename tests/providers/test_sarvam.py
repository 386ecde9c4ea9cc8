"""What Sarvam's plugins share."""

from __future__ import annotations

import pytest

from exobridge_providers import sarvam
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderUnavailableError,
)
from exobridge_providers.vendor import vendor_code

KEY = "sk-1234"


@pytest.mark.parametrize(
    ("codes", "odia"),
    [(sarvam.codes(sarvam.HEARD), "or-IN"), (sarvam.older_codes(sarvam.HEARD), "od-IN")],
)
def test_odia_is_written_as_the_endpoint_has_it(codes: dict[str, str], odia: str) -> None:
    """Whatever the template writes, and no other language is touched."""
    assert [vendor_code(tag, codes) for tag in ("or-IN", "or", "OR-in")] == [odia] * 3
    assert [vendor_code(tag, codes) for tag in ("hi", "en-US", "mai-IN")] == [
        "hi-IN",
        "en-IN",
        "mai-IN",
    ]


@pytest.mark.parametrize(
    ("code", "tag"),
    [("od-IN", "or-IN"), ("or-IN", "or-IN"), ("ta-IN", "ta-IN"), ("unknown", None), (None, None)],
)
def test_what_was_detected_is_told_in_the_hosts_words(code: str | None, tag: str | None) -> None:
    """Odia too, and nothing where nothing was."""
    assert sarvam.host_tag(code) == tag


@pytest.mark.parametrize(
    ("told", "kind", "retryable"),
    [
        ({"code": "invalid_api_key_error", "message": "no"}, ProviderAuthError, False),
        ({"code": 403, "message": "no"}, ProviderAuthError, False),
        (
            {"code": "insufficient_quota_error", "status_code": 429},
            ProviderUnavailableError,
            False,
        ),
        ({"message": "Credits exhausted", "code": 429}, ProviderUnavailableError, False),
        ({"code": "rate_limit_exceeded_error"}, ProviderUnavailableError, True),
        ({"code": "internal_server_error", "status_code": "500"}, ProviderUnavailableError, True),
        ({"error": {"code": "invalid_request_error"}}, ProviderConfigError, False),
        ([{"error": "Bad parameter", "code": 422}], ProviderConfigError, False),
        ("try again", ProviderUnavailableError, True),
        (None, ProviderUnavailableError, True),
    ],
)
def test_an_error_is_understood_however_it_is_told(
    told: object, kind: type[Exception], retryable: bool
) -> None:
    """As words, an object, one inside another, or a list; a quota is no passing trouble."""
    error = sarvam.trouble(told, "sarvam", KEY)
    assert type(error) is kind
    assert error.retryable is retryable


def test_an_error_does_not_tell_the_key() -> None:
    """Though the vendor does."""
    error = sarvam.trouble({"message": f"bad key {KEY}", "code": f"x{KEY}"}, "sarvam", KEY)
    assert KEY not in str(error)
    assert "bad key" in str(error)
