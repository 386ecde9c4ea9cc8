"""Reading a wire file: whole, torn, damaged, hostile."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exobridge.wire import (
    Closed,
    Frame,
    Header,
    Recording,
    Side,
    Webhook,
    WireError,
    read_wire,
    reading,
)
from exobridge.wire.records import FORMAT, Cut, Named, Opened, Record

HEADER = Header(FORMAT, "0.1.0", "3.13.1", Side.SERVER, "call")
CALL: Sequence[Record] = (
    Opened("s", 1000.0),
    Frame("s", 0.1, Side.EXOTEL, '{"event":"connected"}'),
    Named("s", 2.0, "default"),
    Frame("s", 20.0, Side.SERVER, '{"event":"clear"}'),
    Closed("s", 40.0, Side.SERVER, 1000),
)
HOOK = Webhook(999.0, 2.5, "GET", "/exotel/answer", (("CallSid", "call"),), 200)


def lines(*records: Record) -> bytes:
    """Records as they are written."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def read(tmp_path: Path, data: bytes) -> Recording:
    """What a file of these bytes holds."""
    path = tmp_path / "file"
    path.write_bytes(data)
    return read_wire(path)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """In members of any size, of which later ones may hold what came earlier."""
    data = b"".join(gzip.compress(lines(*part)) for part in ([HEADER], CALL[2:], CALL[:2], [HOOK]))
    recording = read(tmp_path, data)
    assert recording.header == HEADER
    assert recording.webhooks == (HOOK,)
    (stream,) = recording.streams
    assert stream.opened_at == 1000.0
    assert stream.template == "default"
    assert [frame.ms for frame in stream.frames] == [0.1, 20.0]
    assert [frame.by for frame in stream.by(Side.SERVER)] == [Side.SERVER]
    assert stream.closed == CALL[-1]
    assert not recording.torn


def test_an_unpacked_file_is_read_too(tmp_path: Path) -> None:
    """So that one can be made, or cut down, by hand."""
    assert read(tmp_path, lines(HEADER, *CALL)).streams[0].closed is not None


def test_a_batch_that_is_damaged_ends_the_file(tmp_path: Path) -> None:
    """What stands before it is read, and it is told that there was more."""
    batch = bytearray(gzip.compress(lines(*CALL)))
    batch[10:20] = b"\xff" * 10
    recording = read(tmp_path, gzip.compress(lines(HEADER)) + batch)
    assert (recording.header, recording.torn) == (HEADER, True)


def test_streams_and_webhooks_come_by_their_time(tmp_path: Path) -> None:
    """Whichever process wrote first."""
    later, hook = Opened("t", 2000.0), msgspec.structs.replace(HOOK, at=1.0)
    recording = read(tmp_path, lines(HEADER, later, *CALL, HOOK, hook, HEADER))
    assert [stream.opened_at for stream in recording.streams] == [1000.0, 2000.0]
    assert [each.at for each in recording.webhooks] == [1.0, 999.0]


def test_a_file_that_was_cut_says_so(tmp_path: Path) -> None:
    """With the reason."""
    assert read(tmp_path, lines(HEADER, Cut(1.0, "full"))).cut == "full"


def test_kinds_of_a_newer_version_are_passed_over(tmp_path: Path) -> None:
    """And counted; keys that are not known are, too."""
    more = b'{"kind":"weather","rain":1}\n{"kind":"opened","stream":"s","at":1,"more":true}\n'
    recording = read(tmp_path, lines(HEADER) + more)
    assert (recording.unknown, len(recording.streams)) == (1, 1)


@pytest.mark.parametrize("packed", [True, False])
def test_a_torn_file_is_read_up_to_there(tmp_path: Path, packed: bool) -> None:
    """Wherever it breaks off: what was read is a beginning of what was written."""
    parts = [lines(HEADER), *(lines(record) for record in CALL)]
    data = b"".join(map(gzip.compress, parts)) if packed else b"".join(parts)
    whole = read(tmp_path, data).streams[0].frames
    shortest = len(gzip.compress(parts[0]) if packed else parts[0])
    torn = 0
    for size in range(shortest, len(data)):
        recording = read(tmp_path, data[:size])
        frames = recording.streams[0].frames if recording.streams else ()
        assert frames == whole[: len(frames)]
        torn += recording.torn
    assert torn > (len(data) - shortest) * 0.9


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no whole line"),
        (b"\x1f\x8b", "no whole line"),
        (b"hello\n", "it is no wire file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\n", "it is no wire file"),
        (gzip.compress(b"hello\n", mtime=0), "it is no wire file"),
        (lines(*CALL), "does not begin with a header"),
        (b'{"kind":"weather"}\n', "does not begin with a header"),
        (lines(msgspec.structs.replace(HEADER, format=2)), "has format 2"),
        (lines(HEADER) + b"{\n" + lines(*CALL), "line 2 is damaged"),
        (lines(HEADER) + b'{"kind":"closed","stream":"s"}\n', "line 2 is damaged"),
        (lines(HEADER, msgspec.structs.replace(HOOK, method="GÉT")), "line 2 is damaged"),
        (lines(HEADER, Opened("s", -1.0)), "line 2 is damaged"),
        (lines(HEADER, Opened("s", 1e12)), "line 2 is damaged"),
        (lines(HEADER, Frame("s", -0.1, Side.SERVER, "")), "line 2 is damaged"),
        (lines(HEADER, Frame("s", 1e9, Side.SERVER, "")), "line 2 is damaged"),
        (lines(HEADER, Closed("s", 1e300, Side.SERVER, 1000)), "line 2 is damaged"),
        (lines(HEADER) + b"[" * 100_000 + b"\n", "line 2 is damaged"),
        (lines(HEADER) + b'{"kind":"closed","x":' + b"[" * 100_000 + b"\n", "line 2 is damaged"),
        (lines(HEADER) + b"\xff\xfe\n", "line 2 is damaged"),
        (lines(HEADER) + b"x" * (reading.MAX_LINE_BYTES + 2), "a line is longer"),
    ],
)
def test_what_is_no_wire_file_is_refused_in_one_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    """A sentence, and nothing of the file in it."""
    with pytest.raises(WireError, match=said) as found:
        read(tmp_path, data)
    assert "\n" not in str(found.value)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """Before it has taken the memory: it is unpacked in parts."""
    path = tmp_path / "file"
    line = lines(HEADER)[:-1] + b" " * (1 << 20) + b"\n"
    path.write_bytes(gzip.compress(line * 20))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="unpacks to more than 8 MiB"):
            read_wire(path, max_bytes=8 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    path.write_bytes(gzip.compress(lines(HEADER) + bytes(20 << 20)))
    with pytest.raises(WireError, match="a line is longer"):
        read_wire(path)


def test_a_file_that_is_too_large_is_not_opened_up(tmp_path: Path) -> None:
    """Its size alone says so."""
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(reading.MAX_FILE_BYTES + 1)
    with pytest.raises(WireError, match="larger than 256 MiB"):
        read_wire(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda data: lines(HEADER) + data)
    | st.binary(max_size=300).map(lambda data: gzip.compress(lines(HEADER, *CALL)) + data)
    | st.binary(max_size=300).map(gzip.compress)
)
def test_any_file_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    """Nothing else happens."""
    refused = ""
    try:
        header = read(tmp_path, data).header
    except WireError as error:
        refused = str(error)
    else:
        assert header == HEADER
    assert "\n" not in refused
