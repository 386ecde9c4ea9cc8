"""What is old enough goes, the rest stays."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from exobridge.call.events import JSON, EventKind, passthru
from exobridge.call.state import State
from exobridge.keeping.retention import EVERY, WORDS_NEEDED, Periods, Retention, Swept
from exobridge.store import Store
from exobridge.webhooks.messages import Messages
from exobridge.webhooks.types import WEBHOOK_EVENTS
from tests.keeping.kept import NOW, SUMMARY, WORDS, database, keep, on_disk, sounds, storage_of

DAY = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    """A store with one call of ten days ago and one of today."""
    store = await Store.open(database(tmp_path))
    await keep(store, tmp_path, "old", at=NOW - 10 * DAY)
    await keep(store, tmp_path, "new", at=NOW - timedelta(minutes=5))
    yield store
    await store.aclose()


def retention(store: Store, folder: Path, periods: Periods) -> Retention:
    """At noon."""
    return Retention(store, storage_of(folder), periods, lambda: NOW)


async def words(store: Store, call_sid: str) -> tuple[list[str], list[JSON]]:
    """What is kept of what was said: the turns' texts, the summaries."""
    events = await store.events(call_sid)
    asked = [e.data["summary"] for e in events if e.kind is EventKind.TRANSFER_REQUESTED]
    return [turn.text for turn in await store.turns(call_sid)], asked


async def test_words_go_after_their_days_and_their_times_stay(store: Store, tmp_path: Path) -> None:
    """Of the old call it is still known who spoke when; the new one is whole."""
    swept = await retention(store, tmp_path, Periods(words=7 * DAY)).sweep()
    assert swept == Swept(words=3)
    assert await words(store, "old") == (["", ""], [""])
    assert [(turn.start_ms, turn.end_ms) for turn in await store.turns("old")] == [
        (100, 150),
        (200, 300),
    ]
    assert await words(store, "new") == ([WORDS, WORDS], [SUMMARY])
    assert len(await store.recordings.of_call("old")) == 1


async def test_words_that_went_are_on_the_disk_no_more(store: Store, tmp_path: Path) -> None:
    """They are overwritten, in the database's log too."""
    await keep(store, tmp_path, "older", at=NOW - 20 * DAY)
    await retention(store, tmp_path, Periods(words=DAY / 1000)).sweep()
    await store.keeping.settle()
    assert on_disk(tmp_path, WORDS) == []
    assert on_disk(tmp_path, SUMMARY) == []


async def test_recordings_go_after_their_days(store: Store, tmp_path: Path) -> None:
    """File and row of the old one; nothing of the new one."""
    swept = await retention(store, tmp_path, Periods(recordings=7 * DAY)).sweep()
    assert swept == Swept(recordings=1)
    assert await store.recordings.of_call("old") == []
    (new,) = await store.recordings.of_call("new")
    assert await storage_of(tmp_path).size(new.location) == new.bytes
    assert list(sounds(tmp_path)) == ["new"]
    assert await words(store, "old") == ([WORDS, WORDS], [SUMMARY])


async def test_a_file_that_cannot_be_deleted_is_tried_again(store: Store, tmp_path: Path) -> None:
    """Its row stays, the others go, and the sweep ends."""
    (old,) = await store.recordings.of_call("old")
    file = sounds(tmp_path)["old"]
    file.unlink()
    file.mkdir()
    (file / "in the way").touch()
    everything = retention(store, tmp_path, Periods(recordings=timedelta(seconds=1)))
    assert await everything.sweep() == Swept(recordings=1, failed=1)
    assert await store.recordings.of_call("old") == [old]
    (file / "in the way").unlink()
    file.rmdir()
    assert await everything.sweep() == Swept(recordings=1)


async def test_words_go_in_bites_and_go_on_where_they_were(store: Store, tmp_path: Path) -> None:
    """Each transaction takes the oldest calls that are left, however many began at one moment."""
    for index in range(5):
        await keep(store, tmp_path, f"same-{index}", at=NOW - 9 * DAY)
    keeping, removed = store.keeping, list[int]()
    while True:
        bite = await keeping.remove_words(NOW - DAY, calls_at_once=2)
        removed.append(bite.removed)
        if bite.is_done:
            break
    assert sum(removed) == 6 * 3
    assert len(removed) > 1
    assert (await keeping.remove_words(NOW - DAY)).removed == 0
    assert await words(store, "new") == ([WORDS, WORDS], [SUMMARY])


async def test_one_process_sweeps_an_hour(store: Store, tmp_path: Path) -> None:
    """Whoever comes second, within the hour, does nothing."""
    one = retention(store, tmp_path, Periods(words=7 * DAY))
    assert await one.look() == Swept(words=3)
    assert await one.look() is None
    later = Retention(store, storage_of(tmp_path), Periods(words=7 * DAY), lambda: NOW + EVERY)
    assert await later.look() == Swept()


async def test_a_call_of_which_nothing_is_heard_is_closed(store: Store, tmp_path: Path) -> None:
    """After a day, also where everything is kept for ever."""
    for hours in (23, 25):
        at = NOW - timedelta(hours=hours)
        await store.append(passthru(f"{hours} hours ago", at, {}))
    await retention(store, tmp_path, Periods()).sweep()
    states = {call.call_sid: call.state for call in await store.calls()}
    assert states["25 hours ago"] is State.ENDED
    assert states["23 hours ago"] is State.NEW


def test_days_and_words() -> None:
    """0 days are for ever; words that are not to be stored are kept while a human may need the
    summary."""
    assert Periods.of(recording_days=0, transcript_days=0, store_transcripts=True) == Periods()
    kept = Periods.of(recording_days=3, transcript_days=5, store_transcripts=True)
    assert kept == Periods(3 * DAY, 5 * DAY)
    unstored = Periods.of(recording_days=0, transcript_days=5, store_transcripts=False)
    assert unstored == Periods(None, WORDS_NEEDED)


async def test_words_go_out_of_webhooks_too(store: Store, tmp_path: Path) -> None:
    """Of old calls, sent or not; the rest of what they say stays."""
    store.leave_all_beside(Messages(WEBHOOK_EVENTS))
    await keep(store, tmp_path, "told", at=NOW - 9 * DAY)
    swept = await retention(store, tmp_path, Periods(words=7 * DAY)).sweep()
    assert swept.words == 3 + 3 + 3  # of two calls, and of the one's webhooks
    webhooks = await store.jobs.found("webhook", call_sid="told")
    said = repr([webhook.payload for webhook in webhooks])
    assert WORDS not in said
    assert SUMMARY not in said
    turns = [webhook for webhook in webhooks if webhook.payload["type"] == "call.turn"]
    # A payload is JSON, whose shape mypy does not know.
    assert [job.payload["data"]["turn"]["text"] for job in turns] == ["", ""]  # type: ignore[index, call-overload]
    assert "number" in repr(turns[0].payload)
