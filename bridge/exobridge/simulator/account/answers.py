"""How the account writes its answers: JSON, the same with keys in lower case, or XML; and refusals.

Exotel adds: ``.json`` at a path's end asks for JSON; without it version 1 writes XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from xml.sax.saxutils import escape

Page = dict[str, Any]
"""An answer as JSON values."""

Form = Literal["auto", "json", "lower", "xml"]
"""``auto``: what the path asks for."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to whoever asked."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Refusal(Exception):
    """A request is refused, with a ``RestException``.

    Args:
        status: Of HTTP.
        message: What is wrong; names the parameter, shows no value.
        code: Exotel's own; not every refusal has one.
    """

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code

    @property
    def page(self) -> Page:
        """As it is written."""
        told: Page = {"Status": self.status, "Message": self.message}
        return {"RestException": told if self.code is None else {**told, "Code": self.code}}


def answer_of(status: int, page: Page, form: Form, path: str) -> Answer:
    """A page, in the form that is set or that the path asks for."""
    if form == "auto":
        form = "xml" if path.startswith("/v1/") and not path.endswith(".json") else "json"
    if form == "xml":
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n{_xml("TwilioResponse", page)}'
        return Answer(status, text.encode(), {"Content-Type": "application/xml"})
    written = json.dumps(_lower(page) if form == "lower" else page)
    return Answer(status, written.encode(), {"Content-Type": "application/json"})


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lower(inner) for key, inner in cast(Page, value).items()}
    if isinstance(value, list):
        return [_lower(inner) for inner in cast(Iterable[Any], value)]
    return value


def _xml(name: str, value: Any) -> str:
    """As an element; a list of objects with one key, as ``Legs`` is, as elements of that name."""
    if isinstance(value, dict):
        inner = "".join(_xml(key, each) for key, each in cast(Page, value).items())
    elif isinstance(value, list):
        entries = cast(list[Page], value)
        wrapped = [each if len(each) == 1 else {"Entry": each} for each in entries]
        inner = "".join(_xml(key, part) for each in wrapped for key, part in each.items())
    else:
        inner = escape(_written(value))
    return f"<{name}>{inner}</{name}>"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else _NOT_IN_XML.sub("", str(value))
