"""``exobridge webhooks``: what the user's own system is told of calls, and to tell it again.

Reads the database of the settings (EXOBRIDGE_DATA_DIR, DATABASE_URL), also while a server works on
it. What is to be sent again is sent by the server, at once if one runs.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from exobridge.cli.plain import plain
from exobridge.cli.problems import config_problems
from exobridge.errors import ConfigError
from exobridge.settings import load_settings
from exobridge.store import Store
from exobridge.store.jobs import MAX_PAGE, Job, JobState
from exobridge.webhooks.outbox import Filter, Outbox
from exobridge.webhooks.trial import Trial, try_receiver

webhooks = typer.Typer(
    name="webhooks",
    help="List what your own system is told of calls, send it again, try the receiver.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on the standard output.")]
Call = Annotated[str, typer.Option(help="Those of this call, by its CallSid.")]
Since = Annotated[
    datetime | None,
    typer.Option(
        help="Those of facts since then: 2026-11-21T09:30:00+05:30; no zone is UTC.",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
    ),
]

ResultT = TypeVar("ResultT")


@webhooks.command("list")
def list_webhooks(
    state: Annotated[
        JobState | None, typer.Option(help="Those in this state; failed: given up.")
    ] = None,
    call: Call = "",
    since: Since = None,
    limit: Annotated[int, typer.Option(help="How many of the latest.", min=1, max=MAX_PAGE)] = 20,
    as_json: AsJson = False,
) -> None:
    """List webhooks, the newest first."""
    which = Filter([state] if state else [], call, _aware(since))
    listed = _run(lambda outbox: outbox.listed(which, limit))
    if as_json:
        typer.echo(json.dumps([as_plain(job) for job in listed], indent=2))
    else:
        _table(listed)


@webhooks.command()
def show(webhook_id: Annotated[str, typer.Argument(help="Its webhook-id.")]) -> None:
    """Print a webhook as JSON, with what it says of the call."""
    job = _run(lambda outbox: outbox.find(webhook_id))
    if job is None:
        raise _unknown(webhook_id)
    data = {"data": job.payload.get("data")}
    typer.echo(json.dumps(as_plain(job) | data, indent=2, ensure_ascii=False))


@webhooks.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Those with these webhook-ids.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Those that were given up.")] = False,
    call: Call = "",
    since: Since = None,
) -> None:
    """Send webhooks again, each with the webhook-id that it had, in the order of its call.

    Without ids: those that were taken or given up and are all that the options say.
    """
    if ids and (failed or call or since):
        raise typer.BadParameter("Give ids or options, not both.")
    if ids:
        _replay_few(ids)
        return
    if not (failed or call or since):
        raise typer.BadParameter("Give ids, --failed, --call or --since.")
    which = Filter([JobState.FAILED] if failed else [], call, _aware(since))
    count = _run(lambda outbox: outbox.replay_all(which, datetime.now(UTC)))
    typer.echo(f"{count} to be sent again.")


@webhooks.command("test")
def ping(as_json: AsJson = False) -> None:
    """Send a signed ping to WEBHOOK_URL now, and tell what came back.

    The exit status is 1 if it was not taken.
    """
    with config_problems():
        settings = load_settings()
        trial = asyncio.run(try_receiver(settings, f"wh_ping{secrets.token_hex(8)}"))
        if trial is None:
            raise ConfigError(
                "WEBHOOK_URL", "is not set", "Set it, as WEBHOOK_URL=https://…/calls."
            )
    if as_json:
        typer.echo(json.dumps(trial.to_json(), indent=2))
    else:
        _tell(trial)
    if not trial.is_taken:
        raise typer.Exit(1)


def as_plain(job: Job) -> dict[str, Any]:
    """A webhook as JSON, without what it says."""
    return {
        "id": job.key,
        "sequence": job.id,
        "type": job.payload.get("type"),
        "call_sid": job.call_sid,
        "state": job.state.value,
        "attempts": job.attempts,
        "created_at": job.created_at.isoformat(),
        "due_at": job.due_at.isoformat(),
        "done_at": job.done_at.isoformat() if job.done_at else None,
        "error": job.error,
    }


def _replay_few(ids: list[str]) -> None:
    async def again(outbox: Outbox) -> list[Job | None]:
        now = datetime.now(UTC)
        return [await outbox.replay(webhook_id, now) for webhook_id in ids]

    told = list(zip(ids, _run(again), strict=True))
    for webhook_id, job in told:
        if job is not None:
            typer.echo(f"{webhook_id}  {_STANDS.get(job.state, job.state.value)}")
    for webhook_id, job in told:
        if job is None:
            raise _unknown(webhook_id)


_STANDS = {
    JobState.WAITING: "to be sent at once",
    JobState.QUEUED: "to be sent after an earlier one of its call",
    JobState.RUNNING: "is being sent",
}


def _run(ask: Callable[[Outbox], Awaitable[ResultT]]) -> ResultT:
    async def asked(url: str) -> ResultT:
        store = await Store.open(url)
        try:
            return await ask(Outbox(store.jobs))
        finally:
            await store.aclose()

    with config_problems():
        settings = load_settings()
        return asyncio.run(asked(settings.database_url.get_secret_value()))


def _unknown(webhook_id: str) -> typer.Exit:
    message = f"There is no webhook {plain(webhook_id)}, or none any more."
    Console(stderr=True, highlight=False).print(message)
    return typer.Exit(1)


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _table(listed: list[Job]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not listed:
        console.print("No webhooks.")
        return
    sid_width = max(4, *(len(job.call_sid) for job in listed))
    console.print(
        f"{'webhook':27}  {'type':15}  {'state':7}  {'due or done (UTC)':19}  "
        f"{'call':{sid_width}}  why"
    )
    for job in listed:
        is_over = job.state in (JobState.DONE, JobState.FAILED)
        when = (job.done_at if is_over else None) or job.due_at
        kind = str(job.payload.get("type", ""))
        console.print(
            f"{job.key:27}  {plain(f'{kind:15}')}  {job.state:7}  {when:%Y-%m-%d %H:%M:%S}  "
            f"{plain(f'{job.call_sid:{sid_width}}')}  {plain(job.error)}".rstrip()
        )


def _tell(trial: Trial) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{plain(trial.receiver)}: {plain(trial.found)}")
    if trial.cure:
        console.print(plain(trial.cure))
