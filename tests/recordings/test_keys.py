"""Where recordings are put."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.recordings.keys import key_of, safe

AT = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


def test_a_key_is_day_call_and_source() -> None:
    """The day is UTC's, wherever the time is from."""
    assert key_of("abc123", "exotel", "", "mp3", AT) == "2026/11/21/abc123/exotel.mp3"
    there = AT.astimezone(ZoneInfo("Asia/Kolkata"))
    assert key_of("abc123", "own", "s1", "wav", there) == "2026/11/21/abc123/own-s1.wav"


@pytest.mark.parametrize(
    "hostile", ["../../etc/passwd", "..", ".", "", "/", "a/b", "a\\b", "a\0b", "नमस्ते", "x" * 5000]
)
def test_a_hostile_name_stays_inside(hostile: str) -> None:
    """It is one folder's name, of a bounded length."""
    parts = PurePosixPath(key_of(hostile, "exotel", hostile, "mp3", AT)).parts
    assert len(parts) == 5
    assert ".." not in parts
    assert max(map(len, parts)) <= 100


@given(st.text(), st.text())
def test_different_names_stay_different(one: str, other: str) -> None:
    """What has to be replaced in one never makes it another."""
    assert (safe(one) == safe(other)) == (one == other)
