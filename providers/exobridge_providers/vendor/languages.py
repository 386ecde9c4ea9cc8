"""Language codes: BCP-47 in templates and events, whatever a vendor wants on its wire."""

from __future__ import annotations

from collections.abc import Mapping


def vendor_code(tag: str, codes: Mapping[str, str]) -> str:
    """The vendor's code of a BCP-47 tag: that of the tag, else that of its language, else the
    language itself (``hi`` of ``hi-IN``).

    Args:
        codes: The vendor's own spellings, by tag in lower case, e.g. ``{"or-in": "od-IN"}``.
    """
    known = tag.lower()
    language = known.partition("-")[0]
    return codes.get(known) or codes.get(language) or language
