"""The whole server for a test: uvicorn on a free port, in the test's own loop, as ``exobridge
serve`` sets it up, with the fakes as providers. When it ends, it must have left nothing behind."""

from __future__ import annotations

import asyncio
import atexit
import io
import json
import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import structlog
import uvicorn
from sqlalchemy import make_url

from exobridge import log
from exobridge.app import create_app
from exobridge.bridge import Bridge
from exobridge.call.plan import StoreWaits, Waits
from exobridge.call.state import Call
from exobridge.server import server_config
from exobridge.settings import Settings
from exobridge.simulator import Clip, Patience
from exobridge.templates import Template, load_templates
from exobridge_codecs.tones import tone
from tests import leaks
from tests.database import migrated

FAKES = {
    "exobridge.stt": {
        "fake": "FakeStt",
        "spare": "FakeStt",
        "faulty": "FaultyStt",
        "broken": "BrokenStt",
    },
    "exobridge.tts": {
        "fake": "FakeTts",
        "spare": "FakeTts",
        "faulty": "FaultyTts",
        "broken": "BrokenTts",
    },
    "exobridge.vad": {"fake": "FakeVad", "faulty": "FaultyVad", "broken": "BrokenVad"},
    "exobridge.dialogue": {
        "fake": "FakeDialogue",
        "spare": "FakeDialogue",
        "faulty": "FaultyDialogue",
        "broken": "BrokenDialogue",
    },
    "exobridge.realtime": {"fake-realtime": "FakeRealtime", "faulty-realtime": "FaultyRealtime"},
}
"""Entry points, as an installed package of providers has them."""

SHORT = Waits(
    start=1.0,
    open=1.0,
    greeting=1.0,
    stt_final=1.0,
    dialogue=1.0,
    tts_first_audio=1.0,
    line=2.0,
    transfer=10.0,
    goodbye=3.0,
    dialling=10.0,  # no test waits for it, and a loaded machine is slow
    close=0.3,
    send=0.5,
    plan=25.0,
    # As patient as a loaded machine may need, where no test is about a database that hangs.
    store=StoreWaits(desk=20.0, passthru=20.0, greeting=20.0, callback=20.0, whisper=20.0),
)
"""Limits that a test can wait for."""

IMPATIENT = replace(SHORT, store=StoreWaits())
"""With the ordinary ones for the database."""

_BOT: dict[str, Any] = {
    "greeting": "Hello there.",
    "turns": {"end_silence_ms": 200},
    "tts": {"options": {"ms_per_char": 20}},
    "stt": {"options": {"script": ["one", "two", "three"]}},
    "texts": {
        "sorry": "We are sorry.",
        "goodbye": "Goodbye.",
        "idle": "Still there?",
        "too_long": "It was too long.",
    },
}


def bot(**tables: Any) -> str:
    """A template for the fakes, as TOML: it greets for 240 ms, and says back what it understood.

    Args:
        tables: Laid over its own; ``None``: without that table.
    """
    return _lines(_merged(_BOT, tables))


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], dict) and isinstance(over[key], dict):
            both[key] = _merged(base[key], over[key])
    return {key: value for key, value in both.items() if value is not None}


def _lines(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value).items()
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, cast(Iterable[Any], value))) + "]"
    return json.dumps(value)


BOT = bot()
"""The fakes' template as it is."""

ECHO = _lines({"dialogue": {"provider": "echo"}, "vad": {"provider": "none"}})
"""A template whose caller hears himself."""

LINE = Clip(tone(330, 300, 8000), 8000, "one")
"""Something for a caller to say."""

