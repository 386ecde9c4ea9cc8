"""Language codes on a vendor's wire."""

from __future__ import annotations

import pytest

from exobridge_providers.vendor import vendor_code

CODES = {"or-in": "od-IN", "en": "en-GB", "en-us": "en-US"}


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("or-IN", "od-IN"),
        ("OR-in", "od-IN"),
        ("en-US", "en-US"),
        ("en-IN", "en-GB"),
        ("en", "en-GB"),
        ("hi-IN", "hi"),
        ("hi", "hi"),
    ],
)
def test_a_tag_is_written_as_the_vendor_wants_it(tag: str, code: str) -> None:
    """Its own spelling, else that of its language, else the language itself."""
    assert vendor_code(tag, CODES) == code
