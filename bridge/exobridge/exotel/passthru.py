"""The parameters Exotel's applets send to a webhook, read liberally.

They come in a query or a form, all values strings, empty ones maybe the literal ``null``. Only some
of the documented list is ever sent; no parameter but ``CallSid`` is required. Sources: Exotel's
Passthru applet documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""Exotel's times carry no zone in most spellings; then they are Indian Standard Time."""

MAX_VALUE = 2048
"""Longest value kept, in characters."""

MAX_PARAMETERS = 200

_YEARS = range(1971, 9999)
"""Years of times that are meant, and that every zone can tell."""


class MissingCallSidError(Exception):
    """The request names no call."""


@dataclass(frozen=True, slots=True)
class PassthruParams:
    """What a webhook tells of its call.

    Attributes:
        call_sid: Opaque, at most 128 characters.
        direction: ``incoming`` or ``outgoing`` (Exotel's ``outbound-dial`` is outgoing); empty: it
            is not told, and the roles below are an incoming call's.
        call_from: ``CallFrom``, else ``From``. Incoming: the caller. Outgoing: the number the call
            is made from.
        call_to: ``CallTo``, else ``To``. Incoming: the ExoPhone. Outgoing: the number dialled.
        leg_from: ``From``; for an outgoing call the first leg.
        custom_field: Only on calls started by API.
        digits: Keys gathered before, without the quotes Exotel puts around them.
        created: When the call began, or ``None``.
    """

    call_sid: str
    direction: str = ""
    call_from: str = ""
    call_to: str = ""
    leg_from: str = ""
    call_status: str = ""
    call_type: str = ""
    custom_field: str = ""
    digits: str = ""
    created: datetime | None = None

    @property
    def exophones(self) -> tuple[str, ...]:
        """Numbers of which one is ours, the likelier first."""
        if self.direction == "outgoing":
            return (self.call_from, self.call_to, self.leg_from)
        return (self.call_to, self.call_from)

    @property
    def human(self) -> str:
        """The number of the human on the line."""
        return self.call_to if self.direction == "outgoing" else self.call_from


def read_passthru(pairs: Iterable[tuple[str, str]]) -> PassthruParams:
    """Read a query's or a form's pairs; of a repeated name the first that says something counts.

    Raises:
        MissingCallSidError: There is no ``CallSid``.
    """
    given: dict[str, str] = {}
    for index, (name, value) in enumerate(pairs):
        if index >= MAX_PARAMETERS:
            break
        # Exotel spells some names in two ways (`CallFrom`, `Callfrom`).
        if text := _clean(value):
            given.setdefault(name.lower().replace("_", ""), text)
    call_sid = given.get("callsid", "")[:128]
    if not call_sid:
        raise MissingCallSidError("the request has no CallSid")
    return PassthruParams(
        call_sid=call_sid,
        direction=read_direction(given.get("direction", "")),
        call_from=given.get("callfrom", "") or given.get("from", ""),
        call_to=given.get("callto", "") or given.get("to", ""),
        leg_from=given.get("from", ""),
        call_status=given.get("callstatus", ""),
        call_type=given.get("calltype", ""),
        custom_field=given.get("customfield", ""),
        digits=_clean(given.get("digits", "").strip('"')),
        created=read_time(given.get("created", "")),
    )


def read_direction(text: str) -> str:
    """``incoming`` or ``outgoing``, of any spelling; empty: it tells neither."""
    spelled = text.strip().lower()
    if spelled.startswith("out"):
        return "outgoing"
    return "incoming" if spelled.startswith("in") else ""


def read_time(text: str) -> datetime | None:
    """A time in any spelling Exotel uses; one without a zone is IST.

    ``None`` if it is unreadable or tells no time: ``EndTime`` is always ``1970-01-01 05:30:00``.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    if found.year not in _YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=IST)


def _clean(value: str) -> str:
    value = value.strip()[:MAX_VALUE]
    return "" if value.lower() == "null" else value
