"""``exobridge provider new``: a package of one's own that works, to be made a vendor's."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from exobridge.cli.problems import USAGE
from exobridge_providers.registry import BUILT_IN, Kind
from exobridge_providers.skeleton import package_of, wrong_name


class NewKind(StrEnum):
    """What a new package can be for."""

    STT = "stt"
    TTS = "tts"


def new(
    name: Annotated[str, typer.Argument(help="The provider's name, as templates will say it.")],
    kind: Annotated[NewKind, typer.Option(help="What it is for.")],
    into: Annotated[
        Path | None,
        typer.Option(help="The folder to make; it must not be there. Without it: NAME-exobridge."),
    ] = None,
) -> None:
    """Write a package with a provider, a fake of its vendor, and tests that pass.

    The vendor in it is made up; put yours in its place. Nothing is overwritten.
    """
    if problem := wrong_name(name):
        raise typer.BadParameter(f"a name {problem}", param_hint="NAME")
    if name in BUILT_IN[Kind(kind)]:
        raise typer.BadParameter(f"{name} is a built-in provider's", param_hint="NAME")
    folder = into or Path(f"{name}-exobridge")
    files = {folder / path: text for path, text in package_of(kind, name).items()}
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise typer.BadParameter(f"{folder} is there already", param_hint="--into")
        for place, text in files.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
    except OSError as error:
        typer.secho(f"{folder} cannot be written: {error}", fg="red", err=True)
        raise typer.Exit(USAGE) from None
    typer.echo("\n".join(map(str, files)))  # after all are there: a reader may be gone
    typer.echo(
        f"\nNext:\n  cd {folder}\n  pip install -e . pytest\n  pytest\n"
        f"  exobridge provider check {name}",
        err=True,
    )
