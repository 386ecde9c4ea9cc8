"""Addresses of the internet: support@example.com, name@bank, www.example.com."""

from __future__ import annotations

import re

from exobridge.ear.language import Language
from exobridge.ear.written import Found, Rule

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_MAIL = re.compile(
    rf"(?<![\w.+@-])(?P<user>[A-Za-z0-9][A-Za-z0-9_.+-]{{0,63}}+)@(?P<host>{_LABEL}(?:\.{_LABEL}){{0,4}})(?![\w@])"
)
# A full stop without a space behind it makes "done.In" of two sentences: small letters only.
_HOST = re.compile(
    rf"(?<![\w.@-])(?P<host>{_LABEL}(?:\.{_LABEL}){{0,4}}"
    r"\.(?:com|in|org|net|co|io|ai|gov|edu|info|biz|app|dev|bank))(?![\w@-]|\.\w)"
)
_WWW = re.compile(r"(?<![\w.])(?i:www\.)(?=\w)")
_PARTS = re.compile(r"[0-9]+|[A-Za-z]+|.")


def _mail(found: Found) -> str:
    user, host = (_spelled(found[part], found.language) for part in ("user", "host"))
    return f"{user} {found.language.signs['@']} {host}"


def _host(found: Found) -> str:
    return _spelled(found["host"], found.language)


def _spelled(address: str, language: Language) -> str:
    """Words as they are, digits one by one, signs by their names."""
    return " ".join(_part(part, language) for part in _PARTS.findall(address))


def _part(part: str, language: Language) -> str:
    if part.isdigit():
        return language.spelled(part)
    if part.isalpha():
        return part
    return language.signs["hyphen" if part == "-" else part]


RULES = (Rule(_WWW, lambda _: ""), Rule(_MAIL, _mail), Rule(_HOST, _host))
