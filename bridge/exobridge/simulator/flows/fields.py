"""The values that stand in a flow, and how they are refused."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from exobridge.simulator.scripts.model import PhoneKeys, phone_keys
from exobridge.validation import wrong

WEB, SOCKET = ("http", "https"), ("ws", "wss")
ANY = "any"
"""In place of an agent's number: each phone that no other agent has."""


def _checked(url: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable and not (url.startswith("/") and not url.startswith("//")):
        names = ", ".join(f"{scheme}://" for scheme in schemes)
        cure = f"Begin it with / for a path on the server under test, or with {names}."
        raise wrong("is no URL that can be asked", cure)
    return url


def _web(url: str) -> str:
    return _checked(url, WEB) if url else url


def _web_or_socket(url: str) -> str:
    return _checked(url, (*WEB, *SOCKET))


def _needed(url: str) -> str:
    if not url:
        raise wrong("is empty", "Name what is asked, like /exotel/passthru.")
    return url


def _absolute(url: str) -> str:
    if url.startswith("/"):
        raise wrong("is no whole URL", "Write it like http://127.0.0.1:8080.")
    return url


def _one_key(keys: str) -> str:
    if len(keys) != 1:
        raise wrong("is more than one key", 'Use one, like finish_key = "#".')
    return keys


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise wrong("is no name of an applet", "Use a-z, 0-9, _ and -; at most 64 of them.")
    return name


def _name_or_nothing(name: str) -> str:
    return _name(name) if name else name


def _keys_or_none(keys: str) -> str:
    return phone_keys(keys) if keys else keys


def _phone(number: str) -> str:
    return number if number == ANY else _number(number)


def _number(number: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{3,15}", number):
        cure = 'Write it like "+918041112233" or "08041112233", without blanks.'
        raise wrong("is no phone number", cure)
    return number


Name = Annotated[str, AfterValidator(_name)]
"""Of an applet."""
Next = Annotated[str, AfterValidator(_name_or_nothing)]
"""The applet that a path leads to; empty: it is not connected, and the call is dropped there."""
Url = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_web)
]
"""Absolute, or a path on the server under test; empty: there is none."""
NeededUrl = Annotated[Url, AfterValidator(_needed)]
StreamUrl = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_web_or_socket)
]
"""The same, and ``ws://`` or ``wss://``."""
Seconds = Annotated[float, Field(ge=0, le=14_400)]
Number = Annotated[str, AfterValidator(_number)]
Phone = Annotated[str, AfterValidator(_phone)]
"""A number, or :data:`ANY`."""
Presses = Annotated[str, AfterValidator(_keys_or_none)]
"""Keys; empty: none is pressed."""
OneKey = Annotated[PhoneKeys, AfterValidator(_one_key)]
ServerUrl = Annotated[StreamUrl, AfterValidator(_absolute)]
"""Absolute."""
