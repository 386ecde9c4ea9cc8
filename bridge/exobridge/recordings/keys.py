"""Where a recording is put: its name in any storage. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

MAX_PART_CHARS = 80


def key_of(call_sid: str, source: str, name: str, suffix: str, at: datetime) -> str:
    """``YYYY/MM/DD/CALL_SID/SOURCE.SUFFIX``, or ``SOURCE-NAME.SUFFIX``: the same for the same, and
    for nothing else.

    Args:
        call_sid, name: From outside: what a file's name must not hold is replaced.
        at: Any time that stays the same for this recording; the day is UTC's.
    """
    file = f"{source}-{safe(name)}" if name else source
    return f"{at.astimezone(UTC):%Y/%m/%d}/{safe(call_sid)}/{file}.{suffix}"


def safe(text: str) -> str:
    """A text as a part of a path: letters, digits, ``-`` and ``_``. One that is not such by itself
    becomes one that no other text becomes."""
    if re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MAX_PART_CHARS}}}", text):
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', text)[:40]}.{digest}"
