"""``exobridge batch pause``, ``resume`` and ``cancel``."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import typer
from rich.console import Console

from exobridge.cli.batch_session import AsJson, BatchId, Shown, line, shown, with_batches
from exobridge.cli.batch_session import as_json as told
from exobridge.outbound.batches import Batches
from exobridge.store.batches import Batch


def pause(batch_id: BatchId, as_json: AsJson = False) -> None:
    """Ask for no further call of a batch. Those under way go on to their end."""
    _turn(lambda batches: batches.pause(batch_id), as_json)


def resume(batch_id: BatchId, as_json: AsJson = False) -> None:
    """Go on with a batch that was paused."""
    _turn(lambda batches: batches.resume(batch_id), as_json)


def cancel(batch_id: BatchId, as_json: AsJson = False) -> None:
    """Call nobody any more for a batch. Calls under way go on, and are not repeated."""
    _turn(lambda batches: batches.cancel(batch_id), as_json)


def _turn(does: Callable[[Batches], Awaitable[Batch]], as_json: bool) -> None:
    async def turned(batches: Batches) -> Shown:
        return await shown(batches, (await does(batches)).id)

    batch, progress = with_batches(turned)
    if as_json:
        typer.echo(json.dumps(told(batch, progress), indent=2, ensure_ascii=False))
    else:
        Console(highlight=False, soft_wrap=True).print(line(batch, progress))
