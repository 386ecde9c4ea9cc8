"""What is counted or measured: percentages, units, ordinals, fractions, ranges, plain numbers."""

from __future__ import annotations

import re

from exobridge.ear.amounts import SCALE_WORD, scale_name
from exobridge.ear.language import Language, Noun, counted
from exobridge.ear.units import UNIT, UNIT_WORDS, unit_name
from exobridge.ear.written import DASH, END, INSIDE, NUMBER, START, Found, Rule

_MINUS = rf"(?P<minus>(?<![{INSIDE}/.,:)%-])[-−](?=[0-9]))?"

_MEASURE = re.compile(
    rf"{_MINUS}{START}(?:(?P<low>{NUMBER})(?:\s?(?:%|°))?{DASH})?(?P<high>{NUMBER})\s?(?P<unit>{UNIT})"
)
_PER = re.compile(
    rf"(?<=[{INSIDE}])\s?/\s?(?P<unit>(?i:{UNIT_WORDS}|month|day|week|year|night|hour|minute|second"
    rf"|mo|person|head|seat|piece|unit|call)|माह|महीने|दिन|साल|वर्ष|घंटे|व्यक्ति|किलो){END}"
)
_ALWAYS = re.compile(rf"{START}24\s?[/x×]\s?7{END}(?![/.-]?[0-9])")
_SIZE = re.compile(rf"{START}(?P<number>{NUMBER})\s?[x×]\s?(?=[0-9])")
_PLACE = r"(?:st|nd|rd|th|ST|ND|RD|TH)"
_ORDINAL = re.compile(
    rf"{START}(?P<low>[0-9]{{1,9}}){_PLACE}(?:{DASH}(?P<high>[0-9]{{1,9}}){_PLACE})?{END}"
)
_HINDI_ORDINAL = re.compile(rf"{START}(?P<number>[0-9]{{1,9}})\s?(?P<suffix>व(?:ाँ|ां|ीं|ें|ी|े)){END}")
_HINDI_FORM = re.compile(rf"{START}(?P<number>[12346])(?P<suffix>[लरथठ][ाीे]){END}")
_HEIGHT = re.compile(rf"{START}(?P<feet>[0-9])['’]\s?(?P<inches>[0-9]{{1,2}})(?:[\"”]|''|’’)")
_DECADE = re.compile(rf"{START}(?P<number>[12][0-9]{{2}}0)'?s{END}")
_GLYPHS = {"½": (1, 2), "¼": (1, 4), "¾": (3, 4), "⅓": (1, 3), "⅔": (2, 3)}
_OF_UNIT = rf"(?:\s?(?P<unit>{UNIT}))?"
_GLYPH = re.compile(
    rf"(?:{START}(?P<count>[0-9]{{1,9}})\s?)?(?P<glyph>[{''.join(_GLYPHS)}]){_OF_UNIT}"
)
_MIXED = re.compile(
    rf"{START}(?P<count>[0-9]{{1,9}}) (?P<part>[1-3])/(?P<whole>[2-4])(?![0-9/]){_OF_UNIT}"
)
_FRACTION = re.compile(rf"{START}(?P<part>{NUMBER})/(?P<whole>{NUMBER})(?!/[0-9]){_OF_UNIT}")
_SCORED = re.compile("5|10|[1-9][05]0|1000")
_SMALL = re.compile(r"[1-9][0-9]?")
_BY = re.compile(r"(?<=[0-9])/(?=[0-9])")
_POWER = re.compile(r"(?<=[0-9])\s?\^\s?(?=[0-9])")
_RATIO = re.compile(r"(?<=[0-9]):(?=[0-9])")
_VERSION = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-9]++(?:\.[0-9]++){2,}+")
_RANGE = re.compile(rf"{_MINUS}{START}(?P<low>{NUMBER}){DASH}(?P<high>{NUMBER})(?!-){END}")
_NUMBER = re.compile(rf"{_MINUS}{START}(?P<number>{NUMBER})")
_POINT = re.compile(rf"(?<![{INSIDE}])\.(?P<number>[0-9]++)(?!\.[0-9])")
_REST = re.compile(rf"(?P<point>(?<=[{INSIDE}])\.)?(?P<number>[0-9]++)")
_SCALED = re.compile(rf"{_MINUS}{START}(?P<number>{NUMBER})\s?(?P<scale>{SCALE_WORD})")


def _minus(found: Found) -> str:
    return f"{found.language.signs['-']} " if found["minus"] else ""


def _measure(found: Found) -> str:
    language, low, high = found.language, found["low"], found["high"]
    unit = _unit(found)
    words = f"{language.number(high)} {unit.many if low else counted(unit, high)}"
    if low:
        words = f"{language.number(low)} {language.to} {words}"
    return _minus(found) + words


