"""The keys of the control API: who has one, and what he may do with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pydantic import SecretStr

MIN_KEY_CHARS = 16
MAX_KEYS = 100
THE_KEY = "admin"
"""The name of ``EXOBRIDGE_API_KEY`` in the log."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_KEY = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Role(IntEnum):
    """What a key is good for. Each may do what those before it may."""

    VIEWER = 1
    """Reads: calls with numbers and words in full, recordings, batches, the health."""
    OPERATOR = 2
    """Calls out, and steps into a call that is under way."""
    ADMIN = 3
    """Changes what the server is: its numbers, say."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key.

    Attributes:
        name: Stands in the log in place of the key.
        secret: What is sent as a ``Bearer`` token.
    """

    name: str
    role: Role
    secret: SecretStr


def read_keys(text: str) -> tuple[ApiKey, ...]:
    """``name:role:key``, comma-separated.

    Raises:
        ValueError: One is none. The message names it by its place, as the key may stand where the
            name should.
    """
    parts = [part.strip() for part in text.split(",")]
    keys = tuple(_key(part, place) for place, part in enumerate(parts, 1) if part)
    if problem := conflict(keys):
        raise ValueError(problem)
    return keys


def conflict(keys: Sequence[ApiKey]) -> str:
    """Why these cannot stand beside each other; empty: they can."""
    names = [key.name for key in keys]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        return f"the name {twice} is given twice"
    if len({key.secret.get_secret_value() for key in keys}) < len(keys):
        return "two names have the same key"
    return f"there are more than {MAX_KEYS}" if len(keys) > MAX_KEYS else ""


def _key(part: str, place: int) -> ApiKey:
    name, _, rest = part.partition(":")
    role, colon, secret = rest.partition(":")
    if not colon:
        raise ValueError(f"the {_nth(place)} is not written as name:role:key")
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name of the {_nth(place)} is not made of a-z, 0-9, - and _")
    if role.upper() not in Role.__members__:
        roles = ", ".join(each.name.lower() for each in Role)
        raise ValueError(f"the role of the {_nth(place)} is none of {roles}: it is name:role:key")
    if len(secret) < MIN_KEY_CHARS:
        raise ValueError(f"the key of the {_nth(place)} is shorter than {MIN_KEY_CHARS} characters")
    if not _KEY.fullmatch(secret):
        raise ValueError(f"the key of the {_nth(place)} cannot stand in a Bearer header")
    return ApiKey(name, Role[role.upper()], SecretStr(secret))


def _nth(place: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{place}{endings.get(place, 'th')}"