QUICK = Patience(bot_done_ms=250, bot_timeout_ms=3000)
"""A caller who does not wait long."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: ``http://`` and where it listens.
        bridge: Its parts.
    """

    url: str
    bridge: Bridge
    text: io.StringIO
    listening: uvicorn.Server

    @property
    def stream_url(self) -> str:
        """The static URL of streams."""
        return f"ws{self.url.removeprefix('http')}/exotel/stream"

    def shrink_send_buffers(self) -> None:
        """For connections that are opened from now on the system takes little of what a peer does
        not read, so that a test need not send megabytes first."""
        for server in self.listening.servers:
            for listener in server.sockets:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    def log(self, event: str = "", **fields: object) -> list[dict[str, Any]]:
        """The entries of the log so far: those of this name that have these values."""
        entries: list[dict[str, Any]] = list(map(json.loads, self.text.getvalue().splitlines()))
        return [
            entry
            for entry in entries
            if (not event or entry["event"] == event)
            and all(entry.get(name) == value for name, value in fields.items())
        ]

    async def kept(self, call_sid: str) -> Call:
        """What is kept of a call, everything that waits written."""
        await self.bridge.store.flush()
        call = await self.bridge.store.call(call_sid)
        assert call is not None
        return call

    def errors(self) -> list[dict[str, Any]]:
        """The error lines of the log."""
        return self.log(level="error")

    async def until_over(self, call_sid: str) -> Call:
        """What is kept of a call once it has ended, and its providers' sessions are closed."""

        sessions = self.bridge.desk.sessions

        async def is_over() -> bool:
            if call_sid in sessions:  # many wait for it at once: the database is not asked in vain
                return False
            await self.bridge.store.flush()
            call = await self.bridge.store.call(call_sid)
            return call is not None and call.outcome is not None and call_sid not in sessions

        await until(is_over, lambda: (frozenset(sessions), self.text.tell()))
        return await self.kept(call_sid)


class _Server(uvicorn.Server):
    """Looks ten times as often whether it is to exit, as hundreds of tests wait for that."""

    async def main_loop(self) -> None:
        """As uvicorn's."""
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            await asyncio.sleep(0.01)


def http_client(base_url: str = "") -> httpx.AsyncClient:
    """For requests to a server of a test. Without certificates, which take longer to load than
    anything here, and which http needs not."""
    return httpx.AsyncClient(base_url=base_url, trust_env=False, verify=False)


async def until(
    happened: Callable[[], Awaitable[bool]] | Callable[[], bool],
    moving: Callable[[], object] = lambda: None,
) -> None:
    """Wait for something that comes about by itself, for ten seconds at most.

    Args:
        moving: Differs from before as long as it is on its way there, on a loaded machine. Then
            the ten seconds begin anew, for two minutes at most.
    """
    left, before = 500, moving()
    for _ in range(6000):
        answer = happened()
        if answer if isinstance(answer, bool) else await answer:
            return
        await asyncio.sleep(0.02)
        left, before = (left - 1, before) if (now := moving()) == before else (500, now)
        if not left:
            break
    raise AssertionError("it did not happen")


@asynccontextmanager
async def serving(
    folder: Path,
    templates: Mapping[str, str] | None = None,
    *,
    waits: Waits = SHORT,
    limits: Mapping[str, Mapping[str, float]] | None = None,
    preloaded: bool = True,
    port: int = 0,
    **variables: str,
) -> AsyncGenerator[Server]:
    """Run the server.

    Args:
        folder: For its data, its templates, and the fakes' package.
        templates: By name, as TOML; without any, ``default`` is ``BOT``.
        preloaded: Begin when the providers have been started and the fixed lines rendered.
        port: 0: one that is free.
        limits: In place of a template's ``[limits]``, by its name, and shorter than a file may say.
        variables: The environment. All providers are the fakes where nothing else is named.
    """
    before = _Left.now()
    environment = {
        "EXOBRIDGE_DATA_DIR": str(folder / "data"),
        "EXOBRIDGE_TEMPLATES_DIR": str(write_templates(folder, templates or {"default": BOT})),
        "STT_PROVIDER": "fake",
        "TTS_PROVIDER": "fake",
        "VAD_PROVIDER": "fake",
        "DIALOGUE_PROVIDER": "fake",
        **variables,
    }
    with fakes_installed(), _logging(environment) as text:
        settings = Settings.read(environment)
        migrated(Path(str(make_url(settings.database_url.get_secret_value()).database)))
        loaded = load_templates(settings.templates_dir, settings)
        limited = {
            name: _limited(each, (limits or {}).get(name, {})) for name, each in loaded.items()
        }
        app = create_app(settings, limited, waits)
        server = _Server(server_config(app, "127.0.0.1", port))
        running = asyncio.create_task(server.serve())
        try:
            await until(lambda: server.started or running.done())
            assert server.started, text.getvalue()
            port = server.servers[0].sockets[0].getsockname()[1]
            bridge: Bridge = app.state.bridge
            assert bridge.preloaded is not None
            if preloaded:
                await bridge.preloaded
            yield Server(f"http://127.0.0.1:{port}", bridge, text, server)
        finally:
            server.should_exit = True
            await running
    await before.check()


