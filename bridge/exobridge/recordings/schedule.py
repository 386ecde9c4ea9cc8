"""When a recording is looked for, and until when. Pure."""

from __future__ import annotations

AT_SECONDS = (5.0, 15.0, 60.0, 180.0, 600.0)
"""After it was first heard of, that is about the call's end. Exotel has a recording ready in one to
five minutes as a rule, and in fifteen at the latest."""

LATER_SECONDS = ((3600.0, 600.0), (float("inf"), 3600.0))
"""Then every ten minutes in the first hour, and every hour."""

GIVE_UP_SECONDS = 24 * 3600.0
"""After this it is given up, where there was a URL."""

UNHEARD_SECONDS = 1800.0
"""After this it is given up where there never was one: the call was not recorded."""

_SOON_SECONDS = 1.0
"""A look that is as near as this is this one: clocks are read at slightly different times."""


def next_look(age: float) -> float:
    """How long to wait for the next look, in seconds, given the time since the first word of it."""
    for at in AT_SECONDS:
        if at - age >= _SOON_SECONDS:
            return at - age
    return next(every for until, every in LATER_SECONDS if age < until)
