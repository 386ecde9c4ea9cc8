"""``exobridge batch list``, ``show`` and ``results``."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from exobridge.cli.batch_session import (
    AsJson,
    BatchId,
    Shown,
    is_over,
    left_words,
    line,
    outcome_words,
    shown,
    with_batches,
)
from exobridge.cli.batch_session import as_json as told
from exobridge.cli.problems import USAGE
from exobridge.outbound.batches import Batches
from exobridge.store.batches import MAX_PAGE

LOOK_SECONDS = 1.0
"""Between two looks at a batch that is watched."""


def list_batches(
    limit: Annotated[
        int, typer.Option(help="How many of the latest batches.", min=1, max=MAX_PAGE)
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest batches, and how far each has come."""

    async def found(batches: Batches) -> list[Shown]:
        listed = await batches.listed(limit)
        return list(zip(listed, await batches.progress(*listed), strict=True))

    rows = with_batches(found)
    if as_json:
        typer.echo(json.dumps([told(*row) for row in rows], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    if not rows:
        console.print("No batches yet.")
    for row in rows:
        console.print(line(*row))


def show(
    batch_id: BatchId,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show its progress until it is over.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far a batch has come.

    Reads the database of the settings, also while a server calls. Ctrl-C ends --watch, not the
    batch. The exit status is 1 if there is no such batch.
    """

    async def found(batches: Batches) -> Shown:
        return await (_watched if watch else shown)(batches, batch_id)

    batch, progress = with_batches(found)
    if as_json:
        typer.echo(json.dumps(told(batch, progress), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(line(batch, progress))
    console.print(
        f"{progress.waiting} to be called, {progress.calls} calls made, at most "
        f"{batch.calls_at_once} at once and {batch.calls_per_minute} a minute"
    )
    if left := left_words(batch, progress):
        console.print(left)


async def _watched(batches: Batches, batch_id: str) -> Shown:
    """Until it is over, with a bar on the standard error."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}  {task.fields[told]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
    )
    batch, progress = await shown(batches, batch_id)
    with bar:
        task = bar.add_task(batch.state, total=batch.rows, told="")
        while True:
            words = [outcome_words(progress), left_words(batch, progress)]
            bar.update(
                task,
                description=batch.state,
                completed=progress.done,
                told=", ".join(filter(None, words)),
            )
            if is_over(batch):
                return batch, progress
            await asyncio.sleep(LOOK_SECONDS)
            batch, progress = await shown(batches, batch_id)


def results(
    batch_id: BatchId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it there; else: to the output.")
    ] = None,
) -> None:
    """Write the list as CSV, with what became of each row; also before the batch is done.

    The numbers are in full. A file is made for its owner alone.
    """

    async def written(batches: Batches) -> None:
        batch = await batches.find(batch_id)
        with _sink(output) as write:
            async for piece in batches.results(batch):
                write(piece.encode())

    try:
        with_batches(written)
    except BrokenPipeError:  # the reader has enough
        raise
    except OSError as error:
        typer.secho(f"The results cannot be written ({error.strerror}).", fg="red", err=True)
        raise typer.Exit(USAGE) from None


@contextmanager
def _sink(output: Path | None) -> Generator[Callable[[bytes], object]]:
    if output is None:
        yield partial(typer.echo, nl=False)
        return
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file.write
