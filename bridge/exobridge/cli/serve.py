"""``exobridge serve``: the server."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from typing import Annotated

import structlog
import typer
import uvicorn
from rich.console import Console

from exobridge import log
from exobridge.app import create_app
from exobridge.cli.problems import config_problems
from exobridge.errors import ConfigError
from exobridge.settings import Settings, load_settings
from exobridge.store import Store
from exobridge.templates import load_templates
from exobridge.web.protocol import MediaProtocol

SHUTDOWN_SECONDS = 15
"""Longest wait for connections to end: a peer that does not read would hold the process."""

MAX_MESSAGE = 256 * 1024
"""Largest WebSocket message, in bytes: Exotel's largest chunk is 100,000 before base64."""

_console = Console(stderr=True, highlight=False, soft_wrap=True)
_log = structlog.stdlib.get_logger("exobridge")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [EXOBRIDGE_HOST]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0: any free one. [EXOBRIDGE_PORT]")
    ] = None,
) -> None:
    """Answer Exotel's calls, with the settings of the environment and of .env."""
    with config_problems():
        settings = load_settings()
        templates = load_templates(settings.templates_dir, settings)
    log.configure(settings.log_format, settings.log_level, _secrets(settings))
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    server = uvicorn.Server(server_config(create_app(settings, templates), host, port))
    with (
        asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner,
        suppress(KeyboardInterrupt),
    ):
        with config_problems():
            runner.run(_check_store(settings))
            listening = _listen(host, port)
        _greet(settings, host, listening.getsockname()[1])
        runner.run(server.serve(sockets=[listening]))
    if not server.started:
        raise typer.Exit(1)


async def _check_store(settings: Settings) -> None:
    """Open the store once before anything is served, so that its trouble is told in a line.

    Raises:
        StoreError: It cannot be used.
    """
    store = await Store.open(settings.database_url.get_secret_value())
    await store.aclose()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known, and known to be free, before anything else.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"EXOBRIDGE_HOST {host}, EXOBRIDGE_PORT {port}",
            f"cannot be listened on ({error.strerror or error})",
            "Choose another address or port, or stop what uses it.",
        ) from error
    return listening


def server_config(app: object, host: str, port: int) -> uvicorn.Config:
    """uvicorn, set up for media: its WebSocket without deflate (70-110 µs a frame), pings off
    (whether Exotel answers them is unknown), bounded messages."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # Starlette's own type is narrower than uvicorn's
        host=host,
        port=port,
        loop="auto",
        http="auto",
        ws=MediaProtocol,
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _secrets(settings: Settings) -> list[str]:
    secrets = (settings.secret, settings.exotel_api_key, settings.exotel_api_token)
    return [secret.get_secret_value() for secret in secrets if secret is not None]


def _greet(settings: Settings, host: str, port: int) -> None:
    """Print what an operator needs: the URLs for Exotel's applets."""
    name = f"[{host}]" if ":" in host else host
    base = settings.public_url or f"http://{name}:{port}"
    stream = "ws" + base.removeprefix("http")
    secret = "/$EXOBRIDGE_SECRET" if settings.secret else ""
    print_ = _console.print
    print_("[bold]exobridge[/] is starting. Paste into Exotel's applets:")
    print_(f"  Passthru, or Voicebot (dynamic URL)  {base}/exotel/answer{secret}")
    print_(f"  Voicebot (static URL)                {stream}/exotel/stream{secret}")
    if secret:
        print_("  $EXOBRIDGE_SECRET stands for its value, which is not printed.")
    if settings.public_url is None:
        print_("  Exotel cannot reach this machine by that: set EXOBRIDGE_PUBLIC_URL.")
    if settings.secret is None:
        print_("  Without EXOBRIDGE_SECRET only this machine is served.")
    if not settings.numbers.is_set:
        print_('  EXOTEL_NUMBERS is not set: every number gets the template "default".')
    for name in settings.unknown_variables():
        print_(f"  [yellow]Unknown variable:[/] {name}")
    sys.stderr.flush()
