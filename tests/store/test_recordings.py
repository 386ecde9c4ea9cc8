"""Rows of recordings."""

from __future__ import annotations

from dataclasses import replace

from exobridge.store import Store
from exobridge.store.recordings import Recording
from tests.store.samples import answered, at

ONE = Recording(
    call_sid="c1",
    source="exotel",
    name="",
    location="file:2026/11/21/c1/exotel.mp3",
    media_type="audio/mpeg",
    bytes=1234,
    sha256="0" * 64,
    duration_ms=2160,
    channels=2,
    sample_rate=8000,
    created_at=at(0),
)


async def test_a_recording_is_kept_once(store: Store) -> None:
    """It comes back as it was; another of the same source and name changes nothing."""
    await store.append(answered())
    assert await store.recordings.add(ONE)
    assert not await store.recordings.add(replace(ONE, bytes=99))
    assert await store.recordings.of_call("c1") == [ONE]
    assert await store.recordings.get("c1", "exotel", "") == ONE
    assert await store.recordings.get("c1", "own", "") is None


async def test_recordings_of_a_call_and_of_an_age(store: Store) -> None:
    """By call in the order in which they came, by age the oldest first."""
    await store.append(answered("c1"))
    await store.append(answered("c2"))
    own = replace(ONE, source="own", name="s1", duration_ms=None, channels=None, created_at=at(5))
    other = replace(ONE, call_sid="c2", created_at=at(2))
    for each in (ONE, own, other):
        assert await store.recordings.add(each)
    assert await store.recordings.of_call("c1") == [ONE, own]
    assert await store.recordings.older_than(at(5)) == [ONE, other]
    assert await store.recordings.older_than(at(50), limit=1) == [ONE]


async def test_a_recording_is_deleted(store: Store) -> None:
    """Once; the call's others stay."""
    await store.append(answered())
    own = replace(ONE, source="own")
    await store.recordings.add(ONE)
    await store.recordings.add(own)
    assert await store.recordings.delete(ONE)
    assert not await store.recordings.delete(ONE)
    assert await store.recordings.of_call("c1") == [own]
