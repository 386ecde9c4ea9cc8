"""``exobridge serve``: the server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer

from exobridge import log
from exobridge.cli.environment import pass_on
from exobridge.cli.problems import config_problems
from exobridge.observe.tracing import traces_wanted
from exobridge.recordings.storage import open_storage
from exobridge.settings import Settings, load_variables
from exobridge.templates import Templates, in_use, load_templates

STATIC = "Voicebot (static URL)"
"""Whose URL is the stream's own."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [EXOBRIDGE_HOST]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0: any free one. [EXOBRIDGE_PORT]")
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(help="Worker processes; auto: one for each core. [EXOBRIDGE_WORKERS]"),
    ] = None,
) -> None:
    """Answer Exotel's calls, with the settings of the environment and of .env.

    SIGTERM or Ctrl-C stops it: new calls are turned away, and those under way go on to their end,
    for DRAIN_SECONDS at most; then they hear their goodbye line. Asked a second time, they hear it
    at once; a third time, it exits at once. SIGHUP reads the templates again, not the settings.
    """
    options = {"EXOBRIDGE_HOST": host, "EXOBRIDGE_PORT": port, "EXOBRIDGE_WORKERS": workers}
    with config_problems():
        variables = load_variables()
        pass_on(variables)
        variables |= {name: str(value) for name, value in options.items() if value is not None}
        settings = Settings.read(variables)
        templates = load_templates(settings.templates_dir, settings)
        open_storage(settings.recordings_url, settings.data_dir)  # its trouble is told in a line
        log.configure(settings.log_format, settings.log_level, settings.secrets())
        traces_wanted(os.environ)
        greet = partial(_greet, settings, _urls(settings, templates))
        if settings.workers > 1:
            status = _serve_together(settings, variables, greet)
        else:
            # Not for a supervisor, which is small and stays so.
            from exobridge.server.alone import serve_alone

            status = serve_alone(settings, templates, greet)
    raise typer.Exit(status)


def _serve_together(
    settings: Settings, variables: Mapping[str, str], greet: Callable[[int], None]
) -> int:
    """Serve with several workers until a signal ends it; the exit status."""
    from exobridge.cluster.ports import reserve
    from exobridge.cluster.supervisor import Plan, supervise

    with reserve(settings.host, settings.port) as reserved:
        port = reserved.getsockname()[1]
        greet(port)
        known = Settings.variables()
        plan = Plan(
            workers=settings.workers,
            variables={name: value for name, value in variables.items() if name in known},
            host=settings.host,
            port=port,
            max_calls=settings.max_calls,
            unused_seconds=settings.unused_slot_seconds,
            drain_seconds=settings.drain_seconds,
        )
        return asyncio.run(supervise(plan))


def _urls(settings: Settings, templates: Templates) -> Sequence[tuple[str, str]]:
    """What Exotel asks, as paths, each with who of it does; what no template uses is left out."""
    used = [templates[name] for name in in_use(settings.numbers.templates, templates)]
    urls = [
        ("Passthru, or Voicebot (dynamic URL)", "/exotel/answer"),
        (STATIC, "/exotel/stream"),
        ("Passthru behind the bot, or to route", "/exotel/passthru"),
    ]
    if any(template.routes for template in used):
        urls.append(("Greeting (text from a URL)", "/exotel/greeting"))
    if any(template.transfer.names_somebody for template in used):
        urls.append(("Passthru before a Connect", "/exotel/dial-up/passthru"))
        urls.append(("Connect (dials by a URL)", "/exotel/dial-up"))
    return [*urls, ("StatusCallback of calls you place", "/exotel/callback/status")]


def _greet(settings: Settings, urls: Sequence[tuple[str, str]], port: int) -> None:
    """Print what an operator needs: the URLs for Exotel's applets."""
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = settings.public_url or f"http://{name}:{port}"
    secret = "/$EXOBRIDGE_SECRET" if settings.secret else ""
    _print(f"{typer.style('exobridge', bold=True)} is starting. Paste into Exotel's applets:")
    for who, path in urls:
        at = "ws" + base.removeprefix("http") if who == STATIC else base
        _print(f"  {who:<36}  {at}{path}{secret}")
    if secret:
        _print("  $EXOBRIDGE_SECRET stands for its value, which is not printed.")
    if settings.public_url is None:
        _print("  Exotel cannot reach this machine by that: set EXOBRIDGE_PUBLIC_URL.")
    if settings.allowed_networks:
        _print("  Only addresses in ALLOWED_NETWORKS are served.")
    elif settings.secret is None:
        _print("  Without EXOBRIDGE_SECRET only this machine is served.")
    if not settings.numbers.is_set:
        _print('  EXOTEL_NUMBERS is not set: every number gets the template "default",')
        _print("  as long as none was added (exobridge numbers list).")
    for variable in settings.unknown_variables():
        _print(f"  {typer.style('Unknown variable:', fg='yellow')} {variable}")


def _print(line: str) -> None:
    typer.echo(line, err=True)
