"""What the commands that call out work with: the database, and the rules of the settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from exobridge.exophones import BookKeeper, LiveBook
from exobridge.outbound.checks import Ground
from exobridge.outbound.service import Outbound
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.templates import Templates


@dataclass(frozen=True, slots=True)
class CallingOut:
    """The parts."""

    store: Store
    outbound: Outbound


@asynccontextmanager
async def calling_out(settings: Settings, templates: Templates) -> AsyncGenerator[CallingOut]:
    """The parts, for the length of the block. A server that runs on the same database does what is
    put there.

    Raises:
        StoreError: The database cannot be used.
    """
    store = await Store.open(settings.database_url.get_secret_value())
    try:
        book = LiveBook(settings.numbers, templates)
        await BookKeeper(book, store.numbers).refresh()
        ground = Ground.of(settings, templates, book, book.applet_app_id_for)
        yield CallingOut(store, Outbound(store, lambda: ground))
    finally:
        await store.aclose()
