"""When each of our URLs was asked last, per ExoPhone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exobridge.call import events
from exobridge.exophones.visits import (
    MAX_NUMBERS,
    MAX_WAITING,
    Visits,
    exophones_in,
    stated_exophone,
)
from exobridge.exotel.given import read_given
from exobridge.observe.watch import Webhook
from tests.database import rename
from tests.exophones.having import NOW, ONE, TWO, House, house

HUMAN = "+919811122233"
Counted = dict[tuple[str, str], tuple[int, int]]


def asked(
    *pairs: tuple[str, str], status: int = 200, endpoint: str = "/exotel/answer", minutes: int = 0
) -> Webhook:
    """A webhook that was answered."""
    at = NOW + timedelta(minutes=minutes)
    return Webhook(endpoint, "GET", "c1", "accept", status, at, 0.01, pairs)


def visits_of(here: House) -> Visits:
    """What counts for this process."""
    return Visits(here.store.visits, here.book, here.clock)


async def counted(here: House) -> Counted:
    """Status and count of all that was written, by URL and number."""
    return {
        (each.endpoint, each.number): (each.last_status, each.count)
        for each in await here.store.visits.listed()
    }


@pytest.mark.parametrize(
    ("pairs", "numbers"),
    [
        ([("CallFrom", HUMAN), ("CallTo", ONE)], [ONE, HUMAN]),
        ([("From", HUMAN), ("to", "0" + ONE[3:]), ("Direction", "incoming")], [ONE, HUMAN]),
        ([("CallFrom", ONE), ("CallTo", HUMAN), ("Direction", "outbound-dial")], [ONE, HUMAN]),
        ([("PhoneNumberSid", ONE), ("From", HUMAN), ("To", TWO)], [ONE, TWO, HUMAN]),
        ([("CallTo", "null"), ("CallFrom", "anonymous")], []),
    ],
)
def test_the_exophone_is_found_by_the_calls_direction(
    pairs: list[tuple[str, str]], numbers: list[str]
) -> None:
    """The likelier number first."""
    assert exophones_in(read_given(pairs)) == numbers


@pytest.mark.parametrize(
    ("pairs", "number"),
    [
        ([("PhoneNumberSid", ONE), ("From", HUMAN), ("To", TWO)], ONE),
        ([("CallFrom", HUMAN), ("CallTo", ONE), ("Direction", "incoming")], ONE),
        ([("CallFrom", ONE), ("CallTo", HUMAN), ("Direction", "outbound-dial")], ONE),
        ([("CallFrom", ONE), ("CallTo", HUMAN)], ""),
        ([("From", HUMAN), ("To", ONE), ("Direction", "outbound-api")], ""),
        ([("CallTo", "null"), ("Direction", "incoming")], ""),
    ],
)
def test_no_callers_number_passes_for_an_exophone(
    pairs: list[tuple[str, str]], number: str
) -> None:
    """Where no number is listed, one is taken only where there is no doubt."""
    assert stated_exophone(read_given(pairs)) == number


async def test_what_was_asked_is_added_up_per_number(tmp_path: Path) -> None:
    """With the latest status, however late it is told; by two processes too."""
    async with house(tmp_path, f"{ONE}=shop,{TWO}=night") as here:
        one, other = visits_of(here), visits_of(here)
        one.webhook(asked(("CallTo", ONE), ("CallFrom", HUMAN), minutes=2))
        one.webhook(asked(("CallTo", ONE), status=403, minutes=1))
        await one.flush()
        other.webhook(asked(("CallTo", ONE), status=500))
        other.webhook(asked(("CallTo", TWO), status=503, minutes=3))
        other.webhook(asked(("CallTo", HUMAN), endpoint="/exotel/passthru"))
        await other.flush()
        assert await counted(here) == {
            ("/exotel/answer", ONE): (200, 3),
            ("/exotel/answer", TWO): (503, 1),
            ("/exotel/passthru", ""): (200, 1),
        }


async def test_a_stream_is_a_visit_too(tmp_path: Path) -> None:
    """One that began tells its number, one that was refused does not."""
    async with house(tmp_path, f"{ONE}=shop") as here:
        visits = visits_of(here)
        visits.event(events.stream_started("c1", NOW, stream_sid="s1", called=ONE))
        visits.event(events.no_stream("c1", NOW))
        visits.stream_refused(403)
        await visits.flush()
        assert await counted(here) == {
            ("/exotel/stream", ONE): (101, 1),
            ("/exotel/stream", ""): (403, 1),
        }


async def test_while_no_number_is_listed_those_that_are_told_are_told_apart(
    tmp_path: Path,
) -> None:
    """Up to a bound, and not by who was refused."""
    async with house(tmp_path) as here:
        visits = visits_of(here)
        incoming = ("Direction", "incoming")
        visits.webhook(asked(("CallTo", TWO), incoming, status=403))
        for last in range(MAX_NUMBERS + 1):
            visits.webhook(asked(("CallTo", f"+9180471{last:05}"), incoming))
        await visits.flush()
        written = await counted(here)
        assert len(written) == MAX_NUMBERS + 1
        assert written["/exotel/answer", ""][1] == 2
        assert ("/exotel/answer", TWO) not in written


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """A flood takes no memory, and what was asked last is known."""
    async with house(tmp_path, f"{ONE}=shop") as here:
        visits = visits_of(here)
        for _ in range(MAX_WAITING + 5):
            visits.webhook(asked(("CallTo", ONE)))
        visits.webhook(asked(("CallTo", ONE), minutes=1, status=503))
        await visits.aclose()
        assert await counted(here) == {("/exotel/answer", ONE): (503, MAX_WAITING)}


async def test_what_cannot_be_written_is_written_later(tmp_path: Path) -> None:
    """It is told, and nothing is lost or counted twice."""
    async with house(tmp_path, f"{ONE}=shop") as here:
        visits = visits_of(here)
        visits.webhook(asked(("CallTo", ONE)))
        await rename(tmp_path / "numbers.sqlite3", "visits", "hidden")
        with capture_logs() as logs:
            await visits.flush()
        assert [each["event"] for each in logs] == ["visits not kept"]
        await rename(tmp_path / "numbers.sqlite3", "hidden", "visits")
        visits.webhook(asked(("CallTo", ONE), minutes=1, status=503))
        await visits.flush()
        assert await counted(here) == {("/exotel/answer", ONE): (503, 2)}
