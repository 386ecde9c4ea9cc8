"""``exobridge live``: what happens on calls as it happens, and steps into one that is under way.

Asks the control API of a running server, as the call's line is in its hands. The key is that of the
settings (EXOBRIDGE_API_KEY, else the strongest of EXOBRIDGE_API_KEYS).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from exobridge.cli.live_client import LiveClient
from exobridge.cli.live_words import live_words
from exobridge.cli.problems import config_problems
from exobridge.errors import ConfigError
from exobridge.settings import Settings, load_settings

live = typer.Typer(
    name="live",
    help="Follow calls as they happen, and step into one that is under way.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

CallSid = Annotated[str, typer.Argument(metavar="CALL_SID", help="The call.")]
Url = Annotated[
    str, typer.Option(help="Where the server is; without it where the settings have it.")
]

_DONE = {
    "speaking": "It is being said.",
    "waiting": "It is said as soon as it is the bot's turn.",
    "leaving": "The last words are being said; then the line is left.",
}


@live.command()
def follow(
    call_sid: Annotated[
        str, typer.Argument(metavar="CALL_SID", help="This call, from its beginning.")
    ] = "",
    template: Annotated[str, typer.Option(help="Only calls with this template.")] = "",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind of event, or turn; several times.")
    ] = None,
    since: Annotated[str, typer.Option(help="Begin behind this id; e0.t0: at the beginning.")] = "",
    count: Annotated[int, typer.Option(help="End after so many; 0: at Ctrl-C.", min=0)] = 0,
    url: Url = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each, numbers in full.")
    ] = False,
) -> None:
    """Print what happens on calls, as it happens.

    A server that goes away is waited for, and nothing that it wrote meanwhile is left out.
    """
    console = Console(highlight=False, soft_wrap=True)

    def tell(told: Mapping[str, Any]) -> None:
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False))
        else:
            console.print(live_words(told))

    asked: dict[str, str | list[str]] = {"template": template, "since": since, "kind": kind or []}
    with suppress(KeyboardInterrupt), config_problems():
        client = _client(url)
        asyncio.run(client.follow(call_sid, asked, tell, count))


@live.command()
def say(
    call_sid: CallSid,
    text: Annotated[str, typer.Argument(help="What the bot says.")],
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help="Cut the bot's words for it.")
    ] = False,
    url: Url = "",
) -> None:
    """Have the bot say a line in a call."""
    _order(url, call_sid, "say", {"text": text, "interrupt": interrupt})


@live.command()
def transfer(
    call_sid: CallSid,
    target: Annotated[
        str, typer.Argument(help="A target of the template's, or a number that it allows.")
    ] = "",
    summary: Annotated[str, typer.Option(help="For the human: who calls, and why.")] = "",
    text: Annotated[
        str | None, typer.Option("--say", help="Said before; without it the template's line.")
    ] = None,
    url: Url = "",
) -> None:
    """Hand the caller to a human."""
    _order(url, call_sid, "transfer", {"target": target, "summary": summary, "say": text})


@live.command()
def hangup(
    call_sid: CallSid,
    text: Annotated[
        str | None, typer.Option("--say", help="Said before; without it the template's goodbye.")
    ] = None,
    url: Url = "",
) -> None:
    """End a call."""
    _order(url, call_sid, "hangup", {"say": text})


def _order(url: str, call_sid: str, what: str, body: Mapping[str, Any]) -> None:
    path = f"/api/v1/calls/{quote(call_sid, safe='')}/{what}"
    with config_problems():
        done = asyncio.run(_client(url).post(path, body))
    typer.echo(_DONE.get(done, done))


def _client(url: str) -> LiveClient:
    """For the server of the settings, or another.

    Raises:
        ConfigError: There is no key.
    """
    settings = load_settings()
    keys = settings.keys()
    if not keys:
        cure = "Set it to the key of the server."
        raise ConfigError("EXOBRIDGE_API_KEY", "is not set", cure)
    key = max(keys, key=lambda each: each.role)
    return LiveClient(url.rstrip("/") or _own_url(settings), key.secret.get_secret_value())


def _own_url(settings: Settings) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
