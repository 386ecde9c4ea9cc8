"""``exobridge batch``: lists of people to call."""

from __future__ import annotations

import typer

from exobridge.cli.batch_course import cancel, pause, resume
from exobridge.cli.batch_show import list_batches, results, show
from exobridge.cli.batch_start import start

batch = typer.Typer(
    name="batch",
    help="Call all of a list, follow it, stop it, and read what became of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
batch.command("start")(start)
batch.command("list")(list_batches)
batch.command("show")(show)
batch.command("pause")(pause)
batch.command("resume")(resume)
batch.command("cancel")(cancel)
batch.command("results")(results)
