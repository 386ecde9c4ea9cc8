"""Single signs, once the numbers beside them are words."""

from __future__ import annotations

import re

from exobridge.ear.written import INSIDE, Found, Rule

_ALONE = re.compile(r"[%°±×÷→&~+@≤≥]|=+")
# No arrow and no quotation mark: one, between spaces.
_COMPARED = re.compile(r"(?<!\S)[<>](?=\s)")
_HASH = re.compile(r"#+")
_ARROW = re.compile(r"\s?(?:->|=>|⇒)\s?")
_MINUS = re.compile(r"−")
_INITIALS = re.compile(rf"(?<![{INSIDE}/])[A-Z](?:/[A-Z]){{1,4}}(?![{INSIDE}/])")
# Between words of two letters and more: his/her.
_OR = re.compile(rf"(?<=[{INSIDE}][{INSIDE}])/(?=[{INSIDE}][{INSIDE}])")
_ACCOUNT = re.compile(rf"(?<![{INSIDE}])[Aa]/c(?![{INSIDE}])")
_DROPPED = re.compile(r"[/\\^|_{}]")


def _sign(found: Found) -> str:
    return f" {found.language.signs[found.match[0][0]]} "


RULES = (
    Rule(_ACCOUNT, lambda found: found.language.signs["a/c"]),
    Rule(_ARROW, lambda found: f" {found.language.signs['→']} "),
    Rule(_ALONE, _sign),
    Rule(_COMPARED, _sign),
    Rule(_MINUS, lambda found: f" {found.language.signs['-']} "),
    Rule(_INITIALS, lambda found: found.language.letters(found.match[0].replace("/", ""))),
    Rule(_OR, lambda found: f" {found.language.signs['/']} "),
    Rule(_HASH, lambda _: " "),
    Rule(_DROPPED, lambda _: " "),
)
