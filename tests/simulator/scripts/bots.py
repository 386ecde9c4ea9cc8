"""Bots that speak in tones, for scripts to be tried on."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from exobridge_codecs.pcm import rms_dbfs
from exobridge_codecs.tones import dtmf
from tests.simulator.servers import BotLine
from tests.simulator.tone_words import spoken

LONG = (
    "we are open from nine to five it costs fifty "
    "we are open to nine it costs five hello we are bye"
)
"""3.4 s: less than Exotel lets a bot be ahead."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Greets, and then says one thing after each of the caller's lines or keys.

    Attributes:
        replies: What it says; a text of digits is sent as keys. Then it is silent.
        patience_ms: A line is over after so much silence.
        deaf_to_ms: Lines with less voice than this do not count.
        stops: Whether a line that counts makes it stop talking.
        leaves: Hangs up after the last reply.
        greeting: What it says at first; empty: nothing.
    """

    replies: Sequence[str] = ()
    patience_ms: int = 100
    deaf_to_ms: int = 80
    stops: bool = True
    leaves: bool = False
    greeting: str = "hello"

    async def __call__(self, line: BotLine) -> None:
        """Talk."""
        if self.greeting:
            await line.play(spoken(self.greeting))
        for reply in self.replies:
            await self._until_said(line)
            await line.play(dtmf(reply, 8000) if reply.isdigit() else spoken(reply))
        if self.leaves:
            await line.send("mark", mark={"name": "last"})
            await line.next("mark")
            await line.socket.close(1000)
        await line.until_gone()

    async def _until_said(self, line: BotLine) -> None:
        """Until a line that counts is over, or a key."""
        voiced_ms = silent_ms = 0
        while voiced_ms < self.deaf_to_ms or silent_ms < self.patience_ms:
            frame = await line.next_of("media", "dtmf")
            if frame["event"] == "dtmf":
                return
            audio = base64.b64decode(frame["media"]["payload"])
            if rms_dbfs(audio) > -45:
                counted = voiced_ms >= self.deaf_to_ms
                voiced_ms, silent_ms = voiced_ms + len(audio) // 16, 0
                if self.stops and voiced_ms >= self.deaf_to_ms and not counted:
                    await line.send("clear")
            elif (silent_ms := silent_ms + len(audio) // 16) > 2 * self.patience_ms:
                voiced_ms = 0
