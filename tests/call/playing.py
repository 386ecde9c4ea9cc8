"""Exotel's side of a playout, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

from exobridge.call.playout import (
    Out,
    Played,
    Playout,
    PlayoutOptions,
    SendMark,
    SendMedia,
)
from exobridge_codecs.codec import decoder
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

PCM_8K = pcm16(8000)
MULAW_8K = AudioFormat(Encoding.MULAW, 8000)
START = 1000.3
NO_LEAD = PlayoutOptions(chunk_ms=20, lead_ms=0)


def audio(milliseconds: float, sample_rate: int = 8000, first: int = 1) -> bytes:
    """PCM16 of which no two samples in a row are the same and none is silent."""
    count = round(milliseconds * sample_rate / 1000)
    return b"".join(
        ((first + index) % 30_000 + 1).to_bytes(2, "little", signed=True) for index in range(count)
    )


@dataclass
class Exotel:
    """The other side: takes what is due when it is due, and knows what it holds.

    Unrealistic in that nothing takes any time on its way.
    """

    playout: Playout
    line: AudioFormat = PCM_8K
    now: float = START
    sent: list[tuple[float, Out]] = field(default_factory=list[tuple[float, Out]])
    held_until: float = 0.0
    most_held_s: float = 0.0

    def advance(self) -> list[Out]:
        outs = self.playout.advance(self.now)
        for out in outs:
            self.sent.append((self.now, out))
            if isinstance(out, SendMedia):
                seconds = self.line.duration_ms(len(out.payload)) / 1000
                self.held_until = max(self.held_until, self.now) + seconds
                self.most_held_s = max(self.most_held_s, self.held_until - self.now)
        return outs

    def run(self, seconds: float, late: float = 0.0) -> None:
        """Let time pass; every timer fires ``late`` seconds after its time."""
        until = self.now + seconds
        while (due := self.playout.due(self.now)) is not None and due + late <= until:
            self.now = due + late
            self.advance()
            again = self.playout.due(self.now)
            assert again is None or again > self.now, "due() asks again for the same time"
        self.now = until

    @property
    def media(self) -> list[tuple[float, SendMedia]]:
        return [(when, out) for when, out in self.sent if isinstance(out, SendMedia)]

    @property
    def sizes(self) -> list[int]:
        return [len(out.payload) for _, out in self.media]

    @property
    def marks(self) -> list[str]:
        return [out.name for _, out in self.sent if isinstance(out, SendMark)]

    @property
    def played(self) -> list[str]:
        return [out.utterance for _, out in self.sent if isinstance(out, Played)]

    def pcm(self, utterance: str = "u") -> bytes:
        decode = decoder(self.line.encoding)
        return b"".join(decode(out.payload) for _, out in self.media if out.utterance == utterance)


def start(line: AudioFormat = PCM_8K, options: PlayoutOptions | None = None) -> Exotel:
    return Exotel(Playout(line, START, options or PlayoutOptions()), line)


def say(exotel: Exotel, pcm: bytes, utterance: str = "u") -> None:
    exotel.playout.add(utterance, pcm)
    exotel.playout.end(utterance)
