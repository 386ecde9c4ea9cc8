"""What a webhook of Exotel's was given: names and values, however they were sent.

They come in a query, a form or a JSON object, all values strings, empty ones maybe the literal
``null``. Names are spelled in more than one way (``CallFrom``, ``Callfrom``), and what belongs
together is written ``Stream[StreamSID]``, ``Legs[0][Number]``, or is one parameter holding JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import cast

import msgspec

from exobridge.exotel.redaction import redact

MAX_PARAMETERS = 500
"""Most parameters read, each member of a nested one counted."""

MAX_NAME = 128
MAX_VALUE = 2048
"""Longest name and value kept, in characters."""

MAX_ENTRIES = 100
"""Most entries of a list that are read; a call has fewer legs."""

NESTED = frozenset({"stream", "legs"})
"""Parameters that may hold JSON with members of their own."""

_DEPTH = 4
_SECRETS = frozenset({"authtoken"})
_PATH = re.compile(r"([^\[\]]*)((?:\[[^\[\]]*\])+)")
_MEMBER = re.compile(r"\[([^\[\]]*)\]")
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Given:
    """A request's parameters. Made by :func:`read_given`.

    Attributes:
        kept: Names as they were sent and values, for the record: those that say something, without
            our secret, and with every URL in them cut down (:func:`~.redaction.redact`).
    """

    kept: Mapping[str, str]
    _values: Mapping[str, str]

    def text(self, *names: str) -> str:
        """Of the first of these parameters that says something. Case and ``_`` do not matter."""
        return next(filter(None, (self._values.get(_plain(name), "") for name in names)), "")

    def members(self, name: str) -> Mapping[str, str]:
        """Members of a nested parameter by their plain names, e.g. ``streamsid``."""
        found: dict[str, str] = {}
        for path, value in self._under(name):
            found.setdefault(path[-1], value)
        return found

    def entries(self, name: str) -> list[Mapping[str, str]]:
        """Members of each entry of a nested list, by index; indexes may be missing, in any order,
        and what is none is passed over."""
        found: dict[int, dict[str, str]] = {}
        for path, value in self._under(name):
            if len(path) > 1 and _INDEX.fullmatch(path[0]):
                found.setdefault(int(path[0]), {}).setdefault(path[-1], value)
        return [found[index] for index in sorted(found)[:MAX_ENTRIES]]

    def _under(self, name: str) -> Iterator[tuple[list[str], str]]:
        for each, value in self._values.items():
            match = _PATH.fullmatch(each)
            if match and match[1] == name:
                yield _MEMBER.findall(match[2]), value


def read_given(pairs: Iterable[tuple[str, str]]) -> Given:
    """Read a query's, a form's or a JSON object's pairs; of a repeated name the first that says
    something counts. Never raises."""
    kept: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, value in islice(_flat(pairs), MAX_PARAMETERS):
        name, plain = name.strip()[:MAX_NAME], _plain(name)[:MAX_NAME]
        text = clean(value)
        if text and plain not in values and plain not in _SECRETS:
            values[plain] = text
            kept[clean(name)] = redact(text)
    return Given(kept, values)


def clean(value: str) -> str:
    """Without blanks around it, and without NULs and lone surrogates, which no database takes;
    ``null`` is empty."""
    value = value.replace("\0", "").encode("utf-8", "replace").decode().strip()[:MAX_VALUE]
    return "" if value.lower() == "null" else value


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "")


def _flat(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The pairs, with those that hold JSON as one pair for each of its members."""
    for name, value in pairs:
        if _plain(name) in NESTED and value.lstrip()[:1] in ("{", "["):
            try:
                decoded = msgspec.json.decode(value, type=object)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                yield name, value
            else:
                yield from _spread(name, decoded, _DEPTH)
        else:
            yield name, value


def _spread(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif not isinstance(value, dict | list):
        yield name, msgspec.json.encode(value).decode()
    elif depth:
        members = (
            cast("dict[object, object]", value).items()
            if isinstance(value, dict)
            else enumerate(cast("list[object]", value))
        )
        for key, member in members:
            yield from _spread(f"{name}[{key}]", member, depth - 1)
