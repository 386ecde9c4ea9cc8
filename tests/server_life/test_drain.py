"""A server that is stopped lets its calls end."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from exobridge.call.events import EndedBy
from exobridge.call.state import Outcome
from tests.peer import stream
from tests.process import Serving, environment, server
from tests.server import ECHO, bot, serving, until, write_templates
from tests.server_life.callers import Caller, all_kept, ask, entries, health, kept

LIMIT = 3


async def _answered(url: str, call_sid: str) -> str:
    """Ask for a call that is taken; its stream's URL."""
    answer = await ask(url, call_sid)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def _begin(
    tasks: asyncio.TaskGroup, running: Serving, callers: Sequence[Caller], hangs_up: asyncio.Event
) -> None:
    """All calls under way."""
    for caller in callers:
        url = await _answered(running.url, caller.call_sid)
        tasks.create_task(caller.call(url, hangs_up))
    await until(lambda: running.text.count('"call started"') == len(callers))


async def _status(running: Serving) -> int:
    return await asyncio.wait_for(running.process.wait(), 20)


async def test_a_stop_drops_none_of_fifty_calls(tmp_path: Path) -> None:
    """Those that end by themselves do; the others hear the goodbye line at the limit, and are
    closed with 1001. Meanwhile a call that was answered before still gets its stream, and others
    are turned away."""
    short = [Caller(f"short{number}") for number in range(30)]
    long = [Caller(f"long{number}") for number in range(19)]
    late, static = Caller("late"), Caller("static")
    over, never = asyncio.Event(), asyncio.Event()
    async with server(tmp_path, DRAIN_SECONDS=str(LIMIT)) as running:
        async with asyncio.TaskGroup() as tasks:
            await _begin(tasks, running, short, over)
            for caller in long:
                tasks.create_task(caller.call(await _answered(running.url, caller.call_sid)))
            late_url = await _answered(running.url, late.call_sid)
            await until(lambda: running.text.count('"call started"') == 49)
            running.process.send_signal(signal.SIGTERM)
            await until(lambda: '"draining"' in running.text)

            assert await health(running.url, "ready") == (
                503,
                {"status": "not ready", "problems": ["draining"]},
            )
            assert (await health(running.url, "live"))[0] == 200
            refused = await ask(running.url, "new")
            assert refused.status_code == 302
            assert refused.json()["error"] == "draining"
            again = await ask(running.url, "long0")
            assert again.status_code == 200
            await static.call(f"ws{running.url.removeprefix('http')}/exotel/stream", never)
            assert static.code == 1008
            tasks.create_task(late.call(late_url))
            await until(lambda: running.text.count('"call started"') == 50)
            over.set()
        status = await _status(running)
    assert status == 0
    assert "Traceback" not in running.text
    assert [caller.call_sid for caller in short if caller.code != 1000] == []
    assert [caller.call_sid for caller in (*long, late) if caller.code != 1001] == []
    for found in await all_kept(tmp_path, [caller.call_sid for caller in short]):
        assert (found.call.outcome, found.call.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
    for found in await all_kept(tmp_path, [caller.call_sid for caller in (*long, late)]):
        assert (found.call.ended_by, found.call.end_reason) == (EndedBy.SERVER, "shutdown")
        assert (found.close_code, found.last_words) == (1001, "Goodbye.")
    assert (await kept(tmp_path, "new")).call.reason == "draining"
    assert [entry["calls"] for entry in entries(running, "draining")] == [50]
    assert len(entries(running, "drained")) == 1


async def test_a_process_without_calls_ends_when_it_is_told(tmp_path: Path) -> None:
    """Nothing is waited for."""
    async with server(tmp_path) as running:
        running.process.send_signal(signal.SIGTERM)
        assert await _status(running) == 0
    assert [entry["calls"] for entry in entries(running, "draining")] == [0]
    assert entries(running, "saying goodbye") == []


async def test_a_second_signal_hurries(tmp_path: Path) -> None:
    """The calls hear the goodbye line long before the limit."""
    caller = Caller("c1")
    async with server(tmp_path) as running, asyncio.TaskGroup() as tasks:
        await _begin(tasks, running, [caller], asyncio.Event())
        running.process.send_signal(signal.SIGINT)
        await until(lambda: '"draining"' in running.text)
        assert running.process.returncode is None
        running.process.send_signal(signal.SIGINT)
        assert await _status(running) == 0
    assert caller.code == 1001
    found = await kept(tmp_path, "c1")
    assert (found.call.end_reason, found.last_words) == ("shutdown", "Goodbye.")


async def test_a_third_signal_waits_for_nothing(tmp_path: Path) -> None:
    """Not even for a caller who never returns the mark of the goodbye line; the call's end is in
    the record all the same."""
    caller = Caller("c1", deaf=True)
    async with server(tmp_path) as running, asyncio.TaskGroup() as tasks:
        await _begin(tasks, running, [caller], asyncio.Event())
        for said in ('"draining"', '"saying goodbye"', '"exiting at once"'):
            running.process.send_signal(signal.SIGTERM)
            await until(lambda said=said: said in running.text)
        assert await _status(running) == 1
    assert caller.code == 1001
    found = await kept(tmp_path, "c1")
    assert (found.call.ended_by, found.call.end_reason) == (EndedBy.SERVER, "shutdown")
    assert found.close_code == 1001


async def test_a_speech_to_speech_call_is_closed_without_words(tmp_path: Path) -> None:
    """It has no line of ours to say."""
    caller = Caller("c1")
    echoes = tmp_path / "echoes"
    echoes.mkdir()
    variables = {
        "EXOBRIDGE_TEMPLATES_DIR": str(write_templates(echoes, {"default": ECHO})),
        "DRAIN_SECONDS": "0",
    }
    async with server(tmp_path, **variables) as running, asyncio.TaskGroup() as tasks:
        await _begin(tasks, running, [caller], asyncio.Event())
        running.process.send_signal(signal.SIGTERM)
        assert await _status(running) == 0
    assert caller.code == 1001
    found = await kept(tmp_path, "c1")
    assert (found.call.ended_by, found.call.end_reason) == (EndedBy.SERVER, "shutdown")


@pytest.mark.parametrize(("mode", "status"), [("302", 302), ("error", 503), ("say", 503)])
async def test_a_drain_refuses_by_the_path_of_the_template(
    tmp_path: Path, mode: str, status: int
) -> None:
    """Without a spoken line, which would need a stream; the body says why. The same call is taken
    by a process that does not stop."""
    async with serving(tmp_path, {"default": bot(refusal={"mode": mode})}) as running:
        running.bridge.desk.drain()
        refused = await ask(running.url, "c1")
        assert (refused.status_code, refused.json()["error"]) == (status, "draining")
        assert (await running.kept("c1")).reason == "draining"
    async with serving(tmp_path) as running:
        assert (await ask(running.url, "c1")).status_code == 200
        async with stream(running.stream_url, call_sid="c1") as peer:
            await peer.start()
            await peer.next("media")
        assert (await running.until_over("c1")).streams == 1


async def test_a_goodbye_is_not_followed_by_a_late_greeting(tmp_path: Path) -> None:
    """A greeting that was still being made is left out, and the call's last words are whole."""
    slow = bot(
        greeting="Hello, {param.name}.",
        tts={"options": {"delay_ms": 300}},
        texts={"goodbye": "Goodbye, and thank you for your call today."},
    )
    async with serving(tmp_path, {"default": slow}) as running:
        async with stream(running.stream_url, call_sid="c1") as peer:
            await peer.start()
            await peer.silence(40)
            await until(lambda: bool(running.log("stream format")))
            running.bridge.desk.say_goodbye()
            await peer.silence(700)
            await peer.played()
            assert await peer.close_code() == 1001
        await running.until_over("c1")
        turns = await running.bridge.store.turns("c1")
        assert [turn.text for turn in turns] == ["Goodbye, and thank you for your call today."]


async def test_a_terminal_that_is_closed_stops_it(tmp_path: Path) -> None:
    """Its hang-up is no wish for new templates: nobody could stop the process by a key any more."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exobridge", "serve", "--port", "0"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        said = b""
        while b"provider started" not in said:
            said += await asyncio.to_thread(os.read, ours, 65536)
        os.close(ours)
        process.send_signal(signal.SIGHUP)  # as the system does, to all that the terminal started
        # Not 0, as what Python has yet to write has nowhere to go; a signal's would be negative.
        assert await asyncio.wait_for(process.wait(), 20) >= 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
