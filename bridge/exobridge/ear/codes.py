"""What names something and counts nothing, digit by digit: telephone numbers, one-time passwords,
order and account numbers, PIN codes, vehicle plates."""

from __future__ import annotations

import re

from exobridge.ear.language import Language
from exobridge.ear.written import END, INSIDE, START, Found, Rule

_START = rf"(?<![{INSIDE}/.,-])"
_END = rf"{END}(?!-?[0-9]|[.,/][0-9])"

_INTERNATIONAL = re.compile(
    rf"{_START}\+(?P<number>91[ -]?[6-9][0-9]{{4}}[ -]?[0-9]{{5}}"
    rf"|[0-9]{{1,14}}+(?:[ -]?\([0-9]{{1,5}}\))?(?:[ -][0-9]{{2,8}}+){{0,4}}){_END}"
)
_LOCAL = re.compile(
    rf"{_START}(?P<number>(?:\(0[0-9]{{2,4}}\)|0[0-9]{{2,4}}|0?[6-9][0-9]{{2,4}}|1[89][0-9]0)"
    rf"(?:[ -][0-9]{{2,8}}){{1,4}}){_END}"
)
_GROUPS = re.compile(rf"{_START}(?P<number>[0-9]{{3,6}}(?:[ -][0-9]{{3,6}}){{1,5}}){_END}")
_HYPHENS = re.compile(rf"{_START}(?P<number>[0-9]{{1,6}}(?:-[0-9]{{1,6}}){{2,8}}){_END}")
_MASKED = re.compile(rf"(?<![{INSIDE}])(?:[xX•]{{2,20}}+[- ]?){{1,4}}(?P<number>[0-9]{{2,6}}){END}")
_PLAIN = re.compile(rf"{START}(?P<number>[0-9]{{1,40}})(?![0-9]|[.,/:-][0-9]){END}")
_MIXED = re.compile(r"(?<![\w.@/-])[A-Za-z0-9]{1,40}+(?:[-/][A-Za-z0-9]{1,40}+){0,8}+(?![\w@/-])")
_PLATE = re.compile(
    r"(?<![\w/-])(?P<state>[A-Z]{2})[ -]?(?P<district>[0-9]{1,2})[ -]?(?P<series>[A-Z]{1,3})[ -]?"
    r"(?P<number>[0-9]{4})(?![\w/-])"
)
_LETTER_BEHIND = re.compile(r"[0-9]{1,3}[A-Za-z]")  # 10K, 24H
_RUNS = re.compile(r"[0-9]+|[A-Za-z]+")
_NUMBERED = (
    *("order", "policy", "account", "a/c", "ticket", "token", "booking", "reference", "invoice"),
    *("bill", "card", "phone", "mobile", "contact", "whatsapp", "train", "flight", "platform"),
    *("gate", "seat", "room", "flat", "house", "plot", "counter", "serial", "roll"),
)
_AHEAD = r"(?=[A-Z0-9xX•/-]{0,20}[0-9])"
_NUMBER_SIGN = re.compile(
    rf"(?<![{INSIDE}])(?i:no)\.\s?{_AHEAD}|#\s?(?=[0-9])"
    rf"|(?i:{'|'.join(f'(?<={thing} )' for thing in _NUMBERED)})(?i:no):?\s{_AHEAD}"
)
_LINKS = r"(?:\s*(?:is|was|are|:|#|[-–]|=|number|no\.?|id|है|हैं|नंबर|संख्या)){0,4}\s*$"
_SECRET = re.compile(
    rf"(?:\b(?:otp|m?pin|code|pincode|pnr|cvv|pass(?:code|word)|ext(?:ension)?\.?|helpline|dial)"
    rf"|ओटीपी|पिन|कोड|पीएनआर|पासवर्ड|डायल){_LINKS}",
    re.IGNORECASE,
)
"""Digits behind these words are never a quantity."""
_NAMED = re.compile(
    rf"(?:\b(?:number|no\.|num|id|ref(?:erence)?|digits|end(?:ing|s)(?:\s+(?:in|with))?)|नंबर|संख्या|आईडी){_LINKS}"
    r"|(?:\b(?:order|account|a/c|policy|ticket|booking|invoice|complaint|docket|card|call|phone"
    r"|mobile|whatsapp)|ऑर्डर|खाता|खाते|पॉलिसी|टिकट|बुकिंग|शिकायत|कार्ड|फ़ोन|फोन|मोबाइल)[\s:#-]*$",
    re.IGNORECASE,
)
"""Digits behind these words are a name from four of them on: platform number 12, order 4821."""


