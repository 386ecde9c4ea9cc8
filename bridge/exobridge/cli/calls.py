"""``exobridge calls``: what is kept of calls."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console

from exobridge.call.dialling import Report
from exobridge.call.events import CallEvent, Turn
from exobridge.call.facts import Usage
from exobridge.call.state import Call
from exobridge.call.transfer_state import TransferState
from exobridge.call_view import call_json, event_json, turn_json
from exobridge.cli.event_words import event_words
from exobridge.cli.plain import plain
from exobridge.cli.problems import config_problems
from exobridge.numbers import mask, normalise
from exobridge.settings import load_settings
from exobridge.store import Store
from exobridge.store.store import MAX_PAGE


def calls(
    call_sid: Annotated[
        str, typer.Argument(help="Show this call: its facts, its events, its turns.")
    ] = "",
    limit: Annotated[
        int, typer.Option(help="How many of the latest calls.", min=1, max=MAX_PAGE)
    ] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON on the standard output, numbers in full.")
    ] = False,
) -> None:
    """List the latest calls, or show one.

    Reads the database of the settings (EXOBRIDGE_DATA_DIR, DATABASE_URL), also while a server
    writes to it. The exit status is 1 if there is no such call.
    """
    console = Console(highlight=False, soft_wrap=True)
    with config_problems():
        settings = load_settings()
        found = asyncio.run(_read(settings.database_url.get_secret_value(), call_sid, limit))
    listed, events, turns = found
    if call_sid and not listed:
        Console(stderr=True, highlight=False).print("There is no such call.")
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(_as_json(*found, one=bool(call_sid)), indent=2, ensure_ascii=False))
    elif call_sid:
        _show(console, listed[0], events, turns)
    else:
        _list(console, listed)


Found = tuple[list[Call], list[CallEvent], list[Turn]]


async def _read(url: str, call_sid: str, limit: int) -> Found:
    store = await Store.open(url)
    try:
        if not call_sid:
            return await store.calls(limit), [], []
        call = await store.call(call_sid)
        if call is None:
            return [], [], []
        return [call], await store.events(call_sid), await store.turns(call_sid)
    finally:
        await store.aclose()


def _list(console: Console, listed: list[Call]) -> None:
    if not listed:
        console.print("No calls yet.")
        return
    for call in listed:
        began = f"{call.created_at:%Y-%m-%d %H:%M:%S}" if call.created_at else "-"
        numbers = f"{mask(call.caller) or '-'} → {mask(call.called) or '-'}"
        ending = call.outcome or call.state
        console.print(f"{began}  {plain(call.call_sid)}  {numbers}  {call.template}  {ending}")


def _show(console: Console, call: Call, events: list[CallEvent], turns: list[Turn]) -> None:
    console.print(f"[bold]{plain(call.call_sid)}[/]  {call.state}  {call.outcome or ''}")
    console.print(f"caller {mask(call.caller)}, called {mask(call.called)}, {call.template}")
    if call.transfer:
        console.print(f"transfer {_transfer(call.transfer)}")
    if call.exotel:
        console.print(f"Exotel says {_exotel(call.exotel)}")
    if used := _used(call.usage):
        console.print(f"used {used}")
    console.print("\n[bold]Events[/]")
    for event in events:
        at, words = f"[dim]{event.at:%H:%M:%S.%f}[/]", plain(event_words(event))
        console.print(f"{at} {event.kind:18} {words}".rstrip())
    console.print("\n[bold]Turns[/]")
    for turn in turns:
        cut = " [yellow](interrupted)[/]" if turn.interrupted else ""
        console.print(
            f"[dim]{turn.start_ms / 1000:7.2f} s[/] {turn.role:6} {plain(turn.text)}{cut}"
        )


def _as_json(listed: list[Call], events: list[CallEvent], turns: list[Turn], *, one: bool) -> Any:
    if not one:
        return [call_json(call) for call in listed]
    return {
        **call_json(listed[0]),
        "events": [event_json(event) for event in events],
        "turns": [turn_json(turn) for turn in turns],
    }


def _transfer(transfer: TransferState) -> str:
    """Whom to, and what became of it."""
    target = mask(transfer.target) if normalise(transfer.target) else plain(transfer.target)
    number = f", {mask(transfer.number)}" if transfer.number else ""
    return f"to {target or 'the default'}: {transfer.status}{number}, {transfer.attempts} attempts"


def _exotel(report: Report) -> str:
    """What Exotel tells of the whole call."""
    parts = [plain(report.status) or "nothing of its status"]
    if report.seconds is not None:
        parts.append(f"{report.seconds} s")
    if report.price is not None:
        parts.append(f"price {report.price:g}")
    return ", ".join(parts)


def _used(usage: Usage) -> str:
    """What providers bill, in words; empty if nothing was used."""
    parts = [
        (usage.stt_seconds, "s of audio to speech-to-text"),
        (usage.tts_characters, "characters to text-to-speech"),
        (usage.input_tokens, "tokens in"),
        (usage.output_tokens, "tokens out"),
        (usage.heard_seconds, "s of audio heard"),
        (usage.spoken_seconds, "s of audio spoken"),
    ]
    return ", ".join(f"{number:g} {what}" for number, what in parts if number)
