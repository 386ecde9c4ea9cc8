"""What the line carries is what the vendor gets and makes, to the byte, where it can be."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from exobridge_codecs.formats import Encoding
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fake_vendor import Passed
from tests.vendors.ground import LINES, Called, calling, template, vendor

MINUS_ZERO, ZERO = b"\x7f", b"\xff"
"""μ-law has two codes for silence."""

LINE_OF = {
    "mulaw": (Encoding.MULAW, 8000, "mulaw"),
    "pcm8": (Encoding.PCM16, 8000, "linear16"),
    "pcm16": (Encoding.PCM16, 16_000, "linear16"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A call, and what passed at its vendors while it went on.

    Attributes:
        asked: Encoding and rate that each vendor was asked for.
        to_ear, of_voice: Audio.
    """

    called: Called
    asked: list[tuple[str | None, str | None]]
    to_ear: bytes
    of_voice: bytes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """A call on each kind of line."""
    folder = tmp_path_factory.mktemp("formats")
    async with AsyncExitStack() as stack:
        ears = {n: await stack.enter_async_context(vendor(Kind.STT, "deepgram")) for n in LINE_OF}
        voices = {n: await stack.enter_async_context(vendor(Kind.TTS, "deepgram")) for n in LINE_OF}
        templates = {name: template((ears[name],), (voices[name],)) for name in LINE_OF}
        callers = await stack.enter_async_context(calling(folder, templates))
        passed: dict[str, list[Passed]] = {name: [] for name in LINE_OF}
        for name, voice in voices.items():
            voice.fake.watch = passed[name].append

        async def call(name: str) -> Seen:
            encoding, rate, _ = LINE_OF[name]
            called = await callers.call(name, LINES[0], encoding=encoding, sample_rate=rate)
            last = [ears[name].fake.connections[-1], voices[name].fake.connections[-1]]
            talk = last[1].number  # the greeting had a connection of its own
            return Seen(
                called,
                [(each.parameter("encoding"), each.parameter("sample_rate")) for each in last],
                b"".join(m for _, m in ears[name].fake.received if isinstance(m, bytes)),
                b"".join(
                    each.message
                    for each in passed[name]
                    if each.sent and isinstance(each.message, bytes) and each.connection == talk
                ),
            )

        found = await asyncio.gather(*map(call, LINE_OF))
    return dict(zip(LINE_OF, found, strict=True))


@pytest.mark.parametrize("name", LINE_OF)
def test_the_lines_own_format_is_asked_for(name: str, seen: dict[str, Seen]) -> None:
    """Of both vendors."""
    _, rate, word = LINE_OF[name]
    assert seen[name].asked == [(word, str(rate))] * 2


@pytest.mark.parametrize("name", LINE_OF)
def test_what_the_caller_says_reaches_the_vendor_as_it_was(
    name: str, seen: dict[str, Seen]
) -> None:
    """Byte by byte."""
    tracks = seen[name].called.report.tracks
    assert tracks is not None
    (line,) = tracks.lines
    assert line.audio in seen[name].to_ear


@pytest.mark.parametrize("name", LINE_OF)
def test_what_the_vendor_says_reaches_the_caller_as_it_was(
    name: str, seen: dict[str, Seen]
) -> None:
    """Byte by byte; of the two silences of μ-law the caller gets the one."""
    tracks = seen[name].called.report.tracks
    assert tracks is not None
    on_the_wire = b"".join(each.audio for each in tracks.heard)
    made = seen[name].of_voice
    assert len(made) > 6000
    assert (made.replace(MINUS_ZERO, ZERO) if name == "mulaw" else made) in on_the_wire


def test_a_code_of_mulaw_survives_the_way_through_pcm() -> None:
    """All but minus zero, which is silence, and becomes the other one."""
    codes = bytes(range(256))
    assert pcm_to_mulaw(mulaw_to_pcm(codes)) == codes.replace(MINUS_ZERO, ZERO)
