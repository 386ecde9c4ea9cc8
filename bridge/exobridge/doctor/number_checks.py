"""The ExoPhones. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok
from exobridge.numbers import DEFAULT_TEMPLATE, mask

INDIA = "+91"


def look(case: Case) -> list[Finding]:
    """Which number has which template; that each is a number and stands once is seen when the
    settings are read."""
    return list(_numbers(case))


def _numbers(case: Case) -> Iterator[Finding]:
    entries = case.book.entries
    if entries is None:
        found = f'EXOTEL_NUMBERS is not set: every number gets the template "{DEFAULT_TEMPLATE}"'
        yield info("numbers.list", found, "EXOTEL_NUMBERS=+91…=default")
        return
    listed = ", ".join(f"{mask(number)}={name}" for number, name in entries.items())
    yield ok("numbers.list", f"{len(entries)}: {listed}")
    for number, name in entries.items():
        if case.templates is not None and name not in case.templates:
            found = f"{mask(number)} has the template {name}, which is gone: its calls are refused"
            cure = f"Put {name}.toml back, or: exobridge numbers add NUMBER --template NAME"
            yield error("numbers.template", found, cure)
        if not number.startswith(INDIA):
            found = f"{mask(number)} is not Indian: exobridge is tried with Indian numbers"
            yield info("numbers.foreign", found)
