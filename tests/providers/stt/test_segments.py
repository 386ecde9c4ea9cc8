"""The session over a recogniser that takes whole segments."""

from __future__ import annotations

import asyncio

import numpy as np

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import from_float
from exobridge_providers.base import Final, Partial, SttEvent, SttTrouble
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.stt.segments import SegmentSession, quietest_cut

EIGHT = pcm16(8000)
FRAME = b"\x01\x00" * 160


class Recogniser:
    """Answers when told to. Unrealistic in that a piece's text is its length in frames."""

    def __init__(self) -> None:
        self.pieces: list[tuple[bytes, asyncio.Future[str]]] = []
        self.spare: list[bool] = []
        self.refuse = False

    def __call__(self, audio: bytes, *, spare: bool = False) -> asyncio.Future[str]:
        if self.refuse:
            raise ProviderUnavailableError("full", provider="acme")
        self.spare.append(spare)
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


async def test_a_peek_tells_the_words_so_far_and_takes_no_audio() -> None:
    """The final text is that of the whole segment."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME * 2)
    session.peek()
    recogniser.answer(0)
    assert await _next(session, 1) == [Partial("2 frames")]
    session.send(FRAME)
    session.finalize()
    recogniser.answer(1)
    assert await _next(session, 1) == [Final("3 frames", finalized=True)]
    assert recogniser.spare == [True, False]


async def test_what_a_peek_has_read_is_not_read_again() -> None:
    """Where no audio came since, its text is the final one; the next segment is read anew."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME * 2)
    session.peek()
    recogniser.answer(0)
    assert await _next(session, 1) == [Partial("2 frames")]
    session.finalize()
    assert await _next(session, 1) == [Final("2 frames", finalized=True)]
    session.send(FRAME * 2)
    session.finalize()
    recogniser.answer(1)
    assert await _next(session, 1) == [Final("2 frames", finalized=True)]
    assert recogniser.spare == [True, False]


async def test_one_peek_is_under_way_at_a_time() -> None:
    """Asked again, the recogniser is not given more; when it is free, it is."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.peek()
    session.peek()
    assert len(recogniser.pieces) == 1
    recogniser.answer(0)
    await _next(session, 1)
    session.peek()
    assert len(recogniser.pieces) == 2


async def test_a_finalize_overtakes_a_peek() -> None:
    """The peek is dropped where it waits, and its text is not told where it was read already."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.peek()
    session.finalize()
    assert recogniser.pieces[0][1].cancelled()
    session.send(FRAME)
    session.peek()
    recogniser.answer(2)
    session.finalize()
    recogniser.answer(1)
    recogniser.answer(3)
    assert await _next(session, 2) == [
        Final("1 frames", finalized=True),
        Final("1 frames", finalized=True),
    ]


async def test_a_peek_without_audio_asks_nobody() -> None:
    """Before the first frame, after a finalize, and when the session is closed."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.peek()
    session.send(FRAME)
    session.finalize()
    session.peek()
    session.send(FRAME)
    await session.aclose()
    session.peek()
    assert recogniser.spare == [False]


async def test_a_peek_that_fails_is_not_told() -> None:
    """Refused or broken: the final tells what there is to tell, and the next peek is asked."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    recogniser.refuse = True
    session.peek()
    recogniser.refuse = False
    session.peek()
    recogniser.pieces[0][1].set_exception(ValueError("secret"))
    await asyncio.sleep(0)
    session.peek()
    recogniser.answer(1)
    assert await _next(session, 1) == [Partial("1 frames")]


async def test_a_peek_into_a_long_segment_holds_what_was_cut_off_before() -> None:
    """Its text begins with that of the pieces that have been read."""
    recogniser = Recogniser()
    session = _session(recogniser, max_seconds=0.5)
    for _ in range(30):
        session.send(FRAME)
    recogniser.answer(0)
    session.peek()
    recogniser.answer(1)
    first, rest = (len(audio) // len(FRAME) for audio, _ in recogniser.pieces)
    assert first + rest == 30
    assert await _next(session, 1) == [Partial(f"{first} frames {rest} frames")]


async def test_closing_drops_the_peek() -> None:
    """Nobody waits for it any more."""
    recogniser = Recogniser()
    session = _session(recogniser)
    session.send(FRAME)
    session.peek()
    await session.aclose()
    assert recogniser.pieces[0][1].cancelled()


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
