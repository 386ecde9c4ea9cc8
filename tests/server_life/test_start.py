"""What a server loads when it starts."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path

import pytest

from exobridge.app import create_app
from exobridge.server import ServerLife, listen
from exobridge.settings import Settings
from exobridge.templates import load_templates
from tests.process import Serving, environment, server, spawn
from tests.server import bot, fakes_installed, until, write_templates
from tests.server_life.callers import entries, health

NEVER = {
    "alembic": "the database is up to date",
    "exobridge.simulator": "Exotel's side is for other commands",
    "exobridge.cluster.supervisor": "one process serves",
    "hibari": "speech models are loaded by the templates that name them",
    "httpx": "nothing is asked of others",
    "mako": "it is for writing migrations",
    "moonshine_voice": "see hibari",
    "onnxruntime": "see hibari",
    "opentelemetry": "traces are off",
    "sqlalchemy.dialects.postgresql": "the database is SQLite",
}
"""Modules that a server with outside providers has no use for, and why."""


async def _imported(folder: Path, *, new_database: bool = False, **variables: str) -> set[str]:
    """Every module that a server imports until it is ready, and the packages they are in."""
    variables["PYTHONPROFILEIMPORTTIME"] = "1"
    async with server(folder, new_database, **variables) as running:
        lines = [line for line in running.lines if line.startswith("import time:")]
    parts = [line.rpartition("|")[2].strip().split(".") for line in lines]
    return {".".join(each[:length]) for each in parts for length in range(1, len(each) + 1)}


async def test_a_server_with_outside_providers_loads_no_more_than_it_uses(tmp_path: Path) -> None:
    """Most of a start is imports, and most of the memory too."""
    imported = await _imported(tmp_path)
    assert "exobridge.server.life" in imported
    loaded = {name: why for name, why in NEVER.items() if name in imported}
    assert loaded == {}


async def test_a_provider_is_loaded_by_the_template_that_names_it(tmp_path: Path) -> None:
    """Alone: not the other local ones. A new database needs its migrations."""
    pytest.importorskip("onnxruntime")
    imported = await _imported(tmp_path, new_database=True, VAD_PROVIDER="silero")
    assert {"onnxruntime", "alembic"} <= imported
    assert not {"moonshine_voice", "hibari"} & imported


async def test_a_template_whose_language_nobody_understands_keeps_it_from_being_ready(
    tmp_path: Path,
) -> None:
    """It says so, to whoever asks and in the log, and in place of failing every call."""
    hindi = bot(language="hi-IN", stt={"options": {"languages": ["en"]}})
    write_templates(tmp_path, {"hindi": hindi})
    variables = {"EXOTEL_NUMBERS": "+918047112233=hindi"}
    process = await spawn(tmp_path, ("serve", "--port", "0"), variables)
    serving = Serving(process)
    reading = asyncio.create_task(serving.read())
    try:
        await until(lambda: bool(serving.url and entries(serving, "provider failed")))
        status, body = await health(serving.url, "ready")
    finally:
        process.kill()
        await process.wait()
        await reading
    problem = "stt fake does not know hi-IN, a language of hindi; choose another stt.provider"
    assert (status, body) == (
        503,
        {"status": "not ready", "problems": [f"template hindi: {problem}"]},
    )
    assert entries(serving, "provider failed")[0]["error"] == problem


async def test_a_stop_while_it_starts_ends_it(tmp_path: Path) -> None:
    """Before it serves there is nothing to drain."""
    process = await spawn(tmp_path, ("serve", "--port", "0"), {"DRAIN_SECONDS": "3600"})
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), 20)
    assert b"is starting" in line
    rest = asyncio.create_task(process.stderr.read())
    for _ in range(200):
        if process.returncode is not None:
            break
        # Also before its handlers are there, when a signal ends it by itself.
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
    assert await asyncio.wait_for(process.wait(), 20) in (0, 1, -signal.SIGTERM)
    assert b"Traceback" not in await rest


async def test_what_stays_is_kept_from_the_garbage_collector(tmp_path: Path) -> None:
    """Once the providers have been started; its pauses would be calls' lateness."""
    variables = environment(tmp_path)
    with fakes_installed():
        settings = Settings.read(variables)
        app = create_app(settings, load_templates(settings.templates_dir, settings))
        life = ServerLife(app, settings, listen("127.0.0.1", 0))
        frozen = gc.get_freeze_count()
        running = asyncio.create_task(life.run())
        try:
            await until(lambda: gc.get_freeze_count() > frozen)
            assert app.state.bridge.preloaded.done()
        finally:
            gc.unfreeze()
            life.stop()
            assert await asyncio.wait_for(running, 20) == 0
