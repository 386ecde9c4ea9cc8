"""SIGHUP: new templates for a server that goes on."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from exobridge.server.reload import reload_templates
from exobridge.simulator.call import new_sid
from exobridge.store import Store
from tests.peer import Peer, stream
from tests.process import Serving, server
from tests.server import bot, serving, until, write_templates
from tests.server_life.callers import entries, health, kept

NUMBERS = "+918047112233=default,+918047112244=other"


def _write(folder: Path, **templates: str) -> None:
    write_templates(folder, templates)


async def _reload(running: Serving) -> None:
    """Ask for it, and wait until it is done."""
    running.process.send_signal(signal.SIGHUP)
    await until(lambda: bool(entries(running, "templates reloaded")))


async def _call(stream_url: str, call_sid: str) -> None:
    """A call that is dropped once it was greeted."""
    async with stream(stream_url, call_sid=call_sid) as peer:
        await _greeted(peer)


async def _greeted(peer: Peer) -> None:
    await peer.start()
    await peer.played()


def _stream_url(running: Serving) -> str:
    return f"ws{running.url.removeprefix('http')}/exotel/stream"


async def test_new_calls_get_the_new_templates_and_old_ones_keep_theirs(tmp_path: Path) -> None:
    """The call under way ends with the words it began with; a template that was added answers."""
    async with server(tmp_path, DRAIN_SECONDS="0") as running:
        async with stream(_stream_url(running), call_sid="old") as peer:
            await _greeted(peer)
            _write(
                tmp_path,
                default=bot(greeting="Good day.", texts={"goodbye": "So long."}),
                added=bot(),
            )
            await _reload(running)
            assert (await health(running.url, "ready"))[0] == 200
            await _call(_stream_url(running), "new")
            running.process.send_signal(signal.SIGTERM)
            await peer.played()
            assert await peer.close_code() == 1001
        assert await asyncio.wait_for(running.process.wait(), 20) == 0
    assert [entry["changed"] for entry in entries(running, "templates reloaded")] == [
        ["added", "default"]
    ]
    assert (await kept(tmp_path, "old")).last_words == "Goodbye."
    assert (await kept(tmp_path, "new")).last_words == "Good day."


async def test_a_bad_file_leaves_the_old_templates_in_force(tmp_path: Path) -> None:
    """The log names the file, the key and the cure; the server stays ready. Mended, it is taken."""
    async with serving(
        tmp_path, {"default": bot(), "other": bot()}, EXOTEL_NUMBERS=NUMBERS
    ) as running:
        _write(
            tmp_path,
            default=bot(greeting="Good day."),
            other=bot(turns={"end_silence_ms": 1}, greating="Hi."),
        )
        await reload_templates(running.bridge)
        assert (await health(running.url, "ready"))[0] == 200
        await _call(running.stream_url, "one")
        _write(tmp_path, other=bot())
        await reload_templates(running.bridge)
        await _call(running.stream_url, "two")
    wrong = {entry["where"]: entry["cure"] for entry in running.log("templates not reloaded")}
    file = tmp_path / "templates" / "other.toml"
    assert set(wrong) == {f"{file}: turns.end_silence_ms", f"{file}: greating"}
    assert wrong[f"{file}: greating"] == "Did you mean greeting?"
    assert (await kept(tmp_path, "one")).last_words == "Hello there."
    assert (await kept(tmp_path, "two")).last_words == "Good day."


async def test_a_template_that_a_number_needs_cannot_go(tmp_path: Path) -> None:
    """What was there stays, and the log names the setting."""
    async with serving(
        tmp_path, {"default": bot(), "other": bot()}, EXOTEL_NUMBERS=NUMBERS
    ) as running:
        (tmp_path / "templates" / "other.toml").unlink()
        await reload_templates(running.bridge)
        (entry,) = running.log("templates not reloaded")
        assert entry["where"] == "EXOTEL_NUMBERS"
        assert entry["problem"] == "there is no template named other"
        assert "other" in running.bridge.templates


async def test_a_provider_that_does_not_start_is_not_put_in_force(tmp_path: Path) -> None:
    """The template's file is in order, but its calls would fail: the old one stays, and the server
    stays ready."""
    async with serving(tmp_path) as running:
        broken = bot(stt={"provider": "faulty", "options": {"how": "crash-start"}})
        _write(tmp_path, default=broken)
        await reload_templates(running.bridge)
        (entry,) = running.log("templates not reloaded")
        assert entry["where"] == "template default"
        assert "the old templates stay" in entry["cure"]
        assert (await health(running.url, "ready"))[0] == 200
        assert running.bridge.templates["default"].stt.provider == "fake"


async def test_a_provider_that_fails_anyway_hinders_no_reload(tmp_path: Path) -> None:
    """What is mended elsewhere comes into force, and the server is as little ready as before."""
    broken = bot(stt={"provider": "faulty", "options": {"how": "crash-start"}})
    templates = {"default": bot(), "other": broken}
    async with serving(tmp_path, templates, EXOTEL_NUMBERS=NUMBERS) as running:
        _write(tmp_path, default=bot(greeting="Good day."))
        await reload_templates(running.bridge)
        assert running.log("templates not reloaded") == []
        assert running.bridge.templates["default"].greeting == "Good day."
        assert (await health(running.url, "ready"))[0] == 503


async def test_the_last_of_many_signals_counts(tmp_path: Path) -> None:
    """What the files say when it comes is in force in the end, whatever was being read then."""
    async with server(tmp_path) as running:
        for number in range(5):
            _write(tmp_path, default=bot(greeting=f"Number {number}."))
            running.process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.01)
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'exobridge.sqlite3'}")

        async def the_last_is_in_force() -> bool:
            call_sid = new_sid()
            await _call(_stream_url(running), call_sid)
            await until(lambda: _is_kept(store, call_sid))
            return [turn.text for turn in await store.turns(call_sid)] == ["Number 4."]

        try:
            await until(the_last_is_in_force)
        finally:
            await store.aclose()


async def _is_kept(store: Store, call_sid: str) -> bool:
    """What was said is in the record, which a process writes soon."""
    return bool(await store.turns(call_sid))
