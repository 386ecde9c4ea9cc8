"""Audio that is asked for twice."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from exobridge_providers.stt.reading import Reader
from exobridge_providers.workers import WorkerPool


@dataclass
class Recogniser:
    """Reads when it is let, and counts. Unrealistic: its text is the audio."""

    gate: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)
    read: list[bytes] = field(default_factory=list[bytes])
    fails: bool = False

    def recognise(self, _: int, audio: bytes) -> str:
        self.read.append(audio)
        self.started.set()
        assert self.gate.wait(10)
        if self.fails:
            raise ValueError("no text")
        return audio.decode()


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_is_being_read_is_not_read_again(workers: int) -> None:
    """Whether the second reading has a worker to itself or waits for the same one."""
    recogniser = Recogniser()
    pool = WorkerPool(list(range(workers)), limit=9, provider="acme")
    reader = Reader(pool, recogniser.recognise)
    peek = reader(b"book a table", spare=True)
    assert await asyncio.to_thread(recogniser.started.wait, 10)
    peek.cancel()
    final = reader(b"book a table")
    recogniser.gate.set()
    assert await final == "book a table"
    await pool.aclose()
    assert recogniser.read == [b"book a table"]


async def test_a_reading_that_waits_behind_others_is_overtaken() -> None:
    """The second time it is asked for it is no longer spare."""
    recogniser = Recogniser()
    pool = WorkerPool([0], limit=9, provider="acme")
    reader, other = (Reader(pool, recogniser.recognise) for _ in range(2))
    first = other(b"first")
    peek = reader(b"book", spare=True)
    spare = other(b"spare", spare=True)
    final = reader(b"book")
    recogniser.gate.set()
    texts = await asyncio.gather(first, final, peek, spare)
    assert list(texts) == ["first", "book", "book", "spare"]
    await pool.aclose()
    assert recogniser.read == [b"first", b"book", b"spare"]


async def test_other_audio_is_read() -> None:
    """Also the same once more, when its text was final."""
    recogniser = Recogniser()
    recogniser.gate.set()
    pool = WorkerPool([0], limit=9, provider="acme")
    reader = Reader(pool, recogniser.recognise)
    texts = [await reader(b"one", spare=True), await reader(b"two"), await reader(b"two")]
    await pool.aclose()
    assert texts == ["one", "two", "two"]
    assert recogniser.read == [b"one", b"two", b"two"]


async def test_a_reading_that_failed_is_tried_again() -> None:
    """The second time it may succeed."""
    recogniser = Recogniser(fails=True)
    recogniser.gate.set()
    pool = WorkerPool([0], limit=9, provider="acme")
    reader = Reader(pool, recogniser.recognise)
    with pytest.raises(ValueError, match="no text"):
        await reader(b"book", spare=True)
    recogniser.fails = False
    assert await reader(b"book") == "book"
    await pool.aclose()
