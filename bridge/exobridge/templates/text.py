"""Texts with variables: ``Hello, this is {company}.``

Between braces stands a name and nothing else: no attribute, index or format, so that a text can
reach only what it is given. ``{{`` and ``}}`` are braces to be spoken of. A value is put in as it
is and never read again for variables: what a caller or a URL brings in stays plain text.

Names: ``caller``, ``called``, ``custom_field``, ``call_sid``; the template's own ``[variables]``;
``param.NAME`` for the stream's custom parameter ``NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

CALL_NAMES = frozenset({"caller", "called", "custom_field", "call_sid"})
"""Known of every call; empty where Exotel did not say."""

PARAMETER_PREFIX = "param."

VARIABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What a key of ``[variables]`` may look like."""

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_NAME = re.compile(rf"{VARIABLE_NAME.pattern}|param\.[A-Za-z0-9_.-]+")


class TextError(ValueError):
    """The text has a lone brace, or something other than a name between braces."""


def names_in(text: str) -> frozenset[str]:
    """The variables a text uses.

    Raises:
        TextError: It is not well formed.
    """
    found: set[str] = set()
    for piece in _PIECE.finditer(text):
        name = _name(piece)
        if name is not None:
            found.add(name)
    return frozenset(found)


def render(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables filled in; one that has no value becomes empty.

    Raises:
        TextError: It is not well formed. A text of a loaded template always is.
    """

    def filled(piece: re.Match[str]) -> str:
        name = _name(piece)
        return piece[0][0] if name is None else variables.get(name, "")

    return _PIECE.sub(filled, text)


def escape(text: str) -> str:
    """The text as one that renders to it: for what is said as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def call_variables(
    constants: Mapping[str, str],
    *,
    caller: str = "",
    called: str = "",
    custom_field: str = "",
    call_sid: str = "",
    parameters: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The variables of one call, for ``render`` and for the dialogue's context.

    A custom parameter is there as ``param.NAME``, and as ``NAME`` where nothing else is called so:
    a dialogue may declare it by that name, while it can neither replace a constant nor the caller.

    Args:
        constants: ``template.variables``.
        caller: The human's number in E.164, or empty.
        called: The ExoPhone in E.164, or empty.
        custom_field: Exotel's ``CustomField``.
        call_sid: Exotel's id of the call.
        parameters: The stream's custom parameters, by name.
    """
    given = parameters or {}
    return {
        **given,
        **{PARAMETER_PREFIX + name: value for name, value in given.items()},
        **constants,
        "caller": caller,
        "called": called,
        "custom_field": custom_field,
        "call_sid": call_sid,
    }


def _name(piece: re.Match[str]) -> str | None:
    """The variable's name, or ``None`` for a doubled brace."""
    name: str | None = piece["name"]
    if name is None:
        if len(piece[0]) == 1:
            raise TextError("a lone brace stands in the text")
        return None
    if not _NAME.fullmatch(name):
        raise TextError("something other than a variable's name stands between braces")
    return name
