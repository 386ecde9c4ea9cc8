"""What a look-up answers, read carefully: it comes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import msgspec

from exobridge.routing.route import Branch
from exobridge.templates.checks import is_variable_name
from exobridge.templates.routing import MAX_VALUE, MAX_VARIABLES

MAX_BYTES = 64 * 1024
"""Of an answer."""

MAX_SAY = 2000
"""Of the text to be said, in characters."""

_OWN = ("branch", "template", "language", "say", "text", "variables")
"""Keys that mean something here; any other is a variable."""


class BadAnswerError(Exception):
    """It cannot be read; says why, and nothing of what was in it."""


@dataclass(frozen=True, slots=True)
class LookupAnswer:
    """What was answered. Empty where it says nothing.

    Attributes:
        values: Of all its keys with a text, a number or a truth value, as texts: what rules compare
            and ``say`` uses.
    """

    branch: Branch | None = None
    template: str = ""
    language: str = ""
    say: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def variables(self) -> dict[str, str]:
        """The values that can be variables of the call."""
        named = {name: value for name, value in self.values.items() if is_variable_name(name)}
        return dict(list(named.items())[:MAX_VARIABLES])


def read_answer(body: bytes) -> LookupAnswer:
    """Read a body; an empty one says nothing.

    Raises:
        BadAnswerError: It is no JSON object, or too long.
    """
    if len(body) > MAX_BYTES:
        raise BadAnswerError("the answer is too long")
    if not body.strip():
        return LookupAnswer()
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadAnswerError("the answer is no JSON") from None
    return understood(found)


def understood(found: object) -> LookupAnswer:
    """The same of a value: JSON's, or what a function returned; ``None`` says nothing.

    Raises:
        BadAnswerError: It is no object.
    """
    if found is None:
        return LookupAnswer()
    if not isinstance(found, Mapping):
        raise BadAnswerError("the answer is no object")
    given = cast("Mapping[object, object]", found)
    branch = _branch(_text(given.get("branch")).strip().lower())
    return LookupAnswer(
        branch=branch,
        template=_text(given.get("template")),
        language=_text(given.get("language")),
        say=(_text(given.get("say")) or _text(given.get("text")))[:MAX_SAY],
        values={**_values(given.get("variables")), **_values(given, without=_OWN)},
    )


def _branch(text: str) -> Branch | None:
    match text:
        case "":
            return None
        case "a" | "b":
            return text
        case _:
            raise BadAnswerError('branch is neither "a" nor "b"')


def _values(found: object, without: tuple[str, ...] = ()) -> dict[str, str]:
    if not isinstance(found, Mapping):
        return {}
    given = cast("Mapping[object, object]", found)
    return {
        name: _text(value)[:MAX_VALUE]
        for name, value in given.items()
        if isinstance(name, str) and name not in without and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A whole number of hundreds of digits is none that is meant, and slow to write.
    if isinstance(value, int) and value.bit_length() > 128:
        return ""
    if not _is_plain(value):
        return ""
    # Without NULs and halves of characters, which no database takes.
    return str(value).replace("\0", "").encode(errors="ignore").decode()
