"""One line through a session, whole or not at all."""

from __future__ import annotations

import asyncio

import pytest

from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from exobridge_providers import once
from exobridge_providers.base import SttConfig, SttSession, TtsConfig, TtsSession
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.testing.fakes import FakeStt, FakeSttOptions, FakeTts, FakeTtsOptions

LINE = pcm16(8000)
SPEECH = [tone(330, 20, 8000)] * 20
QUIET = [LINE.silence(LINE.frame_bytes)] * 30


async def voice(**options: object) -> TtsSession:
    """A session that hums 10 ms a character."""
    given = FakeTtsOptions.model_validate({"ms_per_char": 10, **options})
    return await FakeTts(given).open(TtsConfig(LINE, "en-IN"))


async def ears(**options: object) -> SttSession:
    """A session that understands "one", and then "two"."""
    given = FakeSttOptions.model_validate({"script": ["one", "two"], **options})
    return await FakeStt(given).open(SttConfig(LINE, "en-IN"))


async def test_a_line_is_spoken_whole() -> None:
    """All of its pieces of audio; the session is open for another look."""
    session = await voice()
    assert len(await once.spoken(session, "x" * 50)) == 500 * LINE.bytes_per_ms
    await session.aclose()


async def test_a_line_is_understood_whole() -> None:
    """Also where the recogniser finds the end of a turn in it, and nothing after that."""
    session = await ears(end_of_turn=True, continuous=True)
    assert await once.understood(session, [*SPEECH, *QUIET, *SPEECH]) == "one two"
    assert await once.understood(session, QUIET) == ""
    await session.aclose()


async def test_what_fails_in_the_middle_fails() -> None:
    """Half a line is none."""
    with pytest.raises(ProviderUnavailableError):
        await once.spoken(await voice(fault="trouble"), "hello")
    with pytest.raises(ProviderUnavailableError):
        await once.understood(await ears(fault="trouble"), SPEECH)


async def test_a_session_that_ends_in_the_middle_fails() -> None:
    """And may be asked again."""
    speaking, hearing = await voice(fault="stall"), await ears(fault="hang")
    asyncio.get_running_loop().call_later(0.01, asyncio.ensure_future, speaking.aclose())
    with pytest.raises(ProviderError, match="in the middle of a line") as cut:
        await once.spoken(speaking, "hello")
    assert cut.value.retryable
    asyncio.get_running_loop().call_later(0.01, asyncio.ensure_future, hearing.aclose())
    with pytest.raises(ProviderError, match="before the text was there") as cut:
        await once.understood(hearing, SPEECH)
    assert cut.value.retryable
