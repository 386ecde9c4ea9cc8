"""``exobridge erase``: take away all that is kept of one caller."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Annotated

import typer

from exobridge import log
from exobridge.cli.environment import pass_on
from exobridge.cli.problems import USAGE, config_problems
from exobridge.keeping.erasure import Erased, Erasure
from exobridge.numbers import mask, normalise
from exobridge.own_recording.service import spool_of
from exobridge.recordings.storage import open_storage
from exobridge.settings import Settings, load_variables
from exobridge.store import Store
from exobridge.store.keeping import Held
from exobridge.visible import visible
from exobridge.wire.folder import WireFolder
from exobridge.wire.records import Side


def erase(
    number: Annotated[str, typer.Argument(help="The caller's number, in any spelling.")] = "",
    call: Annotated[str, typer.Option(help="Erase this call alone, by its CallSid.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be erased.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on the standard output; wants --yes or --dry-run.")
    ] = False,
) -> None:
    """Erase what is kept of a caller: calls, words, jobs, recordings, wishes to call there.

    Works on the database and the storage of the settings, also while servers use them. Calls under
    way are left alone. The exit status is 1 if anything is left.
    """
    caller = normalise(number)
    if bool(number) == bool(call) or (number and caller is None):
        typer.echo("Name a phone number, like +919811122233, or --call with a CallSid.", err=True)
        raise typer.Exit(USAGE)
    if as_json and not (yes or dry_run):
        typer.echo("--json cannot ask: add --yes or --dry-run.", err=True)
        raise typer.Exit(USAGE)
    with config_problems():
        variables = load_variables()
        pass_on(variables)  # a bucket's keys
        settings = Settings.read(variables)
        log.configure(settings.log_format, settings.log_level, settings.secrets())
        whose = mask(caller) if caller else "one call"
        sids, held = asyncio.run(_look(settings, caller, call))
        if (held.calls or held.dials) and not (dry_run or yes):
            typer.confirm(f"Erase {_words(held)} of {whose}, for good?", abort=True, err=True)
        done = Erased(held) if dry_run else asyncio.run(_erase(settings, sids, caller))
    if as_json:
        told = {
            "dry_run": dry_run,
            **asdict(done.held),
            "under_way": list(done.under_way),
            "failed": list(done.failed),
            "dials_left": done.dials_left,
        }
        typer.echo(json.dumps(told, indent=2))
    else:
        typer.echo(f"{'To be erased' if dry_run else 'Erased'}: {_words(done.held)} of {whose}.")
        for call_sid in done.under_way:
            typer.echo(f"Still under way, erase it when it is over: {visible(call_sid)}", err=True)
        if done.dials_left:
            typer.echo("Somebody is being called there; erase again when that is over.", err=True)
        for call_sid in done.failed:
            typer.echo(f"Left, as its recording cannot be deleted: {visible(call_sid)}", err=True)
    raise typer.Exit(0 if done.is_complete else 1)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncGenerator[Store]:
    store = await Store.open(settings.database_url.get_secret_value())
    try:
        yield store
    finally:
        await store.aclose()


async def _look(settings: Settings, caller: str | None, call: str) -> tuple[list[str], Held]:
    """The calls, and what is held of them."""
    async with _store(settings) as store:
        sids = await store.keeping.calls_of(caller) if caller else [call]
        dials = await store.dials.held(caller) if caller else 0
        return sids, replace(await store.keeping.held(sids), dials=dials)


async def _erase(settings: Settings, call_sids: list[str], caller: str | None) -> Erased:
    storage = open_storage(settings.recordings_url, settings.data_dir)
    wire = WireFolder(settings.wire_dir, Side.SERVER) if settings.wire_dir else None
    async with _store(settings) as store:
        erasure = Erasure(store, storage, spool_of(settings.data_dir), wire)
        return await erasure.erase(call_sids, caller or "")


def _words(held: Held) -> str:
    return (
        f"{held.calls} calls with {held.events} events, {held.turns} turns, "
        f"{held.recordings} recordings, {held.jobs} jobs and {held.dials} dials"
    )
