"""What the tests of numbers share: a store, an account, and a service over both."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exobridge.exophones import BookKeeper, LiveBook, Numbers
from exobridge.exotel.api import ExotelApi
from exobridge.numbers import NumberBook
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.templates import Template
from tests.database import migrated
from tests.exotel_account import SID, FakeAccount, exotel_account

ONE, TWO, THREE = "+918047112233", "+918047112244", "+918047112255"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TEMPLATES = {name: Template() for name in ("default", "shop", "night")}


def store_url(folder: Path) -> str:
    """The URL of a database in this folder, which is there."""
    migrated(folder / "numbers.sqlite3")
    return f"sqlite+aiosqlite:///{folder / 'numbers.sqlite3'}"


@dataclass(slots=True)
class House:
    """One process.

    Attributes:
        now: The time of day; it goes on by a second whenever it is asked.
    """

    store: Store
    book: LiveBook
    keeper: BookKeeper
    account: FakeAccount
    now: datetime = NOW
    numbers: Numbers = field(init=False)

    def clock(self) -> datetime:
        """The time of day."""
        self.now += timedelta(seconds=1)
        return self.now


@asynccontextmanager
async def house(
    folder: Path, environment: str = "", *, credentials: bool = True
) -> AsyncGenerator[House]:
    """A process with these numbers in its environment, on the folder's database."""
    async with AsyncExitStack() as exits:
        account = await exits.enter_async_context(exotel_account())
        store = await Store.open(store_url(folder))
        exits.push_async_callback(store.aclose)
        book = LiveBook(NumberBook.parse(environment), TEMPLATES)
        keeper = BookKeeper(book, store.numbers, period_seconds=0.02)
        await keeper.refresh()
        api = ExotelApi.of(Settings.read(account.variables if credentials else {}))
        if api is not None:
            exits.push_async_callback(api.aclose)
        made = House(store, book, keeper, account)
        made.numbers = Numbers(
            store,
            book.environment,
            lambda: book.in_force,
            api,
            SID,
            made.clock,
            keeper.refresh,
        )
        yield made
