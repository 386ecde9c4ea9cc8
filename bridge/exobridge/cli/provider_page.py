"""The page of the documentation that ``exobridge provider list --markdown`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from exobridge.cli.provider_cells import KINDS, cells, columns, title
from exobridge.cli.provider_facts import Facts
from exobridge_providers.base import speaks
from exobridge_providers.registry import Kind

LANGUAGES = {
    "as-IN": "Assamese",
    "bn-IN": "Bengali",
    "en-IN": "English (India)",
    "gu-IN": "Gujarati",
    "hi-IN": "Hindi",
    "kn-IN": "Kannada",
    "kok-IN": "Konkani",
    "mai-IN": "Maithili",
    "ml-IN": "Malayalam",
    "mr-IN": "Marathi",
    "ne-IN": "Nepali",
    "or-IN": "Odia",
    "pa-IN": "Punjabi",
    "sd-IN": "Sindhi",
    "ta-IN": "Tamil",
    "te-IN": "Telugu",
    "ur-IN": "Urdu",
}
"""Those of the page's first table: what is spoken to a phone bot in India."""

SPEECH = (Kind.STT, Kind.TTS)

PAGE = """\
# What each provider can do

Written by `make matrix`, which is `exobridge provider list --markdown`, from what the providers
declare. [Built-in providers](providers.md#capabilities) says what the columns mean, and
[vendors for Indian languages](../topics/vendors.md) which vendor to take. What is declared here is
what the vendors' documents say; nothing of it was tried with an account.

A language stands for all its regions unless one is named.
"""


def page(found: Sequence[Facts]) -> str:
    """The page of the documentation. What depends on the machine is not in it."""
    speech = any(each.kind in SPEECH for each in found)
    parts = [PAGE, _languages(found) if speech else ""]
    for kind, group in groupby(found, lambda each: each.kind):
        listed = list(group)
        known = columns(listed)
        heads = ["Name", "Needs", *(title(name).capitalize() for name in known)]
        rows = [_row(heads), _row(["---"] * len(heads))]
        for each in listed:
            needs = " ".join(f"`{name}`" for name in each.keys) or "no network"
            rows.append(_row([f"[`{each.name}`]({_place(each)})", needs, *cells(each, known)]))
        parts.append(f"\n## {KINDS[kind]}\n\n" + "".join(rows))
    return "".join(parts)


def _place(each: Facts) -> str:
    """Where its options are told: a vendor has a page, whose name is the first part of its own."""
    vendor = each.kind in SPEECH and each.keys
    page = f"vendors/{each.name.partition('-')[0]}.md" if vendor else "providers.md"
    return f"{page}#{each.name}-{each.kind}"


def _languages(found: Sequence[Facts]) -> str:
    rows = [_row(["Language", "Tag", *(KINDS[kind] for kind in SPEECH)]), _row(["---"] * 4)]
    for tag, name in LANGUAGES.items():
        rows.append(_row([name, f"`{tag}`", *(_speakers(found, kind, tag) for kind in SPEECH)]))
    return "\n## Indian languages\n\n" + "".join(rows)


def _speakers(found: Sequence[Facts], kind: Kind, tag: str) -> str:
    names = [
        f"`{each.name}`"
        for each in found
        if each.kind is kind and speaks(each.capabilities.get("languages", frozenset()), tag)
    ]
    return ", ".join(names) or "none"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
