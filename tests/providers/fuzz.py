"""Messages that a vendor could send, and those that it never would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from exobridge_providers.errors import ProviderError

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def messages(keys: Sequence[str], words: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of the vendor's own keys, with its own words, anything else, and each other in them.

    Args:
        words: Values that mean something.
    """
    some = st.sampled_from(words) | _ANYTHING
    inner = st.dictionaries(st.sampled_from(keys), some, max_size=4)
    return st.dictionaries(st.sampled_from(keys), some | inner, max_size=5)


def bears(take: Callable[[dict[str, Any]], Iterable[object]], message: dict[str, Any]) -> None:
    """Take a message; an error that sessions know is fine, any other is raised."""
    with suppress(ProviderError, LookupError, TypeError, ValueError, AttributeError):
        list(take(message))
