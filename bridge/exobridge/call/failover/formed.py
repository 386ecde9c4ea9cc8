"""Whether what a provider gives out is what the contract declares: a plugin's bug is stopped at the
door, before any of it is taken for true or put on record."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from exobridge_providers.errors import ProviderProtocolError

Types = tuple[type[Any], ...]

_LIKE: dict[object, Types] = {float: (float, int), bytes: (bytes, bytearray, memoryview)}
"""What serves as well as the declared type."""


@cache
def _declared(event: Any) -> tuple[tuple[str, Types], ...]:
    """The fields of a class, each with what it may hold."""
    hints = get_type_hints(event)
    return tuple((each.name, _types(hints[each.name])) for each in fields(event))


def _types(hint: Any) -> Types:
    if get_origin(hint) in (Union, UnionType):
        return tuple(found for each in get_args(hint) for found in _types(each))
    return _LIKE.get(hint, (hint,))


def check_formed(event: object, declared: Types, what: str, provider: str) -> None:
    """Check an event or an action.

    Args:
        declared: The classes of its kind.
        what: Names the kind in the error.

    Raises:
        ProviderProtocolError: It is none of them, or a field of it holds what it should not.
    """
    kind: Any = type(event)
    if not isinstance(event, declared):
        raise ProviderProtocolError(f"{kind.__name__} is no {what}", provider=provider)
    for name, types in _declared(kind):
        if not isinstance(getattr(event, name), types):
            raise ProviderProtocolError(f"a malformed {kind.__name__}", provider=provider)
