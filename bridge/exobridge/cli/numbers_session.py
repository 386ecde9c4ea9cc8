"""What the commands about numbers work with: the settings' database, templates and account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import typer

from exobridge import log
from exobridge.cli.environment import pass_on
from exobridge.cli.problems import config_problems
from exobridge.exophones import NumberError, Numbers
from exobridge.exotel.api import ExotelApi, ExotelError
from exobridge.settings import Settings, load_variables
from exobridge.store import Store
from exobridge.templates import Templates, load_templates

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Session:
    """One command's."""

    settings: Settings
    templates: Templates
    numbers: Numbers

    @property
    def now(self) -> datetime:
        """The time of day."""
        return datetime.now(UTC)


def run(work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
    """Do something with the numbers; what goes wrong becomes lines for a human.

    Raises:
        typer.Exit: 2 if the settings, templates or the database cannot be used, 1 if it was
            refused, here or by Exotel.
    """
    with config_problems():
        try:
            return asyncio.run(_worked(work))
        except NumberError as error:
            typer.secho(str(error), fg="red", err=True)
        except ExotelError as error:
            typer.secho(f"{error.problem}. {error.cure}", fg="red", err=True)
    raise typer.Exit(1)


async def _worked(work: Callable[[Session], Awaitable[ResultT]]) -> ResultT:
    async with _opened() as session:
        return await work(session)


@asynccontextmanager
async def _opened() -> AsyncGenerator[Session]:
    variables = load_variables()
    pass_on(variables)
    settings = Settings.read(variables)
    log.configure(settings.log_format, settings.log_level, settings.secrets())
    templates = load_templates(settings.templates_dir, settings)
    async with AsyncExitStack() as exits:
        store = await Store.open(settings.database_url.get_secret_value())
        exits.push_async_callback(store.aclose)
        api = ExotelApi.of(settings)
        if api is not None:
            exits.push_async_callback(api.aclose)
        numbers = Numbers(
            store,
            settings.numbers,
            lambda: templates,
            api,
            settings.exotel_sid,
            lambda: datetime.now(UTC),
        )
        yield Session(settings, templates, numbers)
