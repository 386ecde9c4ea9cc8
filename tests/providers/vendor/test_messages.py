"""A vendor's messages: decoded, and borne where they are garbage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.errors import ProviderProtocolError
from exobridge_providers.vendor.messages import MAX_GARBAGE, Messages


def take(message: dict[str, Any]) -> Iterable[str]:
    """What a plugin does."""
    return [message["text"].upper()]


def test_an_object_is_taken_as_text_and_as_bytes() -> None:
    """JSON comes as either."""
    messages = Messages("acme")
    assert messages.taken('{"text": "a"}', take) == ["A"]
    assert messages.taken(b'{"text": "b"}', take) == ["B"]


def test_bytes_are_audio_where_the_plugin_says_so() -> None:
    """And text is JSON all the same."""
    messages = Messages("acme")
    assert messages.taken(b"\x01", take, lambda audio: [f"{len(audio)} bytes"]) == ["1 bytes"]
    assert messages.taken('{"text": "a"}', take, lambda audio: ["audio"]) == ["A"]


def test_garbage_is_counted_and_gives_nothing() -> None:
    """Until there is too much of it in a row."""
    messages = Messages("acme")
    for _ in range(3):
        for _ in range(MAX_GARBAGE - 1):
            assert messages.taken('{"text": 7}', take) == []
        assert messages.taken('{"text": "a"}', take) == ["A"]
    assert messages.garbage == 3 * (MAX_GARBAGE - 1)
    for _ in range(MAX_GARBAGE - 1):
        messages.taken("[", take)
    with pytest.raises(ProviderProtocolError, match="nobody understands"):
        messages.taken("[", take)


@given(st.one_of(st.text(), st.binary()))
def test_nothing_that_comes_raises_at_first(message: str | bytes) -> None:
    """A single message of any content."""
    assert isinstance(Messages("acme").taken(message, take), list)
