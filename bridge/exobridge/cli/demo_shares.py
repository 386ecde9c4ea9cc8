"""The outcome of ``exobridge demo --vendors`` on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exobridge.demo_vendors import MAX_OWN_MS, VendorReport


def show_shares(report: VendorReport, console: Console) -> None:
    """Each answer's time, split, and exobridge's own share of all of them."""
    title = "\nFrom the caller's last word to the bot's first, in ms"
    table = Table(title=title, title_justify="left")
    for name in ("answer", "total", "silence", "STT", "first word", "words", "TTS", "own"):
        table.add_column(name, justify="right")
    for number, each in enumerate(report.shares, start=1):
        delays = each.delays
        times = (each.total, each.silence, delays.stt, delays.token, delays.words, delays.tts)
        table.add_row(str(number), *(f"{value:.0f}" for value in times), f"{each.own:.0f}")
    console.print(table)
    console.print(
        "[dim]silence: before the text is asked for. STT, first word, words (of what is spoken "
        "first), TTS:\nas the vendors themselves measured it. The fakes of the vendors run on this "
        "machine, too.[/]"
    )
    colour = "green" if report.own(0.95) <= MAX_OWN_MS else "red"
    console.print(
        f"exobridge's own share: p50 {report.own(0.5):.0f} ms, "
        f"[{colour}]p95 {report.own(0.95):.0f} ms[/] (budget: {MAX_OWN_MS:.0f} ms)."
    )
    for sentence in (*report.call.timeouts, *report.call.problems, *report.violations):
        console.print(f"[red]{escape(sentence)}[/]")
