"""Reads a wire file. Whatever the file holds: a recording, or one clear sentence."""

from __future__ import annotations

import os
import zlib
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from exobridge.errors import ExobridgeError
from exobridge.wire.records import (
    FORMAT,
    AnyRecord,
    Closed,
    Cut,
    Frame,
    Header,
    Named,
    OfStream,
    Opened,
    Side,
    Webhook,
)

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Largest file that is read, as it lies on the disk."""

MAX_BYTES = 512 * 1024 * 1024
"""Most bytes of lines in it: some hours of speech. What is packed closer is no call."""

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Longest line; the largest frame that a server takes has 1 MiB."""

_PART = 1 << 20
_PACKED_PART = 1 << 16
"""Of a packed file, which may hold tens of thousands of members in a mebibyte."""
_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip's header
_MAGIC = b"\x1f\x8b"

_decode = msgspec.json.Decoder(AnyRecord).decode


class WireError(ExobridgeError):
    """A file is no wire file that can be read; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One WebSocket.

    Attributes:
        opened_at: Unix time, in seconds.
        template: Who held the call; empty if it is not known.
        frames: By their time, in ms since it was opened.
        closed: Its end; ``None``: the file ends before it.
    """

    opened_at: float
    frames: tuple[Frame, ...]
    closed: Closed | None = None
    template: str = ""

    def by(self, side: Side) -> tuple[Frame, ...]:
        """What one side sent."""
        return tuple(frame for frame in self.frames if frame.by is side)


@dataclass(frozen=True, slots=True)
class Recording:
    """A wire file.

    Attributes:
        webhooks: By their time.
        streams: By their time.
        torn: The file breaks off in the middle of a line, or of a batch.
        cut: Why not all of the call was kept; empty if it was.
        unknown: Lines of a kind that a newer exobridge has added.
    """

    header: Header
    webhooks: tuple[Webhook, ...] = ()
    streams: tuple[Stream, ...] = ()
    torn: bool = False
    cut: str = ""
    unknown: int = 0


def read_wire(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Recording:
    """Read a file, up to where it is whole.

    Args:
        max_bytes: Of lines, unpacked.

    Raises:
        WireError: It is none, or of a format that is not known, or too large.
        OSError: It cannot be opened.
    """
    with Path(path).open("rb") as file:
        if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
            raise WireError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB")
        return _read(file, _Lines(max_bytes))


def _read(file: BinaryIO, lines: _Lines) -> Recording:
    parts = _unpacked(file, lines) if _is_packed(file) else iter(lambda: file.read(_PART), b"")
    header: Header | None = None
    records: list[AnyRecord] = []
    unknown = 0
    for number, line in enumerate(lines.of(parts), start=1):
        record = _record(line, number)
        if header is None:
            header = _header(record)
        elif record is None:
            unknown += 1
        else:
            records.append(record)
    if header is None:
        raise WireError("the file holds no whole line: it is no wire file")
    return _recording(header, records, torn=lines.torn, unknown=unknown)


def _is_packed(file: BinaryIO) -> bool:
    packed = file.read(len(_MAGIC)) == _MAGIC
    file.seek(0)
    return packed


class _Lines:
    """Parts of a text, as its lines.

    Attributes:
        torn: The text broke off.
    """

    def __init__(self, max_bytes: int) -> None:
        self.torn = False
        self._max_bytes = max_bytes

    def of(self, parts: Iterable[bytes]) -> Generator[bytes]:
        """The whole lines, as long as there are any.

        Raises:
            WireError: A line, or all of it, is too long.
        """
        rest, size = b"", 0
        for part in parts:
            size += len(part)
            if size > self._max_bytes:
                raise WireError(f"the file unpacks to more than {self._max_bytes >> 20} MiB")
            *whole, rest = (rest + part).split(b"\n")
            yield from whole
            if len(rest) > MAX_LINE_BYTES:
                raise WireError(f"a line is longer than {MAX_LINE_BYTES >> 20} MiB")
        self.torn = self.torn or bool(rest)


def _unpacked(file: BinaryIO, lines: _Lines) -> Generator[bytes]:
    """The members of a gzip file, in parts; what cannot be unpacked ends it."""
    data = b""
    while data or (data := file.read(_PACKED_PART)):
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                part = member.decompress(data, _PART)
            except zlib.error:
                lines.torn = True
                return
            if part:
                yield part
            data = member.unconsumed_tail or (b"" if member.eof else file.read(_PACKED_PART))
            if not data and not part and not member.eof:
                lines.torn = True
                return
        data = member.unused_data


def _record(line: bytes, number: int) -> AnyRecord | None:
    """A line's; ``None``: of a kind that is not known."""
    try:
        record: AnyRecord = _decode(line)
        return record
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    kind: object = None
    with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        kind = msgspec.json.decode(line, type=dict[str, object]).get("kind")
    if not isinstance(kind, str) or kind in _KINDS:
        what = "it is no wire file" if number == 1 else f"line {number} is damaged"
        raise WireError(f"the file cannot be read: {what}")
    return None


_KINDS = frozenset(
    str(record.__struct_config__.tag)
    for record in (Header, Webhook, Opened, Named, Frame, Closed, Cut)
)


def _header(record: AnyRecord | None) -> Header:
    if not isinstance(record, Header):
        raise WireError("the file does not begin with a header: it is no wire file")
    if record.format > FORMAT:
        raise WireError(
            f"the file has format {record.format}, and this exobridge reads {FORMAT}: "
            f"it was written by exobridge {record.exobridge[:20]!r}"
        )
    return record


def _recording(header: Header, records: list[AnyRecord], *, torn: bool, unknown: int) -> Recording:
    of_streams: dict[str, list[OfStream]] = {}
    for record in records:
        if isinstance(record, OfStream):
            of_streams.setdefault(record.stream, []).append(record)
    webhooks = (record for record in records if isinstance(record, Webhook))
    streams = (_stream(each) for each in of_streams.values())
    cuts = [record.why for record in records if isinstance(record, Cut)]
    return Recording(
        header,
        tuple(sorted(webhooks, key=lambda webhook: webhook.at)),
        tuple(sorted(streams, key=lambda stream: stream.opened_at)),
        torn=torn,
        cut=cuts[0] if cuts else "",
        unknown=unknown,
    )


def _stream(records: list[OfStream]) -> Stream:
    opened = [record.at for record in records if isinstance(record, Opened)]
    named = [record.name for record in records if isinstance(record, Named)]
    closed = [record for record in records if isinstance(record, Closed)]
    frames = [record for record in records if isinstance(record, Frame)]
    return Stream(
        opened[0] if opened else 0.0,
        tuple(sorted(frames, key=lambda frame: frame.ms)),
        closed[0] if closed else None,
        named[0] if named else "",
    )
