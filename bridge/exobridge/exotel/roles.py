"""Who is who in what Exotel tells of a whole call, in the status callback and by its API."""

from __future__ import annotations

from exobridge.numbers import normalise


def roles(from_number: str, to_number: str, exophone: str = "") -> dict[str, str]:
    """The human as ``caller`` and our number as ``called``, E.164; empty where one cannot be read.

    ``From`` is the first leg: the caller, or on a call that was placed the customer who was rung
    first.

    Args:
        exophone: The ExoPhone, where it is told apart (``PhoneNumberSid``, which is a number).
    """
    ours, first, second = map(normalise, (exophone, from_number, to_number))
    if ours and ours == first:
        first = second
    return {"caller": first or "", "called": ours or second or ""}
