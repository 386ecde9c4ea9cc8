"""What Exotel says on the media WebSocket, as typed events.

``decode`` turns one text frame into one event. It reads every spelling that has been seen: snake
and camel case, numbers as strings or integers, ids at the top level or inside ``start``, a flat
``digit``. The common frame, ``media`` with canonical keys, takes a short path through one typed
msgspec decode (base64 included); everything else is read liberally.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

MAX_TEXT = 256
"""Longest id, number, digit or mark name that is kept, in characters; Exotel's have 32."""

MAX_CUSTOM_PARAMETERS = 32
"""Exotel sends at most three; more than this are dropped."""


class BadFrameError(Exception):
    """A frame that cannot be read: not JSON, not an object, no event, or a broken payload."""


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """``start.media_format`` as it was sent. The strings are hints, often copied from a sample.

    Attributes:
        encoding: Lower case, e.g. ``base64``, ``audio/x-mulaw``.
        sample_rate: Hertz, or ``None`` if it was absent or unreadable.
        bit_rate: Bits per second, or ``None``.
    """

    encoding: str = ""
    sample_rate: int | None = None
    bit_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """The socket is up; ``start`` follows."""

    custom_parameters: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Started:
    """The stream begins. Numbers stand as Exotel sent them, often national with a leading 0.

    Attributes:
        from_number: The human's, also on a call that we placed.
        direction: As sent; Exotel does not document one.
    """

    stream_sid: str
    call_sid: str
    account_sid: str = ""
    from_number: str = ""
    to_number: str = ""
    custom_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    media_format: MediaFormat = MediaFormat()
    direction: str = ""


class Media(msgspec.Struct, frozen=True, gc=False):
    """Audio of the caller.

    Attributes:
        payload: Bytes in the stream's encoding, of any length.
        timestamp_ms: Since the start of the stream, or ``None`` if it was absent.
        stream_sid: As sent, maybe empty.
    """

    payload: bytes
    timestamp_ms: int | None
    stream_sid: str = ""


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key the caller pressed: one of ``0-9*#A-D``."""

    digit: str
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """Everything sent before this mark has been played to the caller."""

    name: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stream is over; nothing can be sent any more. ``reason`` is opaque."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed frame that means nothing to us: an unknown event, an inbound ``clear``, the
    bot's own audio (track ``outbound``)."""

    event: str


Event = Connected | Started | Media | Dtmf | MarkPlayed | Stopped | Ignored


class _FastMedia(msgspec.Struct, gc=False):
    payload: bytes
    timestamp: str | int | None = None
    track: str | None = None
    Track: str | None = None


class _Fast(msgspec.Struct, gc=False):
    event: str
    media: _FastMedia | None = None
    stream_sid: str = ""
    streamSid: str = ""
    track: str | None = None
    Track: str | None = None


_decode_fast = msgspec.json.Decoder(_Fast).decode
_decode_any = msgspec.json.Decoder().decode

_NOTHING: tuple[Any, ...] = (None, "", {})
"""What a field holds that says nothing."""

_DIGITS = frozenset("0123456789*#ABCD")
_NUMBER = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]*)(?![0-9.])", re.IGNORECASE)


