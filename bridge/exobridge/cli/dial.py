"""``exobridge dial``: somebody is called."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import datetime
from enum import Enum
from typing import Annotated

import typer

from exobridge.cli.dial_follow import Followed, follow, is_reached, last_outcome, words
from exobridge.cli.outbound import calling_out
from exobridge.cli.problems import USAGE, config_problems
from exobridge.outbound.models import Dial, DialRefusedError, KeyReusedError, Wish
from exobridge.outbound.rules import IST
from exobridge.settings import Settings, load_settings
from exobridge.templates import load_templates

OPTIONS = {
    "number": "NUMBER",
    "template": "--template",
    "caller_id": "--caller-id",
    "variables": "--var",
    "mode": "--mode",
    "key": "--key",
    "not_before": "--at",
}
"""By the field of a wish."""

NOT_REACHED = 1
INTERRUPTED = 128 + signal.SIGINT


class Mode(Enum):
    """Where a call goes."""

    FLOW = "flow"
    STREAM = "stream"


def dial(
    number: Annotated[
        str, typer.Argument(help="Whom to call; without a country code it is Indian.")
    ],
    template: Annotated[str, typer.Option(help="Whose bot talks; else default.")] = "",
    var: Annotated[
        list[str] | None,
        typer.Option(help="A variable of the conversation; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    caller_id: Annotated[
        str, typer.Option(help="The ExoPhone to call from; else the template's.")
    ] = "",
    mode: Annotated[
        Mode | None,
        typer.Option(help="Through a flow, or straight to the bot; else the template's."),
    ] = None,
    at: Annotated[
        str,
        typer.Option(help="Not before: 2026-11-23T10:00, India's time where no zone is named."),
    ] = "",
    key: Annotated[
        str, typer.Option(help="Asked again under the same key, nobody is called again.")
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end, and tell what happens.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on the standard output, numbers in full.")
    ] = False,
) -> None:
    """Call somebody.

    A server that runs on the same database (EXOBRIDGE_DATA_DIR, DATABASE_URL) makes the call, as
    the template's table outbound says. Ctrl-C ends --wait, not the call. The exit status is 1 if
    nobody was reached, as far as was waited for, and 2 if nobody is called for this.
    """
    with config_problems():
        wish = Wish(
            number=number,
            template=template,
            caller_id=caller_id,
            variables=_variables(var or []),
            mode=mode.value if mode else "",
            key=key,
            not_before=_time(at) if at else None,
        )
        found = _called(load_settings(), wish, wait=wait)
    _tell(found, as_json)
    if found.interrupted:
        raise typer.Exit(INTERRUPTED)
    if wait and not is_reached(found.dial):
        raise typer.Exit(NOT_REACHED)


def _called(settings: Settings, wish: Wish, *, wait: bool) -> Followed:
    try:
        return asyncio.run(_call(settings, wish, wait=wait))
    except DialRefusedError as error:
        option = f"{OPTIONS[error.field]}: " if error.field in OPTIONS else ""
        typer.secho(f"{option}{error.detail}", fg="red", err=True)
        raise typer.Exit(USAGE) from None
    except KeyReusedError as error:
        typer.secho(f"--key: {error} (it was for {error.dial_id}).", fg="red", err=True)
        raise typer.Exit(USAGE) from None


async def _call(settings: Settings, wish: Wish, *, wait: bool) -> Followed:
    templates = load_templates(settings.templates_dir, settings)
    async with calling_out(settings, templates) as parts:
        placed, is_new = await parts.outbound.dial(wish)
        if not is_new:
            _note(f"It was asked for before, under this key: {placed.id}.")
        if not wait:
            return Followed(placed, await last_outcome(parts.outbound, placed))
        return await follow(parts.outbound, placed, _note)


def _note(line: str) -> None:
    """Of what goes on; the result alone is on the standard output."""
    typer.secho(line, err=True)


def _variables(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter("write it like --var name=Asha", param_hint="--var")
        if name in pairs:
            raise typer.BadParameter(f"{name} is given twice", param_hint="--var")
        pairs[name] = value
    return pairs


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        problem = "is no time; write it like 2026-11-23T10:00 or 2026-11-23T10:00+05:30"
        raise typer.BadParameter(problem, param_hint="--at") from None
    return time if time.utcoffset() is not None else time.replace(tzinfo=IST)


def _tell(found: Followed, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_json(found.dial), indent=2, ensure_ascii=False))
        return
    typer.echo(f"{found.dial.id}  {words(found.dial, found.last)}")


def _as_json(found: Dial) -> object:
    """As the API tells it."""
    from exobridge.web.control.dials import DialModel

    return DialModel.of(found).model_dump(mode="json")
