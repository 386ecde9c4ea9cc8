"""The session over a recogniser that takes whole segments."""

from __future__ import annotations

import asyncio

import numpy as np

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import from_float
from exobridge_providers.base import Final, SttEvent, SttTrouble
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.stt.segments import SegmentSession, quietest_cut

EIGHT = pcm16(8000)
FRAME = b"\x01\x00" * 160


class Recogniser:
    """Answers when told to. Unrealistic in that a piece's text is its length in frames."""

    def __init__(self) -> None:
        self.pieces: list[tuple[bytes, asyncio.Future[str]]] = []
        self.refuse = False

    def __call__(self, audio: bytes) -> asyncio.Future[str]:
        if self.refuse:
            raise ProviderUnavailableError("full", provider="acme")
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.pieces.append((audio, future))
        return future

    def answer(self, piece: int) -> None:
        """Give a piece its text."""
        audio, future = self.pieces[piece]
        future.set_result(f"{len(audio) // len(FRAME)} frames")


def _session(recogniser: Recogniser, max_seconds: float = 15) -> SegmentSession:
    return SegmentSession(recogniser, EIGHT, max_seconds=max_seconds, provider="acme")


async def _next(session: SegmentSession, count: int) -> list[SttEvent]:
    events = aiter(session.events())
    async with asyncio.timeout(1):
        return [await anext(events) for _ in range(count)]


async def test_finals_come_in_order_whatever_the_order_of_the_work() -> None:
    """The second segment is recognised first, and told second."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.finalize()
    session.send(FRAME * 2)
    session.finalize()
    recogniser.answer(1)
    recogniser.answer(0)
    assert await _next(session, 2) == [
        Final("1 frames", finalized=True),
        Final("2 frames", finalized=True),
    ]


async def test_a_finalize_without_audio_is_answered_empty_and_in_turn() -> None:
    """It waits for the one before it."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.finalize()
    session.finalize()
    recogniser.answer(0)
    assert await _next(session, 2) == [
        Final("1 frames", finalized=True),
        Final("", finalized=True),
    ]
    assert len(recogniser.pieces) == 1


async def test_a_long_segment_is_cut_and_nothing_is_lost() -> None:
    """The pieces are the audio, in order, and their texts are joined into one final."""
    recogniser = Recogniser()
    session = _session(recogniser, max_seconds=0.5)
    noise = from_float(np.random.default_rng(1).uniform(-0.5, 0.5, 8000 * 2).astype(np.float32))
    for start in range(0, len(noise), len(FRAME)):
        session.send(noise[start : start + len(FRAME)])
    session.finalize()
    pieces = [audio for audio, _ in recogniser.pieces]
    assert b"".join(pieces) == noise
    assert max(map(len, pieces)) <= 8000  # half a second
    for piece in range(len(pieces)):
        recogniser.answer(piece)
    [final] = await _next(session, 1)
    expected = " ".join(f"{len(audio) // len(FRAME)} frames" for audio in pieces)
    assert final == Final(expected, finalized=True)


async def test_a_failed_recognition_is_told_and_answered_empty() -> None:
    """The session goes on."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.finalize()
    recogniser.pieces[0][1].set_exception(ValueError("secret"))
    trouble, final = await _next(session, 2)
    assert isinstance(trouble, SttTrouble)
    assert trouble.error.retryable
    assert "secret" not in str(trouble.error)
    assert final == Final("", finalized=True)
    session.send(FRAME)
    session.finalize()
    recogniser.answer(1)
    assert await _next(session, 1) == [Final("1 frames", finalized=True)]


async def test_a_refused_piece_is_told_and_answered_empty() -> None:
    """A full line loses the segment, never the answer."""
    recogniser = Recogniser()
    recogniser.refuse = True
    session = _session(recogniser)
    session.send(FRAME)
    session.finalize()
    trouble, final = await _next(session, 2)
    assert isinstance(trouble, SttTrouble)
    assert isinstance(trouble.error, ProviderUnavailableError)
    assert final == Final("", finalized=True)


async def test_a_piece_dropped_by_the_provider_is_answered_too() -> None:
    """The provider closes under the session: trouble and an empty final, no silence."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.finalize()
    recogniser.pieces[0][1].cancel()
    trouble, final = await _next(session, 2)
    assert isinstance(trouble, SttTrouble)
    assert final == Final("", finalized=True)


async def test_closing_cancels_the_work_and_ends_the_events() -> None:
    """Nothing is sent to the recogniser after it."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.finalize()
    await session.aclose()
    assert recogniser.pieces[0][1].cancelled()
    assert [event async for event in session.events()] == []
    session.send(FRAME)
    session.finalize()
    await session.aclose()
    assert len(recogniser.pieces) == 1


def test_the_cut_falls_into_the_pause() -> None:
    """Two loud parts and 100 ms of silence near the end: the cut is in the silence."""
    loud = from_float(np.full(8000 * 4, 0.3, np.float32))
    tail = from_float(np.full(8000, 0.3, np.float32))
    silence = EIGHT.silence(1600)
    cut = quietest_cut(loud + silence + tail, EIGHT)
    assert len(loud) < cut <= len(loud) + len(silence)
    assert cut % 2 == 0


def test_audio_too_short_to_choose_is_cut_at_its_end() -> None:
    """A single frame stays whole."""
    assert quietest_cut(FRAME, EIGHT) == len(FRAME)