def decode(text: str | bytes) -> Event:
    """Read one text frame.

    Args:
        text: The frame as it came from the socket.

    Raises:
        BadFrameError: It cannot be read. No other exception, whatever the input.
    """
    try:
        frame = _decode_fast(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _decode_liberally(text)
    media = frame.media
    stream_sid = frame.stream_sid or frame.streamSid
    if frame.event == "media" and media is not None and stream_sid:
        track = media.track or media.Track or frame.track or frame.Track
        if track is not None and _is_outbound(track):
            return Ignored("media")
        return Media(media.payload, _number(media.timestamp), stream_sid[:MAX_TEXT])
    return _decode_liberally(text)


def _decode_liberally(text: str | bytes) -> Event:
    try:
        value: Any = _decode_any(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrameError("not JSON") from error
    frame = _fields(value)
    if not frame:
        raise BadFrameError("not an object")
    event = _text(frame.get("event")).lower()
    if not event:
        raise BadFrameError("no event")
    reader = _READERS.get(event)
    return reader(frame) if reader else Ignored(event[:32])


def _connected(frame: dict[str, Any]) -> Event:
    inner = _fields(frame.get("connected"))
    return Connected(_custom_parameters(inner) or _custom_parameters(frame))


def _started(frame: dict[str, Any]) -> Event:
    inner = _fields(frame.get("start"))
    both = {**frame, **{key: value for key, value in inner.items() if value not in _NOTHING}}
    stated = _fields(both.get("mediaformat"))
    return Started(
        stream_sid=_text(both.get("streamsid")),
        call_sid=_text(both.get("callsid")),
        account_sid=_text(both.get("accountsid")),
        from_number=_text(both.get("from")),
        to_number=_text(both.get("to")),
        custom_parameters=_custom_parameters(both),
        media_format=MediaFormat(
            encoding=_text(stated.get("encoding")).lower(),
            sample_rate=_quantity(stated.get("samplerate")),
            bit_rate=_quantity(stated.get("bitrate")),
        ),
        direction=_text(both.get("direction")),
    )


def _media(frame: dict[str, Any]) -> Event:
    media = _fields(frame.get("media")) or frame
    if _is_outbound(media.get("track") or frame.get("track")):
        return Ignored("media")
    payload = media.get("payload")
    if not isinstance(payload, str):
        raise BadFrameError("media without payload")
    timestamp = _number(media.get("timestamp"))
    return Media(_unbase64(payload), timestamp, _text(frame.get("streamsid")))


def _is_outbound(track: object) -> bool:
    return isinstance(track, str) and track.lower() == "outbound"


def _dtmf(frame: dict[str, Any]) -> Event:
    inner = _fields(frame.get("dtmf"))
    digit = _text(inner.get("digit", frame.get("digit"))).strip("\"' ").upper()
    if digit not in _DIGITS:
        raise BadFrameError("no such key")
    return Dtmf(digit, _number(inner.get("duration", frame.get("duration"))))


def _mark(frame: dict[str, Any]) -> Event:
    inner = _fields(frame.get("mark"))
    name = _text(inner.get("name", frame.get("name")))
    if not name:
        raise BadFrameError("mark without name")
    return MarkPlayed(name)


def _stopped(frame: dict[str, Any]) -> Event:
    inner = _fields(frame.get("stop"))
    return Stopped(_text(inner.get("reason", frame.get("reason"))))


_READERS = {
    "connected": _connected,
    "start": _started,
    "media": _media,
    "dtmf": _dtmf,
    "mark": _mark,
    "stop": _stopped,
}


def _fields(value: object) -> dict[str, Any]:
    """An object's fields under one spelling: lower case, without underscores and hyphens.

    Where one field comes in two spellings, one that is empty gives way. Custom parameters are the
    user's names and are not touched: they are read one level further in.
    """
    if not isinstance(value, dict):
        return {}
    fields: dict[str, Any] = {}
    for spelled, item in cast(dict[str, Any], value).items():
        key = spelled.lower().replace("_", "").replace("-", "")
        if key not in fields or item not in _NOTHING:
            fields[key] = item
    return fields


def _custom_parameters(frame: dict[str, Any]) -> dict[str, str]:
    given = frame.get("customparameters")
    if not isinstance(given, dict):
        return {}
    items = list(cast(dict[str, Any], given).items())[:MAX_CUSTOM_PARAMETERS]
    return {key[:MAX_TEXT]: _text(value) for key, value in items}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return ""


def _number(value: object) -> int | None:
    """A non-negative integer, from a number or a string of digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if 0 <= value < 1e15 else None
    if isinstance(value, str) and value.isascii() and len(value) <= 15 and value.isdigit():
        return int(value)
    return None


def _quantity(value: object) -> int | None:
    """A rate with or without its unit: ``8000``, ``"8000"``, ``"16kHz"``, ``"128kbps"``."""
    if not isinstance(value, str):
        return _number(value)
    match = _NUMBER.match(value)
    if not match:
        return None
    number, unit = float(match[1]), match[2].lower()
    return round(number * 1000 if unit.startswith("k") else number)


def _unbase64(payload: str) -> bytes:
    """Base64 of either alphabet, with or without its padding."""
    plain = payload.strip().translate(_URL_SAFE)
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError as error:  # binascii.Error, and str with non-ASCII characters
        raise BadFrameError("payload is not base64") from error


_URL_SAFE = str.maketrans("-_", "+/")
