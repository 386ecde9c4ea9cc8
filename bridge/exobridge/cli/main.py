"""The commands and where they live."""

from __future__ import annotations

import typer

from exobridge.cli.call import call
from exobridge.cli.calls import calls
from exobridge.cli.demo import demo
from exobridge.cli.serve import serve

app = typer.Typer(
    name="exobridge",
    help="Joins Exotel phone calls to voice AI.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(serve)
app.command()(call)
app.command()(demo)
app.command()(calls)


@app.callback()
def _root() -> None: ...


def main() -> None:
    """Run the command line."""
    app()
