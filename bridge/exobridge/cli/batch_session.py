"""What all of ``exobridge batch`` share: the batches of the settings' database, and how one is
shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer

from exobridge.cli.plain import plain
from exobridge.cli.problems import config_problems
from exobridge.outbound.batches import Batches, BatchOverError, UnknownBatchError, seconds_left
from exobridge.outbound.models import NewDial, Wish
from exobridge.outbound.rules import IST
from exobridge.settings import load_settings
from exobridge.store import Store
from exobridge.store.batches import Batch, BatchState, Progress

ResultT = TypeVar("ResultT")

AsJson = Annotated[bool, typer.Option("--json", help="JSON on the standard output.")]
BatchId = Annotated[str, typer.Argument(help="Its id, as start and list tell it.", metavar="ID")]

Shown = tuple[Batch, Progress]


def with_batches(does: Callable[[Batches], Awaitable[ResultT]]) -> ResultT:
    """Do something with the batches of the settings' database. What is wrong is told in a line:
    exit status 2, or 1 if there is no such batch, or it is over."""
    with config_problems():
        url = load_settings().database_url.get_secret_value()
        try:
            return asyncio.run(_with_batches(url, does))
        except (UnknownBatchError, BatchOverError) as error:
            typer.secho(f"{str(error).capitalize()}.", fg="red", err=True)
            raise typer.Exit(1) from None


async def _with_batches(url: str, does: Callable[[Batches], Awaitable[ResultT]]) -> ResultT:
    async with _batches(url) as batches:
        return await does(batches)


@asynccontextmanager
async def _batches(url: str) -> AsyncGenerator[Batches]:
    store = await Store.open(url)
    try:
        yield Batches(store, _nobody, lambda: datetime.now(UTC), lambda: None)
    finally:
        await store.aclose()


def _nobody(wish: Wish) -> NewDial:
    raise AssertionError("nothing is started here")


async def shown(batches: Batches, batch_id: str) -> Shown:
    """One batch, and how far it has come."""
    batch = await batches.find(batch_id)
    (progress,) = await batches.progress(batch)
    return batch, progress


def line(batch: Batch, progress: Progress) -> str:
    """In one line, for rich."""
    parts = [
        f"[bold]{batch.id}[/]",
        f"{batch.created_at.astimezone(IST):%Y-%m-%d %H:%M}",
        f"{batch.state:9}",
        f"{progress.done}/{batch.rows} done",
        *([f"{progress.under_way} under way"] if progress.under_way else []),
        *([outcomes] if (outcomes := outcome_words(progress)) else []),
        *([plain(batch.name)] if batch.name else []),
    ]
    return "  ".join(parts)


def outcome_words(progress: Progress) -> str:
    """How many have each outcome, the most first."""
    counted = sorted(progress.outcomes.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {outcome}" for outcome, count in counted)


def left_words(batch: Batch, progress: Progress) -> str:
    """How long it will take yet; empty: that is not known."""
    left = seconds_left(batch, progress, datetime.now(UTC))
    if left is None:
        return ""
    if left < 90:
        return f"about {left:.0f} s left"
    return f"about {left / 60:.0f} min left" if left < 5400 else f"about {left / 3600:.1f} h left"


def is_over(batch: Batch) -> bool:
    """Whether nothing more will happen to it."""
    return batch.done_at is not None or batch.state == BatchState.DONE


def as_json(batch: Batch, progress: Progress) -> dict[str, Any]:
    """As the control API tells it, without its key."""
    told = {name: value for name, value in asdict(batch).items() if name not in _UNTOLD}
    left = seconds_left(batch, progress, datetime.now(UTC))
    return {
        **told,
        "columns": list(batch.columns),
        "created_at": batch.created_at.isoformat(),
        "done_at": batch.done_at.isoformat() if batch.done_at else None,
        "waiting": progress.waiting,
        "under_way": progress.under_way,
        "done": progress.done,
        "outcomes": dict(progress.outcomes),
        "calls": progress.calls,
        "seconds_left": None if left is None else round(left, 1),
    }


_UNTOLD = ("key", "fingerprint")
