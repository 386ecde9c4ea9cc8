"""What the database knows of numbers, and of what Exotel asked. Nothing of it is changed."""

from __future__ import annotations

from dataclasses import dataclass

from exobridge.doctor.finding import Finding, info
from exobridge.settings import Settings
from exobridge.store import StoreError
from exobridge.store.numbers import NumberRow
from exobridge.store.peek import peek_numbers
from exobridge.store.visits import Visit


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept.

    Attributes:
        numbers: Besides those of the environment.
        visits: When each of our URLs was asked last.
    """

    numbers: tuple[NumberRow, ...] = ()
    visits: tuple[Visit, ...] = ()


async def read_kept(settings: Settings) -> tuple[Kept, list[Finding]]:
    """What is kept; nothing, with a finding that says so, where it cannot be read."""
    try:
        numbers, visits = await peek_numbers(settings.database_url.get_secret_value())
    except StoreError:
        found = "numbers and visits of the database: no server of this version has made it yet"
        return Kept(), [info("doctor.skipped", found, "Start exobridge serve once.")]
    return Kept(tuple(numbers), tuple(visits)), []
