"""What a server has of numbers: the book in force, its service, and what is counted of visits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from exobridge.exophones.book import BookKeeper, LiveBook
from exobridge.exophones.service import Numbers
from exobridge.exophones.visits import Visits
from exobridge.exotel.api import ExotelApi
from exobridge.observe.watch import Watchers
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.templates import Templates


@dataclass(frozen=True, slots=True)
class Exophones:
    """The parts.

    Attributes:
        book: Asked by calls.
        numbers: Lists and changes them.
        visits: Counts what Exotel asks, per number.
    """

    book: LiveBook
    numbers: Numbers
    visits: Visits


@asynccontextmanager
async def open_exophones(
    settings: Settings,
    templates: Templates,
    store: Store,
    api: ExotelApi | None,
    watchers: Watchers,
    clock: Callable[[], datetime],
) -> AsyncGenerator[Exophones]:
    """The parts, kept up to date and written for the length of the block.

    Raises:
        StoreError: The database does not answer.
    """
    book = LiveBook(settings.numbers, templates)
    keeper = BookKeeper(book, store.numbers)
    visits = Visits(store.visits, book, clock)
    numbers = Numbers(
        store,
        settings.numbers,
        lambda: book.in_force,
        api,
        settings.exotel_sid,
        clock,
        keeper.refresh,
    )
    await keeper.refresh()
    async with AsyncExitStack() as exits:
        exits.push_async_callback(keeper.aclose)
        exits.push_async_callback(visits.aclose)
        watchers.add(visits)
        keeper.start()
        visits.start()
        yield Exophones(book, numbers, visits)
