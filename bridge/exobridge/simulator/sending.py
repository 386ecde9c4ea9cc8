"""What Exotel sends on one stream, as the line's faults make it."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from exobridge.simulator.line_faults import Cutter, LineFaults, odd_text
from exobridge.simulator.lines import silent_payload
from exobridge.simulator.link import Link
from exobridge.simulator.wire import FrameWriter

EARLY_FRAME_MS = 20
"""Of media before ``start``."""


class Sending:
    """Writes each frame and sends it. Every method raises ``ConnectionClosed`` when the line is
    gone.

    Args:
        link: The line.
        writer: Builds the frames.
        faults: What is wrong with them.
    """

    def __init__(self, link: Link, writer: FrameWriter, faults: LineFaults) -> None:
        self._link = link
        self._writer = writer
        self._faults = faults
        sizes = faults.payload_bytes
        self._cutter = Cutter(sizes, writer.audio.bytes_per_ms) if sizes else None
        self._odd = list(faults.odd_frames)
        self._parameters: Mapping[str, str] = {}

    async def start(self, custom_parameters: Mapping[str, str]) -> None:
        """The first frames."""
        self._parameters = custom_parameters
        await self._link.send(self._writer.connected())
        silence = silent_payload(self._writer.audio, EARLY_FRAME_MS)
        for _ in range(self._faults.early_frames):
            await self._link.send(self._writer.media(silence, 0))
        await self._link.send(self._writer.start(custom_parameters))

    async def media(self, payload: str, at_ms: int) -> None:
        """A frame of the caller's audio that began at ``at_ms``; odd frames that are due go
        before."""
        while self._odd and self._odd[0].at_ms <= at_ms:
            odd = self._odd.pop(0).odd
            await self._link.send(
                odd_text(odd, self._writer, lambda: self._writer.start(self._parameters))
            )
        if self._cutter is None:
            await self._link.send(self._writer.media(payload, at_ms))
            return
        for audio, began_ms in self._cutter.take(base64.b64decode(payload)):
            payload = base64.b64encode(audio).decode()
            await self._link.send(self._writer.media(payload, began_ms))

    async def key(self, digit: str) -> None:
        """A key was pressed."""
        await self._link.send(self._writer.dtmf(digit))

    async def mark(self, name: str) -> None:
        """Everything before this mark has been played."""
        await self._link.send(self._writer.mark(name))

    async def stop(self, reason: str) -> None:
        """The stream is over."""
        await self._link.send(self._writer.stop(reason))