def _international(found: Found) -> str | None:
    """An Indian number has its country code apart, and is said in two fives."""
    groups = _groups_of(found)
    digits = "".join(groups)
    if not 8 <= len(digits) <= 15:
        return None
    if len(digits) == 12 and digits.startswith("91"):
        groups = [digits[:2], digits[2:7], digits[7:]] if digits[2] in "6789" else groups
    return f"{found.language.signs['+']} {_said(groups, found.language)}"


def _local(found: Found) -> str | None:
    """A mobile number, one with its area code, or a toll-free one, in its groups."""
    groups = _groups_of(found)
    toll_free = groups[0].startswith("1")
    length = len("".join(groups))
    if not (8 <= length <= 12 if toll_free else 10 <= length <= 11) or _round(groups):
        return None
    return _said(groups, found.language)


def _groups(found: Found) -> str | None:
    """Card and account numbers, and PIN codes in two threes. Two with a hyphen are a range, unless
    a word before says that they are not."""
    groups = _groups_of(found)
    spaced = "-" not in found["number"]
    a_range = len(groups) == 2 and not spaced and not _is_name(found)
    long = len("".join(groups)) >= (6 if spaced else 7)
    return None if a_range or not long or _round(groups) else _said(groups, found.language)


def _groups_of(found: Found) -> list[str]:
    return _RUNS.findall(found["number"])


def _round(groups: list[str]) -> bool:
    """Amounts, one beside the other."""
    return len(groups) > 1 and all(group.endswith("00") for group in groups)


def _hyphens(found: Found) -> str:
    return _said(found["number"].split("-"), found.language)


def _said(groups: list[str], language: Language) -> str:
    return ", ".join(language.in_groups(group) for group in groups if group)


def _is_name(found: Found) -> bool:
    """Whether bare digits stand for something rather than count it, by what stands before them."""
    before, digits = found.before, found["number"]
    return bool(_SECRET.search(before) or (len(digits) >= 4 and _NAMED.search(before)))


def _plain(found: Found) -> str | None:
    digits, language = found["number"], found.language
    if len(digits) == 11 and digits[0] == "0" and digits[1] in "6789":
        return _said([digits[0], digits[1:]], language)
    return language.in_groups(digits) if _is_name(found) else None


def _plate(found: Found) -> str:
    """A vehicle's registration: MH 12 AB 1234."""
    language = found.language
    letters = [language.letters(found[part]) for part in ("state", "series")]
    district, number = (language.in_groups(found[part]) for part in ("district", "number"))
    return f"{letters[0]} {district}, {letters[1]}, {number}"


def _mixed(found: Found) -> str | None:
    """Letters and digits in one: AB-1234, COVID-19, 4G, iphone15."""
    written = found.match[0]
    if not any(map(str.isdigit, written)) or not any(map(str.isalpha, written)):
        return None
    segments = re.split("[-/]", written)
    named = bool(_SECRET.search(found.before))
    said = [_segment(part, at == 0, named, found.language) for at, part in enumerate(segments)]
    return " ".join(said)


def _segment(segment: str, first: bool, named: bool, language: Language) -> str:
    runs = _RUNS.findall(segment)
    letters = "".join(run for run in runs if run.isalpha())
    spelled = named or letters.isupper()
    if letters == segment:
        short = len(segment) <= (3 if first else 2)
        return language.letters(segment.upper()) if spelled and short else segment
    most = 3 if _LETTER_BEHIND.fullmatch(segment) else 0 if letters and spelled else 2
    return " ".join(
        _run(run, most, language)
        if run.isdigit()
        else (language.letters(run.upper()) if spelled else run)
        for run in runs
    )


def _run(digits: str, most: int, language: Language) -> str:
    """Digits beside letters: a number up to ``most`` of them, else one by one."""
    if len(digits) <= most and not digits.startswith("0"):
        return language.cardinal(int(digits))
    return language.in_groups(digits)


RULES = (
    Rule(_NUMBER_SIGN, lambda found: f"{found.language.signs['#']} "),
    Rule(_MASKED, lambda found: found.language.in_groups(found["number"])),
    Rule(_INTERNATIONAL, _international),
    Rule(_LOCAL, _local),
    Rule(_HYPHENS, _hyphens),
    Rule(_GROUPS, _groups),
    Rule(_PLAIN, _plain),
    Rule(_PLATE, _plate),
    Rule(_MIXED, _mixed),
)
