"""Where a caller's number is from, as far as a number can tell.

A landline's area code is a town's. A mobile's digits tell at most where the number was first sold,
and since number portability and roaming not where its owner is; so states are told of landlines
alone. The area codes are those of Google's libphonenumber, which draws the states as they were
before 2000: Telangana is in AP there, Chhattisgarh in MP, Jharkhand in BR.
"""

from __future__ import annotations

import re

import phonenumbers

AREA_CODES = {
    "AN": "319",
    "AP": "40 84 85 86 87 88 89",
    "AR": "360 368 3777 3778 3779 378 379 380",
    "AS": "36 37 384",
    "BR": "326 61 62 63 64 65",
    "DL": "11",
    "GA": "832",
    "GJ": "26 27 28 79",
    "HP": "17 189 190 197",
    "HR": "12 130 166 168 169 171 173 174 180 184",
    "JK": "19",
    "KA": "80 81 82 83 8419 842 844 847 848 853",
    "KL": "460 469 47 48 49",
    "LD": "489",
    "MH": "20 21 22 23 24 25 71 72 7279",
    "ML": "363 364 365",
    "MN": "38 3845 3848",
    "MP": "714 716 727 728 729 73 741 742 748 749 75 76 77 78",
    "MZ": "372 383 389",
    "NL": "369 370 3839 386",
    "OD": "66 67 68",
    "PB": "16 1682 1685 172 175 176 18",
    "RJ": "14 15 29 301 564 74",
    "TN": "41 42 43 44 45 46",
    "TR": "381 382",
    "UK": "1332 1334 1346 1348 135 136 137 138",
    "UP": "120 121 122 123 13 51 52 53 54 55 56 57 58 59",
    "WB": "3174 32 33 34 35",
}
"""The beginnings of area codes by state, without the trunk's 0; the longest that fits tells."""

_STATE_OF = {code: state for state, codes in AREA_CODES.items() for code in codes.split()}
_LONGEST = max(map(len, _STATE_OF))
_INDIA = "+91"
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")


def is_region(region: str) -> bool:
    """Whether it is a state's code, or the beginning of an E.164 number with its ``+``."""
    return _PREFIX.fullmatch(region) is not None or region in AREA_CODES


def is_from(number: str, region: str) -> bool:
    """Whether a number, E.164 or empty, is of a region. See :func:`is_region`."""
    return number.startswith(region) if region.startswith("+") else state_of(number) == region


def state_of(number: str) -> str:
    """The code of an Indian landline's state, ``TN``; empty for every other number.

    Args:
        number: E.164, or empty.
    """
    if not number.startswith(_INDIA) or not _is_landline(number):
        return ""
    national = number.removeprefix(_INDIA)
    codes = (national[:length] for length in range(_LONGEST, 0, -1))
    return next((_STATE_OF[code] for code in codes if code in _STATE_OF), "")


def _is_landline(number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE
