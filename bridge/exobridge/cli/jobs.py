"""``exobridge jobs``: the work that is kept for later."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from exobridge.cli.plain import plain
from exobridge.cli.problems import config_problems
from exobridge.settings import load_settings
from exobridge.store import Store
from exobridge.store.jobs import MAX_PAGE, Job, JobState


def jobs(
    state: Annotated[
        JobState | None, typer.Option(help="Those in this state only; failed: given up.")
    ] = None,
    call: Annotated[str, typer.Option(help="Those of this call only, by its CallSid.")] = "",
    limit: Annotated[
        int, typer.Option(help="How many of the latest jobs.", min=1, max=MAX_PAGE)
    ] = 20,
    retry: Annotated[
        int | None,
        typer.Option(help="Have the job of this number tried at once; it waits, or was given up."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on the standard output.")] = False,
) -> None:
    """List the work beside the calls, as recordings to be fetched, and how it stands.

    Reads the database of the settings (EXOBRIDGE_DATA_DIR, DATABASE_URL), also while a server works
    on it. The exit status is 1 if there is no such job to be tried.
    """
    with config_problems():
        settings = load_settings()
        url = settings.database_url.get_secret_value()
        listed = asyncio.run(_jobs(url, state, call, limit, retry))
    if listed is None:
        message = f"There is no job {retry} that waits or was given up."
        Console(stderr=True, highlight=False).print(message)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps([_as_json(job) for job in listed], indent=2, ensure_ascii=False))
    else:
        _list(listed)


async def _jobs(
    url: str, state: JobState | None, call_sid: str, limit: int, retry: int | None
) -> list[Job] | None:
    store = await Store.open(url)
    try:
        if retry is not None and not await store.jobs.revive(retry, now=datetime.now(UTC)):
            return None
        return await store.jobs.listed(state, call_sid=call_sid, limit=limit)
    finally:
        await store.aclose()


def _list(listed: list[Job]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not listed:
        console.print("No jobs.")
        return
    width = max(4, *(len(job.kind) for job in listed))
    sid_width = max(4, *(len(_whose(job)) for job in listed))
    console.print(
        f"{'job':>6}  {'state':7}  {'due or done':19}  {'kind':{width}}  {'call':{sid_width}}  why"
    )
    for job in listed:
        when = job.done_at or job.due_at
        console.print(
            f"{job.id:>6}  {job.state:7}  {when:%Y-%m-%d %H:%M:%S}  "
            f"{plain(f'{job.kind:{width}}')}  {plain(f'{_whose(job):{sid_width}}')}  "
            f"{plain(job.error)}".rstrip()
        )


def _whose(job: Job) -> str:
    return job.call_sid or job.key


def _as_json(job: Job) -> dict[str, Any]:
    """Without the payload, which may hold a signed URL, and the lease."""
    shown = {name: value for name, value in asdict(job).items() if name not in ("payload", "lease")}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in shown.items()
    }
