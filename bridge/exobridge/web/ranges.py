"""The ``Range`` header (RFC 9110, section 14.1.2). Pure.

One range is given; where several are asked for, all is, as a server may.
"""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


class UnsatisfiableError(Exception):
    """Nothing of what is there is in the range."""


def read_range(header: str, size: int) -> tuple[int, int] | None:
    """Where a range begins, and where it ends, up to before which it goes.

    Args:
        size: Of the whole, in bytes.

    Returns:
        ``None``: the whole; also where the header cannot be read, which is then passed over.

    Raises:
        UnsatisfiableError: It begins behind the end.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last so many
        begin, end = max(0, size - int(found[2])), size
    else:
        begin = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < begin:
            return None
    if begin >= size or begin >= end:
        raise UnsatisfiableError
    return begin, end
