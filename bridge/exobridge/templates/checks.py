"""Checks of single values that several tables of a template share."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from exobridge.templates.text import CALL_NAMES, VARIABLE_NAME, TextError, names_in
from exobridge.validation import wrong

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_APPLET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def text(value: str) -> str:
    """A text whose variables are well formed."""
    try:
        names_in(value)
    except TextError as error:
        raise wrong(str(error), "Write {name} for a variable, {{ and }} for braces.") from None
    return value


def language(tag: str) -> str:
    """A BCP-47 tag."""
    if not is_language(tag):
        raise wrong("is no BCP-47 language tag", 'Write it like "en-IN" or "hi-IN".')
    return tag


def is_language(tag: str) -> bool:
    """Whether it has the form of a BCP-47 tag."""
    return _LANGUAGE.fullmatch(tag) is not None


def variable_name(name: str) -> str:
    """A name for a variable, and none of the call's own."""
    if not is_variable_name(name):
        raise wrong(
            "is no name for a variable",
            f"Use lower-case letters, digits and _, and none of {', '.join(sorted(CALL_NAMES))}.",
        )
    return name


def is_variable_name(name: str) -> bool:
    """Whether a variable may be called so."""
    return VARIABLE_NAME.fullmatch(name) is not None and name not in CALL_NAMES


def applet(value: str) -> str:
    """An applet's name, its URL at exotel.com, or nothing."""
    url = urlsplit(value) if "/" in value else None
    exotel = url and url.scheme == "https" and (url.hostname or "").endswith(".exotel.com")
    if value and not exotel and not _APPLET_NAME.fullmatch(value):
        raise wrong(
            "is neither an applet's name nor an https URL of exotel.com",
            'Write it like "vip-connect" or "https://my.exotel.com/exoml/start/vip-flow".',
        )
    return value


Text = Annotated[str, Field(max_length=2000), AfterValidator(text)]
LanguageTag = Annotated[str, AfterValidator(language)]
VariableName = Annotated[str, AfterValidator(variable_name)]
Applet = Annotated[str, AfterValidator(applet)]
