"""``exobridge dials``: who is to be called, one by one, and what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from exobridge.cli.dial_follow import ending_words, last_of, words
from exobridge.cli.plain import plain
from exobridge.cli.problems import config_problems
from exobridge.outbound.checks import Ground
from exobridge.outbound.models import Attempt, Dial, DialOutcome, DialState, UnknownDialError
from exobridge.outbound.rules import IST
from exobridge.outbound.service import Outbound
from exobridge.settings import load_settings
from exobridge.store import Store
from exobridge.store.dials import MAX_PAGE

ResultT = TypeVar("ResultT")

AsJson = Annotated[
    bool, typer.Option("--json", help="JSON on the standard output, numbers in full.")
]
DialId = Annotated[str, typer.Argument(help="Its id, as dial and list tell it.", metavar="ID")]

dials = typer.Typer(
    name="dials",
    help="Who is to be called, and what became of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


class States(Enum):
    """Where a dial may stand."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    PLACING = "placing"
    PLACED = "placed"
    UNSURE = "unsure"
    DONE = "done"


@dials.command("list")
def list_dials(
    state: Annotated[States | None, typer.Option(help="Those that stand there.")] = None,
    limit: Annotated[
        int, typer.Option(help="How many of the latest dials.", min=1, max=MAX_PAGE)
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest dials, and where each stands; those of batches too."""
    of_state = DialState(state.value) if state else None
    found = _with_outbound(lambda outbound: outbound.dials(limit, state=of_state))
    if as_json:
        _print_json([_as_json(dial) for dial in found])
        return
    console = _console()
    if not found:
        console.print("No dials." if state else "No dials yet.")
    for dial in found:
        console.print(f"{dial.created_at.astimezone(IST):%Y-%m-%d %H:%M}  {_line(dial)}")


@dials.command("show")
def show(dial_id: DialId, as_json: AsJson = False) -> None:
    """Show one dial, and what was asked of Exotel for it."""

    async def read(outbound: Outbound) -> tuple[Dial, list[Attempt]]:
        dial = await outbound.find(dial_id)
        if dial is None:
            raise UnknownDialError("there is no such dial")
        return dial, await outbound.attempts(dial_id)

    dial, attempts = _with_outbound(read)
    if as_json:
        _print_json(_as_json(dial, attempts))
        return
    console = _console()
    console.print(_line(dial, last_of(attempts)))
    request = dial.request
    console.print(f"{plain(request.template)}, {request.purpose}, by {request.mode}")
    for attempt in attempts:
        at = f"{attempt.asked_at.astimezone(IST):%Y-%m-%d %H:%M:%S}"
        error = f" ({plain(attempt.error)})" if attempt.error else ""
        sid = plain(attempt.call_sid) or "-"
        console.print(
            f"call {attempt.number}  {at} in India  {sid}  {ending_words(attempt)}{error}"
        )


@dials.command("cancel")
def cancel(dial_id: DialId, as_json: AsJson = False) -> None:
    """Call nobody for it any more. A call that is under way goes on, and is not repeated.

    The exit status is 1 if there is no such dial, or if it was over.
    """
    dial = _with_outbound(lambda outbound: outbound.cancel(dial_id))
    if as_json:
        _print_json(_as_json(dial))
    else:
        _console().print(_line(dial))
    if dial.state is DialState.DONE and dial.outcome is not DialOutcome.CANCELLED:
        typer.secho("It was over.", fg="red", err=True)
        raise typer.Exit(1)


def _with_outbound(does: Callable[[Outbound], Awaitable[ResultT]]) -> ResultT:
    """Do something with the dials of the settings' database. What is wrong is told in a line: exit
    status 2, or 1 if there is no such dial."""
    with config_problems():
        url = load_settings().database_url.get_secret_value()
        try:
            return asyncio.run(_opened(url, does))
        except UnknownDialError:
            typer.secho("There is no such dial.", fg="red", err=True)
            raise typer.Exit(1) from None


async def _opened(url: str, does: Callable[[Outbound], Awaitable[ResultT]]) -> ResultT:
    store = await Store.open(url)
    try:
        return await does(Outbound(store, _no_ground))
    finally:
        await store.aclose()


def _no_ground() -> Ground:
    raise AssertionError("nobody is called here")


def _line(dial: Dial, last: DialOutcome | None = None) -> str:
    return f"[bold]{dial.id}[/]  {plain(words(dial, last))}"


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _print_json(what: object) -> None:
    typer.echo(json.dumps(what, indent=2, ensure_ascii=False))


def _as_json(dial: Dial, calls: Sequence[Attempt] | None = None) -> object:
    """As the API tells it."""
    from exobridge.web.control.dials import AttemptModel, DialModel

    told = DialModel.of(dial).model_dump(mode="json")
    if calls is not None:
        told["calls"] = [AttemptModel.of(call).model_dump(mode="json") for call in calls]
    return told