def _per(found: Found) -> str:
    unit = found["unit"]
    name = unit_name(unit)
    if name in found.language.units:
        return f" {found.language.per} {found.language.units[name].one}"
    each = "month" if unit.lower() == "mo" else unit
    return f" {found.language.per} {found.language.each.get(each.lower(), each)}"


def _ordinal(found: Found) -> str:
    language = found.language
    places = [language.ordinal(int(found[name])) for name in ("low", "high") if found[name]]
    return f" {language.to} ".join(places)


def _height(found: Found) -> str:
    language = found.language
    parts = (("ft", found["feet"]), ("in", found["inches"]))
    return " ".join(
        f"{language.number(count)} {counted(language.units[unit], count)}" for unit, count in parts
    )


def _hindi_form(found: Found) -> str:
    """3री: the ordinal with the ending that is written."""
    return found.language.ordinal(int(found["number"]))[:-1] + found["suffix"][-1]


def _glyph(found: Found) -> str:
    part, whole = _GLYPHS[found["glyph"]]
    return _fractional(found, part, whole)


def _mixed(found: Found) -> str | None:
    part, whole = int(found["part"]), int(found["whole"])
    return _fractional(found, part, whole) if part < whole else None


def _fractional(found: Found, part: int, whole: int) -> str:
    count = int(found["count"] or "0")
    if count:
        words = found.language.mixed(count, part, whole)
        return f"{words} {_unit(found).many}" if found["unit"] else words
    return _part(found, part, whole)


def _part(found: Found, part: int, whole: int) -> str:
    words = found.language.fraction(part, whole)
    return f"{words} {_unit(found).one}" if found["unit"] else words


def _unit(found: Found) -> Noun:
    return found.language.units[unit_name(found["unit"])]


def _fraction(found: Found) -> str:
    """A score of 5, 10, 50, 100, 450, a fraction with a name, or one number by another."""
    language, part, whole = found.language, found["part"], found["whole"]
    if _SCORED.fullmatch(whole) and float(part.replace(",", "")) <= int(whole):
        words = language.out_of(part, whole)
    elif _SMALL.fullmatch(part) and _SMALL.fullmatch(whole):
        return _part(found, int(part), int(whole))
    else:
        words = f"{plain(part, language)} {language.by} {plain(whole, language)}"
    return f"{words} {_unit(found).many}" if found["unit"] else words


def _version(found: Found) -> str:
    parts = [plain(part, found.language) for part in found.match[0].split(".")]
    return f" {found.language.point} ".join(parts)


def _range(found: Found) -> str:
    language = found.language
    low, high = plain(found["low"], language), plain(found["high"], language)
    return f"{_minus(found)}{low} {language.to} {high}"


def _scaled(found: Found) -> str:
    language = found.language
    words = language.scaled(found["number"], language.scales[scale_name(found["scale"])])
    return _minus(found) + words


def _number(found: Found) -> str:
    return _minus(found) + plain(found["number"], found.language)


def _rest(found: Found) -> str:
    """Digits in a place where no number is expected."""
    if found["point"]:
        return f" {found.language.point} {found.language.spelled(found['number'])}"
    return plain(found["number"], found.language)


def plain(written: str, language: Language) -> str:
    """A number with no sign or word to say what it is.

    Digits without commas are read one by one from seven on; so are six that end in no two zeros,
    which is what PIN codes and one-time passwords look like. Four may be a year.
    """
    digits = written.isdigit()
    if digits and (len(written) >= 7 or (len(written) == 6 and not written.endswith("00"))):
        return language.in_groups(written)
    if digits and len(written) == 4 and written.startswith(("19", "20")):
        return language.year(int(written))
    return language.number(written)


RULES_BEFORE_CODES = (
    Rule(_ALWAYS, lambda found: found.language.always),
    Rule(
        _SIZE,
        lambda found: f"{plain(found['number'], found.language)} {found.language.signs['x']} ",
    ),
    Rule(_SCALED, _scaled),
    Rule(_MEASURE, _measure),
    Rule(_PER, _per),
    Rule(_DECADE, lambda found: found.language.decade(int(found["number"]))),
    Rule(_ORDINAL, _ordinal),
    Rule(_HEIGHT, _height),
    Rule(_HINDI_FORM, _hindi_form),
    Rule(
        _HINDI_ORDINAL,
        lambda found: found.language.cardinal(int(found["number"])) + found["suffix"],
    ),
)
RULES = (
    Rule(_VERSION, _version),
    Rule(_MIXED, _mixed),
    Rule(_GLYPH, _glyph),
    Rule(_FRACTION, _fraction),
    Rule(_BY, lambda found: f" {found.language.by} "),
    Rule(_POWER, lambda found: f" {found.language.signs['^']} "),
    Rule(_RATIO, lambda found: f" {found.language.signs[':']} "),
    Rule(_RANGE, _range),
    Rule(_POINT, lambda found: found.language.number(f"0.{found['number']}")),
    Rule(_NUMBER, _number),
    Rule(_REST, _rest),
)
