"""One line through a session of speech, all of it at once: for whatever is no call."""

from __future__ import annotations

from collections.abc import Iterable

from exobridge_providers.base import (
    Final,
    SttSession,
    SttTrouble,
    TtsAudio,
    TtsDone,
    TtsSession,
    TtsTrouble,
)
from exobridge_providers.errors import ProviderError

_LINE = "line"
"""Id of the utterance: the session speaks no other."""


async def spoken(session: TtsSession, text: str) -> bytes:
    """The text's audio, in the session's format. The session is left open.

    Raises:
        ProviderError: It was not made, or not all of it.
    """
    await session.say(_LINE, text)
    audio = bytearray()
    async for event in session.events():
        match event:
            case TtsAudio(audio=part):
                audio += part
            case TtsTrouble(error=error):
                raise error
            case TtsDone():
                return bytes(audio)
    raise ProviderError("the speech ended in the middle of a line", retryable=True)


async def understood(session: SttSession, frames: Iterable[bytes]) -> str:
    """The text of this audio; empty if there are no words in it. The session is left open.

    Args:
        frames: 20 ms each, in the session's format.

    Raises:
        ProviderError: It was not understood, or not all of it.
    """
    for frame in frames:
        session.send(frame)
    session.finalize()
    texts: list[str] = []
    async for event in session.events():
        match event:
            case Final(text=text, finalized=finalized):
                texts.append(text)
                if finalized:
                    return " ".join(filter(None, texts))
            case SttTrouble(error=error):
                raise error
            case _:
                pass
    raise ProviderError("the recognition ended before the text was there", retryable=True)
