"""One call's session over a real socket: before its conversation, beside it, and after it."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from exobridge.call.events import EndedBy, EventKind
from exobridge.call.state import Outcome, State
from exobridge.store import Store
from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.g711 import pcm_to_mulaw
from tests.peer import Peer, stream
from tests.server import LINE, Server, bot, serving

MULAW = AudioFormat(Encoding.MULAW, 8000)


async def start(peer: Peer, **media_format: str) -> None:
    """The first frames, with another ``media_format`` than the audio's own."""
    frame = json.loads(peer.writer.start({}))
    frame["start"]["media_format"] |= media_format
    await peer.send(peer.writer.connected(), json.dumps(frame))


async def hang_up(server: Server, peer: Peer) -> None:
    """Stop, and wait until the call is over."""
    await peer.send(peer.writer.stop("callended"))
    await server.until_over(peer.call_sid)


async def formats(server: Server, peer: Peer) -> list[tuple[Any, Any]]:
    """Every format that the record has of a call."""
    return [
        (event.data["encoding"], event.data["sample_rate"])
        for event in await server.bridge.store.events(peer.call_sid)
        if event.kind is EventKind.STREAM_FORMAT
    ]


async def chunk(peer: Peer) -> str:
    """The encoding of the bot's next chunk: 100 ms of PCM16 are 1600 bytes, and the next multiple
    of 320 above them, in μ-law, is 960."""
    size = len(base64.b64decode((await peer.next("media"))["media"]["payload"]))
    return {0: "pcm16"}.get(size % 1600, "mulaw" if size % 960 == 0 else str(size))


async def test_a_bit_rate_that_lies_is_found_out_before_the_first_word(tmp_path: Path) -> None:
    """Frames of 20 ms are measured in time: what is said, heard and recorded is PCM16."""
    async with serving(tmp_path) as server, stream(server.stream_url) as peer:
        await start(peer, bit_rate="64kbps")
        assert await chunk(peer) == "pcm16"
        await peer.played()
        await peer.speak(LINE.pcm)
        assert await chunk(peer) == "pcm16"
        await hang_up(server, peer)
        assert await formats(server, peer) == [("pcm16", 8000)]
        assert server.log("stream format corrected") == []


async def test_a_bit_rate_that_lies_is_corrected_later(tmp_path: Path) -> None:
    """Silence in frames of 200 ms is measured too late for the greeting, which goes out as the
    strings say; what follows is right, the caller is understood, and the record has what was
    measured."""
    async with serving(tmp_path) as server, stream(server.stream_url) as peer:
        await start(peer, bit_rate="64kbps")
        await peer.speak(b"\xff" * 6 * 3200, frame_ms=200)
        assert await chunk(peer) == "mulaw"
        await peer.played()
        await peer.speak(LINE.pcm)
        assert await chunk(peer) == "pcm16"
        await hang_up(server, peer)
        assert await formats(server, peer) == [("pcm16", 8000)]
        (entry,) = server.log("stream format corrected")
        assert (entry["call_sid"], entry["level"]) == (peer.call_sid, "warning")
        turns = await server.bridge.store.turns(peer.call_sid)
        assert "one" in [turn.text for turn in turns]


async def test_a_format_that_could_not_be_measured_is_recorded_at_the_end(tmp_path: Path) -> None:
    """Without two frames that agree, what the strings say stands."""
    async with serving(tmp_path) as server, stream(server.stream_url, audio=MULAW) as peer:
        await peer.start()
        silence = base64.b64encode(pcm_to_mulaw(bytes(320))).decode()
        await peer.send(peer.writer.media(silence, 0))
        await asyncio.sleep(0.3)
        await hang_up(server, peer)
        assert await formats(server, peer) == [("mulaw", 8000)]


async def test_a_key_that_is_pressed_while_providers_open_waits_for_them(tmp_path: Path) -> None:
    """The greeting is cut, and the key is answered once there is somebody to answer it."""
    templates = {"default": bot(stt={"provider": "faulty", "options": {"how": "slow-open"}})}
    async with serving(tmp_path, templates) as server, stream(server.stream_url) as peer:
        await peer.start()
        await peer.next("media")
        await peer.send(peer.writer.dtmf("7"), peer.writer.dtmf("#"))
        while (await peer.played()).startswith("turn-1"):
            pass
        await hang_up(server, peer)
        assert server.log("call crashed") == []
        turns = await server.bridge.store.turns(peer.call_sid)
        assert [turn.text for turn in turns][-2:] == ["7", "You said: 7"]


async def test_what_is_said_while_providers_open_is_heard(tmp_path: Path) -> None:
    """The caller's audio is kept meanwhile."""
    templates = {
        "default": bot(greeting="", stt={"provider": "faulty", "options": {"how": "slow-open"}})
    }
    async with serving(tmp_path, templates) as server, stream(server.stream_url) as peer:
        await peer.start()
        await peer.speak(LINE.pcm)
        await peer.played()
        await hang_up(server, peer)
        turns = await server.bridge.store.turns(peer.call_sid)
        assert [turn.text for turn in turns] == ["one", "You said: one"]


async def test_a_stop_while_providers_open_ends_the_call_at_once(tmp_path: Path) -> None:
    """Nothing that was being opened is left, and nothing is sent after ``stop``."""
    templates = {"default": bot(tts={"provider": "faulty", "options": {"how": "hang-open"}})}
    async with serving(tmp_path, templates) as server, stream(server.stream_url) as peer:
        await peer.start()
        await peer.silence(100)
        await hang_up(server, peer)
        call = await server.kept(peer.call_sid)
        assert (call.outcome, call.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
        assert server.log("provider failed") == []


async def test_a_shutdown_ends_its_calls_and_keeps_their_facts(tmp_path: Path) -> None:
    """The next start finds nothing open."""
    async with serving(tmp_path) as server, stream(server.stream_url) as peer:
        await peer.start()
        await peer.next("media")
        server.listening.should_exit = True
        assert await peer.close_code() == 1012
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'exobridge.sqlite3'}")
    try:
        call = await store.call(peer.call_sid)
        assert call is not None
        assert (call.state, call.outcome, call.ended_by, call.end_reason) == (
            State.ENDED,
            Outcome.FAILED,
            EndedBy.SERVER,
            "shutdown",
        )
        assert await store.open_calls() == []
    finally:
        await store.aclose()
