"""The folder of wire files: its bounds, and what a crash costs."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from exobridge.wire import Frame, Side, read_wire
from exobridge.wire.folder import Bounds, WireFolder
from exobridge.wire.records import Opened

NOISE = [Frame("s", float(number), Side.EXOTEL, os.urandom(200).hex()) for number in range(50)]


def folder(tmp_path: Path, **bounds: float) -> WireFolder:
    """A folder with these bounds."""
    return WireFolder(tmp_path / "wire", Side.SERVER, Bounds(**bounds, free_bytes=0))  # type: ignore[arg-type]  # whole numbers, as they are given


def age(path: Path, seconds: float) -> None:
    """Make a file this old."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds a caller's voice."""
    wire = folder(tmp_path)
    assert wire.append("call", "call", NOISE)
    assert stat.S_IMODE(wire.path("call").stat().st_mode) == 0o600


def test_a_full_file_says_so_and_takes_no_more(tmp_path: Path) -> None:
    """Its last line is the reason."""
    wire = folder(tmp_path, file_bytes=20_000)
    kept = [wire.append("call", "call", NOISE) for _ in range(6)]
    assert kept[0]
    assert not kept[-1]
    recording = read_wire(wire.path("call"))
    assert recording.cut == "the file has reached its largest size"
    assert wire.path("call").stat().st_size < 40_000


def test_the_oldest_of_too_many_gives_way(tmp_path: Path) -> None:
    """And nobody else's files."""
    wire = folder(tmp_path, files=3)
    other = tmp_path / "wire" / "notes.txt"
    for number in range(5):
        wire.append(f"call-{number}", f"call-{number}", NOISE)
        age(wire.path(f"call-{number}"), 100 - number)
        other.touch()
    assert sorted(path.name for path in wire.path("x").parent.iterdir()) == [
        "call-2.wire.gz",
        "call-3.wire.gz",
        "call-4.wire.gz",
        "notes.txt",
    ]


def test_what_is_too_old_is_deleted(tmp_path: Path) -> None:
    """When the next call's file is made."""
    wire = folder(tmp_path, age_s=60)
    wire.append("old", "old", NOISE)
    age(wire.path("old"), 61)
    wire.append("new", "new", NOISE)
    assert [path.name for path in (tmp_path / "wire").iterdir()] == ["new.wire.gz"]


def test_a_call_can_be_erased(tmp_path: Path) -> None:
    """Whether it has a file or not."""
    wire = folder(tmp_path)
    wire.append("call", "call", NOISE)
    wire.drop("call")
    wire.drop("call")
    assert not wire.path("call").exists()


@pytest.mark.parametrize("sid", ["../../etc/passwd", "a/b", "", "x" * 300, "ö", "\ud800", "."])
def test_an_odd_id_leads_nowhere_else(tmp_path: Path, sid: str) -> None:
    """The file lies in the folder, and is found again."""
    wire = folder(tmp_path)
    assert wire.path(sid).parent == tmp_path / "wire"
    assert wire.append(sid, "", NOISE)
    assert wire.path(sid).is_file()


def test_several_processes_can_write_to_one_file(tmp_path: Path) -> None:
    """As workers do: the webhook comes to one, the stream to another."""
    one, other = folder(tmp_path), folder(tmp_path)
    one.append("call", "call", [Opened("s", 1.0)])
    other.append("call", "call", NOISE)
    one.append("call", "call", NOISE)
    assert len(read_wire(one.path("call")).streams[0].frames) == 100


def test_a_disk_that_is_nearly_full_is_left_alone(tmp_path: Path) -> None:
    """What is free belongs to the database."""
    wire = WireFolder(tmp_path / "wire", Side.SERVER, Bounds(free_bytes=1 << 60))
    with pytest.raises(OSError, match="nearly full"):
        wire.append("call", "call", NOISE)
    assert not wire.path("call").exists()
