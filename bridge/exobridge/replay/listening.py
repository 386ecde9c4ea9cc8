"""Exotel's end of a stream that is played: what the bot sends is kept, and its marks come back when
they are due. Pure; times are ms since the socket was opened."""

from __future__ import annotations

from exobridge.simulator.bot import BotClear, BotMark, BotMedia, parse
from exobridge.simulator.playout import Playout
from exobridge.wire.reading import Stream
from exobridge.wire.records import Closed, Frame, Side
from exobridge_codecs.formats import AudioFormat

MAX_CHARS = 64 * 1024 * 1024
"""Of the bot's frames, so much is kept; whoever sends more is hung up on."""
TOO_MUCH = 1009
"""The close code for it (RFC 6455, section 7.4.1)."""


class Listening:
    """One stream's.

    Attributes:
        closed: The end, once it is there.
    """

    def __init__(self, stream_sid: str, audio: AudioFormat) -> None:
        self.closed: Closed | None = None
        self._stream_sid = stream_sid
        self._playout = Playout(audio, marks_after_clear=True)
        self._frames: list[Frame] = []
        self._chars = 0

    def send(self, now_ms: float, text: str) -> None:
        """The caller's side sends a frame."""
        self._frames.append(Frame("", now_ms, Side.EXOTEL, text))

    def take(self, now_ms: float, message: str | bytes) -> None:
        """The bot has sent one."""
        self._chars += len(message)
        if self._chars > MAX_CHARS:
            return self.close(now_ms, Side.EXOTEL, TOO_MUCH)
        text = message if isinstance(message, str) else message.decode("utf-8", "replace")
        self._frames.append(Frame("", now_ms, Side.SERVER, text))
        match parse(message, self._stream_sid).frame:
            case BotMedia(audio):
                self._playout.receive(now_ms, audio)
                self._playout.advance(now_ms)  # lets go of what was played
            case BotMark(name):
                self._playout.mark(now_ms, name)
            case BotClear():
                self._playout.clear(now_ms)
            case None:
                pass

    def due_marks(self, now_ms: float) -> list[str]:
        """The marks to be given back now."""
        return self._playout.due_marks(now_ms)

    def next_mark_ms(self) -> float | None:
        """When there will be one, if nothing changes."""
        return self._playout.next_mark_ms()

    def close(self, now_ms: float, by: Side, code: int) -> None:
        """The socket is closed; a second time nothing happens."""
        if self.closed is None:
            self.closed = Closed("", now_ms, by, code)

    def stream(self) -> Stream:
        """All that was kept."""
        return Stream(0.0, tuple(self._frames), self.closed)
