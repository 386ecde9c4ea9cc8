"""What the supervisor and a worker say to each other, as bytes and back. No I/O, no clock.

A frame is the length of its body (4 bytes, big-endian) and the body: JSON, an object whose key
``type`` names the message.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

MAX_FRAME = 32 * 1024 * 1024
"""Longest body, in bytes. The longest there is holds the metrics of every worker: of each some tens
of kilobytes, more with many templates."""

_LENGTH = struct.Struct(">I")


class BadFrameError(Exception):
    """What came is no frame of ours. Neither side sends such a thing: the channel is given up."""


# ------------------------------------------------------------------ worker to supervisor


class Up(msgspec.Struct, frozen=True, tag=True):
    """The worker serves."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The worker cannot start, as something has to be mended first.

    Attributes:
        cause: What, and how; no secret in it.
    """

    cause: str


class Take(msgspec.Struct, frozen=True, tag=True):
    """A slot for this call? Answered by :class:`Taken` with the same ``ask``.

    Attributes:
        refusal: For one spoken line only.
        stream_sid: The stream that has come; empty: it is waited for.
        again: The call was in conversation before, and has a slot even above the limit.
    """

    ask: int
    call_sid: str
    refusal: bool = False
    stream_sid: str = ""
    again: bool = False


class Hold(msgspec.Struct, frozen=True, tag=True):
    """The worker has given this call a slot without asking, as it got no answer in time."""

    call_sid: str
    refusal: bool = False
    stream_sid: str = ""


class Release(msgspec.Struct, frozen=True, tag=True):
    """This stream is over; without ``stream_sid``: none will come."""

    call_sid: str
    stream_sid: str = ""


class Heed(msgspec.Struct, frozen=True, tag=True):
    """Exotel has said how many streams the account has open, and how many it may have; to be
    heeded for so long."""

    active: int
    limit: int | None
    seconds: float


class AskCalls(msgspec.Struct, frozen=True, tag=True):
    """How many calls are there? Answered by :class:`Calls`."""

    ask: int


class Metrics(msgspec.Struct, frozen=True, tag=True):
    """The worker's metrics as they are now, told every second: a sign of life, too."""

    snapshot: msgspec.Raw


class AskMetrics(msgspec.Struct, frozen=True, tag=True):
    """What are everybody's metrics? Answered by :class:`AllMetrics`."""

    ask: int


FromWorker = Up | Failed | Take | Hold | Release | Heed | AskCalls | Metrics | AskMetrics


# ------------------------------------------------------------------ supervisor to worker


class Start(msgspec.Struct, frozen=True, tag=True):
    """The first message: what the worker is to be.

    Attributes:
        index: 0 for the first worker.
        workers: How many there are.
        variables: The settings, by the names of their environment variables.
        host, port: Where to listen.
        token_key: Signs stream URLs where there is no secret.
        lost: ``call_sid`` and ``stream_sid`` of streams whose worker died, to be closed in the
            record; ``None``: nobody serves yet, and all that stand open there are.
    """

    index: int
    workers: int
    variables: dict[str, str]
    host: str
    port: int
    token_key: str
    lost: list[tuple[str, str]] | None = None


class Taken(msgspec.Struct, frozen=True, tag=True):
    """Whether the call has a slot now.

    Attributes:
        yours: It counts as this worker's.
    """

    ask: int
    granted: bool
    yours: bool = False


class Moved(msgspec.Struct, frozen=True, tag=True):
    """The call is another worker's now; a stream of it that is open here has been replaced."""

    call_sid: str
    stream_sid: str = ""


class Unused(msgspec.Struct, frozen=True, tag=True):
    """No stream came for this call, and its slot was freed."""

    call_sid: str


class Calls(msgspec.Struct, frozen=True, tag=True):
    """How many calls there are on all workers."""

    ask: int
    calls: int


class AllBegun(msgspec.Struct, frozen=True, tag=True):
    """Every worker serves, or has served: calls spread over all of them."""


class AllMetrics(msgspec.Struct, frozen=True, tag=True):
    """The last metrics of each worker that has told any lately, by its index, and what stays true
    of those that died."""

    ask: int
    workers: dict[int, msgspec.Raw]
    gone: msgspec.Raw


ToWorker = Start | Taken | Moved | Unused | Calls | AllBegun | AllMetrics

MessageT = TypeVar("MessageT")


def encode(message: FromWorker | ToWorker) -> bytes:
    """A message as a frame.

    Raises:
        BadFrameError: It is too long.
    """
    body = msgspec.json.encode(message)
    if len(body) > MAX_FRAME:
        raise BadFrameError(f"a message of {len(body)} bytes is too long to be sent")
    return _LENGTH.pack(len(body)) + body


class Frames(Generic[MessageT]):
    """Takes bytes as they come, and gives the messages in them.

    Args:
        decoder: Of the messages that the other side may send.
    """

    def __init__(self, decoder: msgspec.json.Decoder[MessageT]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[MessageT]:
        """The messages that are whole now.

        Raises:
            BadFrameError: One is too long, or none of ours.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(buffer, start)
                if length > MAX_FRAME:
                    raise BadFrameError(f"a message of {length} bytes is too long")
                end = start + _LENGTH.size + length
                if len(buffer) < end:
                    break
                body = bytes(buffer[start + _LENGTH.size : end])
                start = end
                yield self._read(body)
        finally:
            del buffer[:start]

    def _read(self, body: bytes) -> MessageT:
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            # Without the body: it may hold settings.
            raise BadFrameError(f"no message ({type(error).__name__})") from None


def from_worker() -> Frames[FromWorker]:
    """What the supervisor reads."""
    return Frames(msgspec.json.Decoder(FromWorker))


def to_worker() -> Frames[ToWorker]:
    """What a worker reads."""
    return Frames(msgspec.json.Decoder(ToWorker))
