"""What providers declare, as the cells of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from exobridge.cli.provider_facts import Facts
from exobridge_codecs.formats import AudioFormat
from exobridge_providers.registry import Kind

KINDS = {
    Kind.STT: "Speech-to-text",
    Kind.TTS: "Text-to-speech",
    Kind.VAD: "Voice activity",
    Kind.DIALOGUE: "Dialogue",
    Kind.REALTIME: "Speech-to-speech",
}

TITLES = {
    "keepalive_seconds": "longest pause",
    "session_seconds": "longest session",
    "max_chars": "longest text",
    "sample_rates": "rates",
}
"""Heads of columns where a capability's name would not say it."""

UNITS = {
    "keepalive_seconds": "s",
    "session_seconds": "s",
    "max_chars": "characters",
}


def columns(found: Sequence[Facts]) -> list[str]:
    """The capabilities that providers of one kind declare, in their order."""
    return list(dict.fromkeys(name for each in found for name in each.capabilities))


def title(name: str) -> str:
    """A capability's column."""
    return TITLES.get(name, name.replace("_", " "))


def cells(each: Facts, known: Sequence[str]) -> list[str]:
    """A provider's row: its capabilities of these names, empty where it declares none."""
    can = each.capabilities
    return [told(name, can[name]) if name in can else "" for name in known]


def told(name: str, value: Any) -> str:
    """A capability in a cell."""
    match value:
        case None:
            return "any"
        case bool():
            return "yes" if value else "no"
        case frozenset():
            return " ".join(sorted(cast(frozenset[str], value))) or "any"
        case tuple() if not value:
            return "any"
        case tuple():
            return _rates(cast(tuple[AudioFormat | int, ...], value))
        case _:
            return f"{value} {UNITS[name]}" if name in UNITS else str(value)


SHORT = ("formats", "languages", "can", "limits")
"""Columns of a terminal, which is narrow."""


def in_short(each: Facts) -> dict[str, str]:
    """A provider's row for a terminal: what it can and what it cannot in a cell each."""
    can = each.capabilities
    abilities = [title(name) for name, value in can.items() if value is True]
    if "cancel" in can:
        abilities.append(f"cancel by {can['cancel']}")
    limits = [
        f"{title(name).removeprefix('longest ')} {told(name, can[name])}"
        for name in UNITS
        if can.get(name) is not None
    ]
    formats = "formats" if "formats" in can else "sample_rates"
    return {
        "formats": told(formats, can[formats]) if formats in can else "",
        "languages": told("languages", can["languages"]) if "languages" in can else "",
        "can": ", ".join(abilities),
        "limits": ", ".join(limits),
    }


def _rates(values: Iterable[AudioFormat | int]) -> str:
    """``pcm16 8, 16 kHz; mulaw 8 kHz``: formats by their encodings, or rates alone."""
    by_encoding: dict[str, list[str]] = {}
    for each in values:
        encoding, rate = ("", each) if isinstance(each, int) else (each.encoding, each.sample_rate)
        by_encoding.setdefault(encoding, []).append(f"{rate / 1000:g}")
    return "; ".join(
        f"{encoding} {', '.join(rates)} kHz".strip() for encoding, rates in by_encoding.items()
    )
