"""Texts that the recogniser makes up where nobody spoke.

Found by giving it silence, noise, tones and hold music. ``You`` is its usual answer to all of them
and hardly ever a caller's whole turn; the others come from captions of videos. A plain "thank you"
is a thing that callers say and is kept: what protects against an invented one is that audio
without voice is not transcribed at all.
"""

from __future__ import annotations

import re

INVENTED = frozenset(
    {
        "you",
        "thank you for watching",
        "thanks for watching",
        "thank you so much for watching",
        "thank you for listening",
        "please subscribe",
        "please subscribe to my channel",
        "subtitles by the amara org community",
    }
)
"""Lower case, without punctuation."""

_NO_WORD = re.compile(r"[^a-z0-9]+")


def is_invented(text: str) -> bool:
    """Whether the whole text is one of ``INVENTED``, or has no Latin letter or digit (the English
    model answers tones with signs of other scripts)."""
    words = _NO_WORD.sub(" ", text.lower()).strip()
    return not words or words in INVENTED
