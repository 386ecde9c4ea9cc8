"""``exobridge provider``: what providers there are, whether one is right, and a new one."""

from __future__ import annotations

import typer

from exobridge.cli.provider_check import check
from exobridge.cli.provider_list import list_providers
from exobridge.cli.provider_new import new

provider = typer.Typer(
    name="provider",
    help="List providers, check one, or begin one of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
provider.command("list")(list_providers)
provider.command("check")(check)
provider.command("new")(new)
