"""The words on the stream, from the bot to Exotel.

Pure. What is read is held strictly to Exotel's documents, and every departure is a
:class:`~exobridge.simulator.rules.Breach`.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

import msgspec

from exobridge.simulator.rules import MAX_CHUNK_BYTES, MIN_CHUNK_STEP, Breach, Rule


@dataclass(frozen=True, slots=True)
class BotMedia:
    """Audio to be played, in the stream's encoding.

    Attributes:
        audio: The bytes.
        missing: Which of sequence_number, chunk and timestamp it does not carry as a number.
    """

    audio: bytes
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BotMark:
    """To be returned once everything before it has been played."""

    name: str


@dataclass(frozen=True, slots=True)
class BotClear:
    """Drop what has not been played."""


BotFrame = BotMedia | BotMark | BotClear


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message of the bot.

    Attributes:
        frame: What it asks for; ``None`` if Exotel would ignore it.
        breaches: The rules it does not keep.
    """

    frame: BotFrame | None = None
    breaches: tuple[Breach, ...] = ()


class _Media(msgspec.Struct):
    payload: str
    chunk: object = None
    timestamp: object = None


class _Mark(msgspec.Struct):
    name: str


class _Message(msgspec.Struct):
    event: str
    stream_sid: str | msgspec.UnsetType = msgspec.UNSET
    camel_sid: object = msgspec.field(default=None, name="streamSid")
    sequence_number: object = None
    media: _Media | msgspec.UnsetType = msgspec.UNSET
    mark: _Mark | msgspec.UnsetType = msgspec.UNSET


_DECODER = msgspec.json.Decoder(_Message)


def parse(message: str | bytes, stream_sid: str) -> Parsed:
    """Read one WebSocket message of the bot. Never raises.

    Args:
        message: Text of a text frame, or bytes of a binary one.
        stream_sid: The stream's id, as the start event named it.
    """
    if isinstance(message, bytes):
        return _broken(Rule.BINARY_FRAME, f"{len(message)} bytes")
    try:
        decoded = _DECODER.decode(message)
    except msgspec.ValidationError as error:
        return _broken(Rule.MISSING_FIELD, str(error)[:120])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _broken(Rule.NOT_JSON, f"{len(message)} characters")
    if decoded.event not in ("media", "mark", "clear"):
        return _broken(Rule.UNKNOWN_EVENT, repr(decoded.event[:40]))
    if decoded.stream_sid is msgspec.UNSET:
        spelled = "" if decoded.camel_sid is None else ", but with streamSid"
        return _broken(Rule.MISSING_FIELD, f"{decoded.event} without stream_sid{spelled}")
    if decoded.stream_sid != stream_sid:
        return _broken(Rule.WRONG_STREAM_SID, decoded.event)
    return _body(decoded)


def _body(message: _Message) -> Parsed:
    if message.event == "clear":
        return Parsed(BotClear())
    if message.event == "mark":
        if message.mark is msgspec.UNSET:
            return _broken(Rule.MISSING_FIELD, "mark without mark.name")
        return Parsed(BotMark(message.mark.name))
    if message.media is msgspec.UNSET:
        return _broken(Rule.MISSING_FIELD, "media without media.payload")
    return _audio(message.media.payload, _missing(message.sequence_number, message.media))


def _missing(sequence_number: object, media: _Media) -> tuple[str, ...]:
    carried = {
        "sequence_number": sequence_number,
        "chunk": media.chunk,
        "timestamp": media.timestamp,
    }
    return tuple(name for name, value in carried.items() if not _is_number(value))


def _is_number(value: object) -> bool:
    """Exotel's own frames have them as texts, its samples as numbers."""
    if isinstance(value, str):
        return value.isascii() and value.isdigit()
    return isinstance(value, int | float) and not isinstance(value, bool)


def _audio(payload: str, missing: tuple[str, ...]) -> Parsed:
    try:
        audio = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        return _broken(Rule.BAD_BASE64, f"{len(payload)} characters")
    if len(audio) > MAX_CHUNK_BYTES:
        return _broken(Rule.CHUNK_TOO_LARGE, f"{len(audio)} bytes")
    media = BotMedia(audio, missing)
    if not audio:
        return Parsed(media, (Breach(Rule.CHUNK_EMPTY),))
    if len(audio) % MIN_CHUNK_STEP:
        return Parsed(media, (Breach(Rule.CHUNK_STEP, f"{len(audio)} bytes"),))
    return Parsed(media)


def _broken(rule: Rule, detail: str) -> Parsed:
    return Parsed(None, (Breach(rule, detail),))