def write_templates(folder: Path, templates: Mapping[str, str]) -> Path:
    """Put templates into a folder of their own; that folder."""
    where = folder / "templates"
    where.mkdir(exist_ok=True)
    for name, text in templates.items():
        (where / f"{name}.toml").write_text(text, "utf-8")
    return where


def write_fakes(folder: Path) -> Path:
    """Write what an installed package of the fakes would leave; the folder for ``sys.path``."""
    where = folder / "installed"
    package = where / "exobridge_fakes-1.0.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: exobridge-fakes\nVersion: 1.0\n"
    )
    lines: list[str] = []
    for group, names in FAKES.items():
        lines.append(f"[{group}]")
        for name, found in names.items():
            module = "exobridge_providers.testing.fakes"
            if not found.startswith("Fake"):
                module = f"tests.{name.partition('-')[0]}"
            lines.append(f"{name} = {module}:{found}")
    (package / "entry_points.txt").write_text("\n".join(lines))
    return where


@cache
def _fakes() -> str:
    """One folder with the fakes' package, for as long as this process lives: the packages along
    another path would all be looked through anew, which takes longer than most of a start."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(write_fakes(Path(folder)))


@contextmanager
def fakes_installed() -> Generator[None]:
    """The fakes' package is installed for the length of the block."""
    where = _fakes()
    sys.path.insert(0, where)
    try:
        yield
    finally:
        sys.path.remove(where)


def _limited(template: Template, limits: Mapping[str, float]) -> Template:
    return template.model_copy(update={"limits": template.limits.model_copy(update=limits)})


@contextmanager
def _logging(environment: Mapping[str, str]) -> Generator[io.StringIO]:
    """The process's own log, as JSON, into a buffer; what was set up before is restored."""
    leaks.plant(environment)
    root, ours = logging.getLogger(), structlog.get_config()
    handlers, level, was_configured = root.handlers, root.level, structlog.is_configured()
    text = io.StringIO()
    log.configure(
        "json", environment.get("LOG_LEVEL", "INFO"), [environment.get("EXOBRIDGE_SECRET", "")]
    )
    # A logger that is kept after its first use would write here after the test, too.
    structlog.configure(cache_logger_on_first_use=False)
    cast("logging.StreamHandler[io.StringIO]", root.handlers[0]).setStream(text)
    try:
        yield text
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**ours) if was_configured else structlog.reset_defaults()


@dataclass(frozen=True, slots=True)
class _Left:
    """What runs and is open in this process."""

    tasks: frozenset[asyncio.Task[Any]]
    threads: frozenset[threading.Thread]
    sockets: frozenset[str]

    @classmethod
    def now(cls) -> _Left:
        # The loop's own pool of threads stays for the next who asks.
        threads = [t for t in threading.enumerate() if not t.name.startswith("asyncio_")]
        return cls(frozenset(asyncio.all_tasks()), frozenset(threads), frozenset(_sockets()))

    async def check(self) -> None:
        """Nothing is left that was not there before."""
        for _ in range(100):
            if not self._gained():
                return
            await asyncio.sleep(0.01)  # a transport closes its socket on the loop's next turn
        raise AssertionError(f"left behind: {self._gained()}")

    def _gained(self) -> list[object]:
        now = _Left.now()
        return [
            *(now.tasks - self.tasks),
            *(now.threads - self.threads),
            *(now.sockets - self.sockets),
        ]


def _sockets() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():  # not on this system
        return []
    found: list[str] = []
    for descriptor in folder.iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:  # the descriptor of this very listing
            continue
        if target.startswith("socket:"):
            found.append(target)
    return found
