"""An answer of Exotel's API as one tree, whether it came as JSON or as XML. Pure.

Exotel answers XML where ``.json`` is not asked for, and some JSON has its keys in lower case, so
names are looked up without case and ``_``. XML that declares a document type is refused: entities
could then be declared, and expanded without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast
from xml.etree import ElementTree

import msgspec

MAX_BODY = 1024 * 1024
"""Longest answer that is read, in bytes; a page of 50 ExoPhones has some 20 KB."""

MAX_DEPTH = 16
MAX_TEXT = 8192
"""Longest text that is kept, in characters: a presigned URL may have 2000 and more."""

_INTEGER = re.compile(r"[0-9]{1,9}", re.ASCII)


class UnreadableAnswerError(ValueError):
    """Neither JSON nor XML, or too deep. Its text never holds any of it."""


class Node:
    """One object of an answer. Names are found however they are spelled."""

    def __init__(self, members: Mapping[str, object] | None = None) -> None:
        self._members = members or {}

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._members

    def text(self, name: str) -> str:
        """Empty if it is missing, ``null``, or no text, number or flag."""
        return _text(self._members.get(_plain(name)))

    def number(self, name: str) -> int | None:
        """A whole number that is not negative; ``None``: it is none."""
        return _number(self.text(name))

    def node(self, name: str) -> Node:
        """An object; empty if there is none."""
        return Node(_object(self._members.get(_plain(name))))

    def nodes(self, name: str, each: str) -> list[Node]:
        """The objects of a list, with or without a wrapper of this name around each: JSON has
        ``[{"Leg": {}}]``, XML ``<Legs><Leg/><Leg/></Legs>``."""
        inside = self.node(name)
        holder, key = (inside, each) if each in inside else (self, name)
        found = holder._members.get(_plain(key))
        entries = cast("list[object]", found) if isinstance(found, list) else [found]
        listed = [Node(entry) for entry in map(_object, entries) if entry]
        return [entry.node(each) if each in entry else entry for entry in listed]

    def numbers(self) -> dict[str, int]:
        """All whole numbers at whatever depth, by their plain names; of one name the first."""
        found: dict[str, int] = {}
        for name, value in _leaves(self._members):
            number = _number(_text(value))
            if number is not None:
                found.setdefault(name, number)
        return found


def read_answer(body: bytes) -> Node:
    """The answer's outermost object; of XML what is inside of the root.

    Raises:
        UnreadableAnswerError: It has none.
    """
    try:
        text = body.decode("utf-8-sig")
        tree = _from_xml(text) if text.lstrip().startswith("<") else _folded(_json(text), 0)
    except (UnicodeDecodeError, ElementTree.ParseError, msgspec.DecodeError, RecursionError):
        raise UnreadableAnswerError("neither JSON nor XML") from None
    if (members := _object(tree)) is None:
        raise UnreadableAnswerError("no object")
    return Node(members)


def _json(text: str) -> object:
    return msgspec.json.decode(text, type=object)


def _from_xml(text: str) -> object:
    if "<!DOCTYPE" in text:
        raise UnreadableAnswerError("XML with a document type")
    return _from_element(ElementTree.fromstring(text), 0)


def _from_element(element: ElementTree.Element, depth: int) -> object:
    _bounded(depth)
    if not len(element):
        return element.text or ""
    members: dict[str, object] = {}
    for child in element:
        name = _plain(child.tag.rpartition("}")[2])
        value = _from_element(child, depth + 1)
        if name not in members:
            members[name] = value
        elif isinstance(before := members[name], list):
            cast("list[object]", before).append(value)
        else:
            members[name] = [before, value]
    return members


def _folded(value: object, depth: int) -> object:
    _bounded(depth)
    if isinstance(value, dict):
        members: dict[str, object] = {}
        for name, inner in cast("dict[str, object]", value).items():
            members.setdefault(_plain(name), _folded(inner, depth + 1))
        return members
    if isinstance(value, list):
        return [_folded(inner, depth + 1) for inner in cast("list[object]", value)]
    return value


def _bounded(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UnreadableAnswerError("too deep")


def _object(value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _text(value: object) -> str:
    if isinstance(value, str):
        text = value.replace("\0", "").strip()[:MAX_TEXT]
        return "" if text.lower() == "null" else text
    return str(value).lower() if isinstance(value, int | float) else ""


def _number(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _leaves(members: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in members.items():
        if (inner := _object(value)) is not None:
            yield from _leaves(inner)
        else:
            yield name, value
