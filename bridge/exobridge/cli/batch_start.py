"""``exobridge batch start``: all of a list is called."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exobridge.cli.batch_session import AsJson, Shown, line, shown
from exobridge.cli.batch_session import as_json as told
from exobridge.cli.outbound import calling_out
from exobridge.cli.problems import USAGE, config_problems
from exobridge.outbound.batches import Batches, BatchKeyReusedError
from exobridge.outbound.csv_rows import MAX_BYTES
from exobridge.outbound.lists import (
    MAX_AT_ONCE,
    MAX_PER_MINUTE,
    BatchRefusedError,
    BatchWish,
    Fault,
    Plan,
)
from exobridge.settings import Settings, load_settings
from exobridge.templates import load_templates
from exobridge.visible import visible


class Mode(StrEnum):
    """Where the calls go."""

    FLOW = "flow"
    STREAM = "stream"


def start(
    file: Annotated[Path, typer.Argument(help="CSV with a column number; -: the standard input.")],
    template: Annotated[str, typer.Option(help="Of the rows that name none; else default.")] = "",
    caller_id: Annotated[
        str, typer.Option(help="ExoPhone of the rows that name none; else the template's.")
    ] = "",
    mode: Annotated[Mode | None, typer.Option(help="Else the template's.")] = None,
    calls_at_once: Annotated[
        int, typer.Option(help="Most calls under way at a time.", min=1, max=MAX_AT_ONCE)
    ] = 10,
    calls_per_minute: Annotated[
        int, typer.Option(help="Most calls asked for in a minute.", min=1, max=MAX_PER_MINUTE)
    ] = 60,
    name: Annotated[str, typer.Option(help="For humans.")] = "",
    key: Annotated[
        str, typer.Option(help="Started again under the same key, it is the same batch.")
    ] = "",
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Call the others, in place of nobody.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the list, and call nobody.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Call all of a list: CSV in UTF-8, whose first line names the columns.

    One column is number (or phone, or mobile); template and caller_id go before the options; each
    other column is a variable of the conversation. A server that runs on the same database
    (EXOBRIDGE_DATA_DIR, DATABASE_URL) makes the calls. The exit status is 1 if nobody is called for
    the list.
    """
    with config_problems():
        settings = load_settings()
        wish = BatchWish(
            source=_read(file),
            name=name,
            template=template,
            caller_id=caller_id,
            mode=mode.value if mode else "",
            calls_at_once=calls_at_once,
            calls_per_minute=calls_per_minute,
            key=key,
            skip_bad_rows=skip_bad_rows,
        )
        try:
            if dry_run:
                _tell_plan(asyncio.run(_planned(settings, wish)), as_json)
            else:
                _tell_start(*asyncio.run(_started(settings, wish)), as_json)
        except BatchRefusedError as error:
            _tell_refusal(error, as_json)
            raise typer.Exit(1) from None
        except BatchKeyReusedError as error:
            typer.secho(f"{error.batch_id}: {error}.", fg="red", err=True)
            raise typer.Exit(1) from None


def _read(file: Path) -> bytes:
    """A byte more than a list may have, so that a longer one is told."""
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with file.open("rb") as source:
            return source.read(MAX_BYTES + 1)
    except OSError as error:
        typer.secho(f"The list cannot be read ({error.strerror}).", fg="red", err=True)
        raise typer.Exit(USAGE) from None


async def _planned(settings: Settings, wish: BatchWish) -> Plan:
    async with _batches(settings) as batches:
        return await batches.plan(wish)


async def _started(settings: Settings, wish: BatchWish) -> tuple[Shown, bool]:
    async with _batches(settings) as batches:
        batch, is_new = await batches.start(wish)
        return await shown(batches, batch.id), is_new


@asynccontextmanager
async def _batches(settings: Settings) -> AsyncGenerator[Batches]:
    templates = load_templates(settings.templates_dir, settings)
    async with calling_out(settings, templates) as parts:
        outbound = parts.outbound
        yield Batches(parts.store, outbound.judge, lambda: datetime.now(UTC), outbound.wake)


def _tell_plan(plan: Plan, as_json: bool) -> None:
    good = len(plan.rows) - plan.bad_rows
    if as_json:
        page = {"rows": good, "bad_rows": plan.bad_rows, "faults": list(map(asdict, plan.faults))}
        typer.echo(json.dumps(page, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{good} {'person' if good == 1 else 'people'} would be called.")
    _tell_faults(plan.faults, plan.bad_rows)


def _tell_start(found: Shown, is_new: bool, as_json: bool) -> None:
    if as_json:
        page = {**told(*found), "new": is_new}
        typer.echo(json.dumps(page, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(line(*found))
    if not is_new:
        console.print("It was started before, under this key.")
    console.print(f"Follow it: exobridge batch show {found[0].id} --watch")


def _tell_refusal(error: BatchRefusedError, as_json: bool) -> None:
    if as_json:
        page = {
            "refused": error.kind,
            "detail": error.detail,
            "bad_rows": error.count,
            "faults": list(map(asdict, error.faults)),
        }
        typer.echo(json.dumps(page, indent=2, ensure_ascii=False))
    typer.secho(error.detail, fg="red", err=True)
    _tell_faults(error.faults, error.count)
    if error.is_partial:
        typer.echo("Mend them, or call the others with --skip-bad-rows.", err=True)


def _tell_faults(faults: Sequence[Fault], count: int) -> None:
    for fault in faults:
        column = f", {fault.column}" if fault.column else ""
        typer.echo(visible(f"line {fault.line}{column}: {fault.problem}"), err=True)
    if count > len(faults):
        typer.echo(f"and {count - len(faults)} more", err=True)
