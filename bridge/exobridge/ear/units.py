"""Units of measure, as they are written: kg, KG, kgs."""

from __future__ import annotations

import re

from exobridge.ear.written import END

_NAMES = {
    "%": "%",
    "°": "°",
    "°C": "°C",
    "° C": "°C",
    "°F": "°F",
    "° F": "°F",
    "g": "g",
    "gm": "g",
    "gms": "g",
    "m": "m",
    "l": "l",
    "ltr": "l",
    "kg": "kg",
    "kgs": "kg",
    "mg": "mg",
    "km": "km",
    "kms": "km",
    "cm": "cm",
    "mm": "mm",
    "ft": "ft",
    "sq ft": "sq ft",
    "sq. ft": "sq ft",
    "sq.ft": "sq ft",
    "sqft": "sq ft",
    "ml": "ml",
    "km/h": "km/h",
    "kmph": "km/h",
    "hr": "hr",
    "hrs": "hr",
    "yr": "yr",
    "yrs": "yr",
    "min": "min",
    "mins": "min",
    "sec": "sec",
    "secs": "sec",
    "kb": "KB",
    "mb": "MB",
    "gb": "GB",
    "tb": "TB",
    "mbps": "Mbps",
    "gbps": "Gbps",
    "kw": "kW",
    "kwh": "kWh",
    "kbps": "kbps",
}
UNIT_WORDS = "|".join(
    re.escape(name)
    for name in sorted(_NAMES, key=len, reverse=True)
    if len(name) > 1 and name[0] != "°"
)
# One letter counts only as it is usually written: 5G and 2L are no grams and no litres.
UNIT = rf"(?:%|°(?:\s?[CF]{END})?|(?:(?i:{UNIT_WORDS})|[gml]){END})"


def unit_name(written: str) -> str:
    """The key of ``Language.units``; what is no unit stays."""
    return _NAMES.get(written) or _NAMES.get(written.lower(), written)
