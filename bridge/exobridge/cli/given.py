"""Which options of a command were typed."""

from __future__ import annotations

import typer


def given_options(context: typer.Context) -> list[str]:
    """Their parameters' names; those that have their defaults are left out."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source and source.name != "DEFAULT"]
