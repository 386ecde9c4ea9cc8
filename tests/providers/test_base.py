"""What all providers share of the contract's code."""

from __future__ import annotations

import pytest

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import SttCapabilities, SttConfig, check_config, speaks
from exobridge_providers.errors import ProviderConfigError

EIGHT = pcm16(8000)


@pytest.mark.parametrize(
    ("languages", "tag", "known"),
    [
        ({"en"}, "en-IN", True),
        ({"en"}, "EN", True),
        ({"en-US"}, "en-IN", False),
        ({"en-IN", "hi"}, "hi-IN", True),
        ({"en"}, "eng", False),
        (set[str](), "ta-IN", True),
    ],
)
def test_a_bare_language_stands_for_every_region(
    languages: set[str], tag: str, known: bool
) -> None:
    """``en`` covers ``en-IN``, a region covers itself only, and none covers all."""
    assert speaks(frozenset(languages), tag) is known


def test_an_undeclared_format_is_refused_with_the_declared_ones_named() -> None:
    """The message tells what to use instead."""
    known = SttCapabilities(formats=(pcm16(16_000), EIGHT))
    with pytest.raises(ProviderConfigError, match=r"24000 Hz; it takes pcm16 at 16000 Hz, pcm16"):
        check_config(SttConfig(pcm16(24_000), "en"), known, "acme")
    check_config(SttConfig(EIGHT, "en"), known, "acme")


def test_an_undeclared_language_is_refused() -> None:
    """The error carries the provider's name."""
    known = SttCapabilities(formats=(EIGHT,), languages=frozenset({"en"}))
    with pytest.raises(ProviderConfigError, match="hi-IN") as caught:
        check_config(SttConfig(EIGHT, "hi-IN"), known, "acme")
    assert caught.value.provider == "acme"
    assert not caught.value.retryable
