"""Numbers, for a human and for a program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from exobridge.cli.plain import plain
from exobridge.exophones import OwnNumber
from exobridge.exophones.troubles import Trouble

MARKS = {"info": "[blue]i[/]", "warning": "[yellow]![/]", "error": "[red]✗[/]"}


def as_json(own: OwnNumber, troubles: Sequence[Trouble] | None = None) -> dict[str, Any]:
    """One number, as the API tells it.

    Args:
        troubles: What a comparison found; ``None``: none was made.
    """
    from exobridge.web.control.numbers import number_model

    told = number_model(own).model_dump(mode="json")
    if troubles is not None:
        told["troubles"] = [
            {"about": each.about, "level": each.level, "found": each.found, "cure": each.cure}
            for each in troubles
        ]
    return told


def show(listed: Sequence[OwnNumber]) -> None:
    """All of them as a table."""
    console = Console(highlight=False, soft_wrap=True)
    if not listed:
        console.print('No numbers: every number gets the template "default".')
        return
    width = max(8, *(len(own.template or "") for own in listed))
    flows = max(4, *(len(_flow(own)) for own in listed))
    console.print(
        f"{'number':15}  {'template':{width}}  {'from':11}  {'flow':{flows}}  "
        f"{'last asked (UTC)':16}  name"
    )
    for own in listed:
        latest = own.last_visit
        asked = f"{latest.last_at:%Y-%m-%d %H:%M}" if latest else "never"
        console.print(
            f"{own.number:15}  {plain(own.template or '-'):{width}}  {own.source:11}  "
            f"{plain(f'{_flow(own):{flows}}')}  {asked:16}  {plain(own.name)}".rstrip()
        )


def _flow(own: OwnNumber) -> str:
    if own.in_account is None:
        return "?"
    if not own.in_account:
        return "not in account"
    return own.flow_app_id or ("other" if own.flow_url else "none")


def show_checked(checked: Sequence[tuple[OwnNumber, Sequence[Trouble]]]) -> None:
    """What a comparison with the account found, number by number."""
    console = Console(highlight=False, soft_wrap=True)
    if not checked:
        console.print("No numbers, here or in the account.")
    for own, troubles in checked:
        answers = f"template {own.template}" if own.template else "no template"
        name = f" ({own.name})" if own.name else ""
        console.print(
            f"[bold]{own.number}[/]{plain(name)}: {plain(answers)}, flow {plain(_flow(own))}"
        )
        for visit in own.visits:
            times = "once" if visit.count == 1 else f"{visit.count} times"
            console.print(
                f"  {visit.endpoint}: asked {times}, last "
                f"{visit.last_at:%Y-%m-%d %H:%M} UTC, answered {visit.last_status}"
            )
        for each in troubles:
            console.print(f"  {MARKS[each.level]} {plain(each.found)}")
            cure = re.sub(r"\bNUMBER\b", own.number, each.cure)
            console.print(f"      [dim]→ {plain(cure)}[/]")
        if not troubles:
            console.print("  [green]✓[/] in the account, with a flow, and asked for")
