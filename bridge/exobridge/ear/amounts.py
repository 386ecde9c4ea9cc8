"""Money: ₹1,25,000, Rs. 500/-, INR 2.5 lakh, $20, 500 rupees."""

from __future__ import annotations

import re

from exobridge.ear.language import Currency, counted
from exobridge.ear.written import DASH, END, INSIDE, NUMBER, START, Found, Rule

_CODES = {
    "₹": "INR",
    "rs": "INR",
    "inr": "INR",
    "रु": "INR",
    "रू": "INR",
    "/-": "INR",
    "$": "USD",
    "us$": "USD",
    "usd": "USD",
    "€": "EUR",
    "eur": "EUR",
    "£": "GBP",
    "gbp": "GBP",
    "aed": "AED",
    "डॉलर": "USD",
    "rupee": "INR",
    "dollar": "USD",
    "euro": "EUR",
    "pound": "GBP",
    "dirham": "AED",
}
_SCALES = {
    "hundred": "hundred",
    "सौ": "hundred",
    "k": "thousand",
    "thousand": "thousand",
    "हज़ार": "thousand",
    "हजार": "thousand",
    "l": "lakh",
    "lac": "lakh",
    "lakh": "lakh",
    "लाख": "lakh",
    "cr": "crore",
    "crore": "crore",
    "करोड़": "crore",
    "mn": "million",
    "million": "million",
    "bn": "billion",
    "billion": "billion",
}
_SIGN = rf"(?:US\$|[₹$€£]|(?<![{INSIDE}])(?:(?i:rs|inr|usd|eur|gbp|aed)(?![A-Za-z])|रु|रू)\.?)"
SCALE_WORD = (
    rf"(?:(?i:hundred|thousand|lac|lakh|crore|million|billion)(?i:s?)|सौ|हज़ार|हजार|लाख|करोड़){END}"
)
"""A scale as a word; k, L and Cr are such only beside money."""
_SCALES_OF_MONEY = rf"(?:{SCALE_WORD}|(?i:k|l|cr|mn|bn){END})"
_SCALE = rf"(?:\s?(?P<scale>{_SCALES_OF_MONEY}))?"
_WORD = (
    r"(?:(?P<name>(?i:rupee|dollar|euro|pound|dirham))(?i:s?)|(?P<word>रुपये|रुपए|रुपया|रुपयों|डॉलर))"
    rf"{END}"
)
_BEFORE = re.compile(
    rf"(?P<minus>(?<![{INSIDE}])[-−])?(?P<sign>{_SIGN})\s?(?P<minus2>[-−])?(?P<low>{NUMBER}|\.[0-9]++)"
    rf"(?:(?:\s?(?P<of>{_SCALES_OF_MONEY}))?{DASH}(?:{_SIGN}\s?)?(?P<high>{NUMBER}))?{_SCALE}"
    r"(?:\s?/-)?"
)
_BEHIND = re.compile(
    rf"{START}(?:(?P<low>{NUMBER}){DASH})?(?P<high>{NUMBER}){_SCALE}"
    rf"(?:\s?(?P<sign>/-|(?i:rs|inr){END}|रु{END})(?:\.(?=\s+[^\WA-Z]))?|\s{_WORD})"
)


def _before(found: Found) -> str:
    """The sign stands before the number."""
    currency = _currency(found)
    low, high = found["low"], found["high"]
    if low.startswith("."):
        low = f"0{low}"
    words = (
        f"{_count(found, low, high)} {currency.unit.many}"
        if high or found["scale"]
        else _amount(found, low, currency)
    )
    minus = found["minus"] or found["minus2"]
    return f"{found.language.signs['-']} {words}" if minus else words


def _behind(found: Found) -> str:
    """The sign or the name stands behind the number; a Hindi name keeps its case."""
    low, high, word = found["low"], found["high"], found["word"]
    currency = _currency(found)
    if low or found["scale"]:
        return f"{_count(found, low or high, high if low else '')} {word or currency.unit.many}"
    if word and "." not in high:
        return f"{found.language.number(high)} {word}"
    return _amount(found, high, currency)


def _currency(found: Found) -> Currency:
    sign = (found["sign"] or found["name"] or found["word"]).casefold().rstrip(".")
    return found.language.currencies[_CODES.get(sign, "INR")]


def _count(found: Found, low: str, high: str) -> str:
    """One number or two, and their scale."""
    words = _scaled(found, high or low, found["scale"])
    return f"{_scaled(found, low, found['of'])} {found.language.to} {words}" if high else words


def _scaled(found: Found, number: str, scale: str) -> str:
    language = found.language
    if not scale:
        return language.number(number)
    return language.scaled(number, language.scales[scale_name(scale)])


def scale_name(written: str) -> str:
    """The key of ``Language.scales``: lakh for lakhs, lac and लाख."""
    folded = written.casefold()
    return _SCALES.get(folded) or _SCALES[folded.removesuffix("s")]


def _amount(found: Found, written: str, currency: Currency) -> str:
    """Rupees and paise."""
    language = found.language
    whole, _, decimals = written.replace(",", "").partition(".")
    if len(decimals) > 2:
        return f"{language.number(written)} {currency.unit.many}"
    hundredths = str(int(decimals.ljust(2, "0")))
    small = f"{language.number(hundredths)} {counted(currency.hundredth, hundredths)}"
    if not whole.strip("0") and hundredths != "0":
        return small
    words = f"{language.number(whole)} {counted(currency.unit, whole)}"
    return words if hundredths == "0" else f"{words} {language.joined} {small}"


RULES = (Rule(_BEFORE, _before), Rule(_BEHIND, _behind))
