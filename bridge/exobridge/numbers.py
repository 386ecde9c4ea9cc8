"""Phone numbers: one way to write them, who answers for which, and how they look in a log or sound.

Exotel sends numbers as ``09876543210``, ``8047112233``, ``918047112233`` or ``+918047112233``;
inside, every number is E.164 (``+918047112233``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import phonenumbers

from exobridge.errors import ConfigError

REGION = "IN"
"""Numbers without a country code are read as Indian."""

DEFAULT_TEMPLATE = "default"
"""The template of every number while ``EXOTEL_NUMBERS`` is not set."""

TEMPLATE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What a template may be called: the stem of its file."""

VARIABLE = "EXOTEL_NUMBERS"

_WRITTEN_NUMBER = re.compile(r"\+?[0-9 ().\-]{5,40}")
_VISIBLE_DIGITS = 3


def normalise(number: str | None) -> str | None:
    """The number in E.164, or ``None`` for what is none.

    Short codes, SIP addresses, ``null``, ``anonymous`` and empty texts are none. Never raises.
    """
    text = (number or "").strip()
    if not _WRITTEN_NUMBER.fullmatch(text):
        return None
    digits = re.sub(r"[^0-9]", "", text)
    if digits.startswith("091") and len(digits) == 13:  # a trunk 0 before the country code
        text = f"+{digits[1:]}"
    parsed = _parse(text)
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def mask(number: str | None) -> str:
    """The number for a log line: country code and last three digits, ``+91*******233``.

    Of what is no phone number nothing is shown: ``***``. Empty stays empty.
    """
    if not number:
        return ""
    normal = normalise(number)
    parsed = _parse(normal) if normal else None
    if normal is None or parsed is None:
        return "***"
    shown = f"+{parsed.country_code}"
    hidden = "*" * (len(normal) - len(shown) - _VISIBLE_DIGITS)
    return f"{shown}{hidden}{normal[-_VISIBLE_DIGITS:]}"


def spoken(number: str | None) -> str:
    """The number digit by digit, for a voice that reads figures as amounts; without the country
    code of India. Empty for what is none."""
    normal = normalise(number)
    return " ".join(normal.removeprefix("+91").removeprefix("+")) if normal else ""


def _parse(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None


class Book(Protocol):
    """Which template answers for which ExoPhone, as calls ask it."""

    @property
    def is_set(self) -> bool:
        """Whether any number is listed; if not, ``default`` answers for every number."""
        ...

    @property
    def templates(self) -> frozenset[str]:
        """Names of the templates that answer for some number."""
        ...

    def template_for(self, number: str | None) -> str | None:
        """The template of an ExoPhone, written in any way; ``None``: the number is not ours."""
        ...


@dataclass(frozen=True, slots=True)
class NumberBook:
    """Which template answers for which ExoPhone.

    Attributes:
        entries: Template names by E.164 number; ``None``: every number gets ``default``.
    """

    entries: Mapping[str, str] | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str | None) -> NumberBook:
        """Read ``+918047112233=reception,+918047112244=sales``. Empty: the unset book.

        Raises:
            ConfigError: An entry is wrong; it is named by its position and its masked number.
        """
        written = [entry.strip() for entry in (text or "").split(",")]
        if not any(written):
            return cls()
        entries: dict[str, str] = {}
        for position, entry in enumerate(written, start=1):
            if not entry:
                continue
            number, template = _entry(position, entry)
            if number in entries:
                raise _wrong_entry(position, mask(number), "the number is listed twice")
            entries[number] = template
        return cls(MappingProxyType(entries))

    @property
    def is_set(self) -> bool:
        """Whether the numbers were listed at all."""
        return self.entries is not None

    @property
    def templates(self) -> frozenset[str]:
        """Names of the templates that answer for some number."""
        return frozenset({DEFAULT_TEMPLATE} if self.entries is None else self.entries.values())

    def template_for(self, number: str | None) -> str | None:
        """The template of an ExoPhone, written in any way; ``None``: the number is not ours.

        The unset book has ``default`` for everything, even for what is no number.
        """
        if self.entries is None:
            return DEFAULT_TEMPLATE
        return self.entries.get(normalise(number) or "")


def _entry(position: int, entry: str) -> tuple[str, str]:
    number, equals, template = (part.strip() for part in entry.partition("="))
    normal = normalise(number)
    if normal is None:
        raise _wrong_entry(position, mask(number), "it does not begin with a phone number")
    if not equals or not TEMPLATE_NAME.fullmatch(template):
        raise _wrong_entry(position, mask(number), "no template's name follows the number")
    return normal, template


def _wrong_entry(position: int, masked: str, problem: str) -> ConfigError:
    return ConfigError(
        VARIABLE,
        f"entry {position} ({masked or 'without a number'}): {problem}",
        f"Write it like {VARIABLE}=+918047112233=reception,+918047112244=sales "
        "(template names in lower case).",
    )
