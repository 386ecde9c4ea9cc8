"""``exobridge numbers``: our ExoPhones, who answers for each, and what the account says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from exobridge.cli.numbers_session import Session, run
from exobridge.cli.numbers_show import as_json, show, show_checked
from exobridge.cli.problems import USAGE
from exobridge.exophones import NumberError, OwnNumber
from exobridge.exophones.troubles import Trouble, troubles_of
from exobridge.store.numbers import NumberWish

numbers = typer.Typer(
    name="numbers",
    help="List our ExoPhones, compare them with the account, and say who answers for each.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

Number = Annotated[str, typer.Argument(help="The ExoPhone, in any spelling.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on the standard output.")]
AllowNone = Annotated[
    bool,
    typer.Option(
        "--allow-none",
        help="Also if no number has a template then, whereupon default answers for all.",
    ),
]


@numbers.command("list")
def list_numbers(json_: AsJson = False) -> None:
    """List the numbers of EXOTEL_NUMBERS and those that were added.

    What the account tells of them is that of the last sync. Reads the database of the settings,
    also while a server works on it.
    """
    listed = run(lambda session: session.numbers.listed())
    if json_:
        _print([as_json(own) for own in listed])
    else:
        show(listed)


@numbers.command()
def check(json_: AsJson = False) -> None:
    """Compare the numbers with the account: is each there, with a flow, and asked for?

    Asks Exotel and changes nothing. The exit status is 1 if something is wrong.
    """

    async def checked(session: Session) -> list[tuple[OwnNumber, list[Trouble]]]:
        seen = await session.numbers.seen()
        return [(own, troubles_of(own, session.templates, session.now)) for own in seen]

    found = run(checked)
    if json_:
        _print([as_json(own, troubles) for own, troubles in found])
    else:
        show_checked(found)
    wrong = any(each.level != "info" for _, troubles in found for each in troubles)
    raise typer.Exit(int(wrong))


@numbers.command()
def sync(json_: AsJson = False) -> None:
    """Take over what the account tells of its ExoPhones.

    New ones get no template, what was set stays, and nothing is deleted: who is served does not
    change.
    """
    synced = run(lambda session: session.numbers.sync())
    told = {"added": synced.added, "changed": synced.changed, "missing": synced.missing}
    if json_:
        _print({name: list(some) for name, some in told.items()})
        return
    for name, some in told.items():
        typer.echo(f"{name}: {', '.join(some) or 'none'}")


@numbers.command()
def add(
    number: Number,
    template: Annotated[str, typer.Option(help="Shall answer for it.")] = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="Nobody shall answer for it.")] = False,
    name: Annotated[
        str | None, typer.Option(help="What it is called, for humans.", show_default=False)
    ] = None,
    app_id: Annotated[
        str | None,
        typer.Option(help="The flow of calls placed from it; empty: its template's."),
    ] = None,
    allow_none: AllowNone = False,
    json_: AsJson = False,
) -> None:
    """Add a number, or change what is given of one that is there.

    A running server heeds it within two seconds.
    """
    if template and nobody:
        raise typer.BadParameter("not together with --nobody", param_hint="--template")

    async def put(session: Session) -> OwnNumber:
        try:
            known = await session.numbers.find(number)
        except NumberError:
            known = OwnNumber(number)
            if not (template or nobody):
                typer.echo("Say who answers: --template NAME, or --nobody.", err=True)
                raise typer.Exit(USAGE) from None
        wish = NumberWish(known.template, known.name, known.applet_app_id)
        if template or nobody:
            wish = replace(wish, template=template or None)
        if name is not None:
            wish = replace(wish, name=name)
        if app_id is not None:
            wish = replace(wish, applet_app_id=app_id)
        own, _ = await session.numbers.put(number, wish, allow_none=allow_none)
        return own

    _tell(run(put), json_)


@numbers.command()
def remove(number: Number, allow_none: AllowNone = False) -> None:
    """Forget a number that was added."""
    run(lambda session: session.numbers.remove(number, allow_none=allow_none))


@numbers.command()
def assign(
    number: Number,
    app_id: Annotated[
        str, typer.Option(help="The flow's app id; empty: the number's, else its template's.")
    ] = "",
    json_: AsJson = False,
) -> None:
    """Have the calls to a number take a flow, at Exotel.

    Whatever was assigned to it there before is replaced.
    """
    _tell(run(lambda session: session.numbers.assign(number, app_id)), json_)


def _tell(own: OwnNumber, json_: bool) -> None:
    if json_:
        _print(as_json(own))
    else:
        show([own])


def _print(told: dict[str, Any] | Sequence[dict[str, Any]]) -> None:
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
