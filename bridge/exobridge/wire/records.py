"""The lines of a wire file: JSON objects, told apart by their key ``kind``.

Pure. Within one ``FORMAT`` keys and kinds are only ever added; a reader passes over those that it
does not know. ``docs/reference/wire-file.md`` has every key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

FORMAT = 1
"""Of the files that are written, and the newest that is read."""


class Side(StrEnum):
    """An end of the line."""

    EXOTEL = "exotel"
    SERVER = "server"


Ms = Annotated[float, msgspec.Meta(ge=0, le=86_400_000)]
"""Milliseconds; no call lasts a day."""
UnixTime = Annotated[float, msgspec.Meta(ge=0, le=32_503_680_000)]
"""Seconds; not after the year 2999."""
Method = Annotated[str, msgspec.Meta(pattern="^[A-Z]{1,20}$")]
"""Of HTTP."""


class Record(msgspec.Struct, frozen=True, tag_field="kind", gc=False):
    """One line. Which one it is stands in ``kind``."""


class Header(Record, frozen=True, tag="wire"):
    """The first line.

    Attributes:
        format: The version of the format.
        exobridge: The version of exobridge that wrote the file.
        python: Of Python.
        kept_by: The side that wrote it; a frame's time is when it passed there.
        call_sid: Exotel's id of the call; empty: no stream's ``start`` named one.
    """

    format: int
    exobridge: str
    python: str
    kept_by: Side
    call_sid: str


class Webhook(Record, frozen=True, tag="webhook"):
    """A request of Exotel's and its answer.

    Attributes:
        at: When it came, Unix time in seconds.
        ms: How long the answer took.
        path: Without query.
        headers: Those that decide on the answer: ``accept``, ``content-type``, ``exotel-version``.
        parameters: All names and values, the body's before the query's.
        status: The answer's; 0: none came.
        body: The answer's; empty for one that is no text.
    """

    at: UnixTime
    ms: Ms
    method: Method
    path: str
    parameters: tuple[tuple[str, str], ...]
    status: int
    content_type: str = ""
    body: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class Opened(Record, frozen=True, tag="opened"):
    """A stream's socket is open; ``at`` is Unix time in seconds."""

    stream: str
    at: UnixTime


class Named(Record, frozen=True, tag="template"):
    """A stream's call is held by this template; empty: it was not wanted."""

    stream: str
    ms: Ms
    name: str


class Frame(Record, frozen=True, tag="frame"):
    """A text frame; ``ms`` since the socket was opened."""

    stream: str
    ms: Ms
    by: Side
    text: str


class Closed(Record, frozen=True, tag="closed"):
    """The socket's end: who closed it, and with which code; 1006 without one."""

    stream: str
    ms: Ms
    by: Side
    code: int


class Cut(Record, frozen=True, tag="cut"):
    """What came later was not kept, and why."""

    at: UnixTime
    why: str


OfStream = Opened | Named | Frame | Closed
"""What belongs to one stream."""

AnyRecord = Header | Webhook | OfStream | Cut
