"""What Exotel asked, and whether calls could be placed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exobridge.doctor import number_checks, outbound_checks, visit_checks
from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, Level
from exobridge.doctor.kept import Kept, read_kept
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.numbers import NumberRow, NumberWish
from exobridge.store.visits import Visit
from exobridge.templates import Template
from tests.doctor.looking import NUMBER, levels, of, one
from tests.exophones.having import TWO, store_url
from tests.exotel_account import SID

NOW = datetime.now(UTC)
ACCOUNT = {"EXOTEL_API_KEY": "k", "EXOTEL_API_TOKEN": "t", "EXOTEL_SID": SID}


def visit(number: str = NUMBER, status: int = 200, endpoint: str = "/exotel/answer") -> Visit:
    """A URL that was asked a minute ago."""
    return Visit(endpoint, number, NOW - timedelta(minutes=1), status, 1)


def looked(*visits: Visit, numbers: str = f"{NUMBER}=default") -> list[Finding]:
    """The findings of these visits."""
    settings = Settings.read({"EXOTEL_NUMBERS": numbers})
    return visit_checks.look(Case(settings, {"default": Template()}, kept=Kept((), visits)))


def test_before_the_first_request_there_is_nothing_to_judge() -> None:
    """A server that was never called is no mistake."""
    assert levels(looked()) == {"visits.asked": Level.INFO}


def test_a_number_that_was_asked_for_is_well() -> None:
    """With when, and without its digits."""
    found = one(looked(visit()), "visits.asked")
    assert (found.level, "/exotel/answer" in found.found) == (Level.OK, True)
    assert NUMBER not in found.found


@pytest.mark.parametrize(
    ("visits", "level"),
    [
        ([visit(TWO)], Level.WARNING),
        ([visit(status=403)], Level.ERROR),
        ([visit(endpoint="/exotel/callback/status")], Level.WARNING),
    ],
)
def test_a_number_whose_flow_is_wrong_is_told(visits: list[Visit], level: Level) -> None:
    """Never asked for while others are; refused; asked only for callbacks."""
    found = one(looked(*visits), "visits.asked")
    assert (found.level, bool(found.cure)) == (level, True)


def test_a_request_without_its_secret_may_be_exotels() -> None:
    """Where its number is not told it is told by itself."""
    found = looked(visit(), visit("", 403, "/exotel/stream"))
    assert one(found, "visits.refused").level is Level.WARNING


def test_without_a_list_of_numbers_the_latest_is_told() -> None:
    """Every number is served then."""
    assert one(looked(visit(), numbers=""), "visits.asked").level is Level.OK


async def test_the_database_is_only_looked_into(tmp_path: Path) -> None:
    """One that is not there is not made, and an older one is not changed."""
    file = tmp_path / "exobridge.sqlite3"
    settings = Settings.read({"EXOBRIDGE_DATA_DIR": str(tmp_path)})
    assert await read_kept(settings) == (Kept(), [])
    assert not file.exists()
    file.write_bytes(b"")
    kept, findings = await read_kept(settings)
    assert (kept, levels(findings)) == (Kept(), {"doctor.skipped": Level.INFO})
    assert file.read_bytes() == b""


async def test_kept_numbers_are_looked_at_like_those_of_the_environment(tmp_path: Path) -> None:
    """With the templates that they have, and the one that is gone."""
    url = store_url(tmp_path)
    store = await Store.open(url)
    for number, template in ((NUMBER, "shop"), (TWO, "gone")):
        wish = NumberWish(template)
        await store.numbers.put(number, wish, NOW, only_new=True, keep_one=True)
    await store.visits.add([visit()])
    await store.aclose()
    settings = Settings.read({"DATABASE_URL": url})
    kept, findings = await read_kept(settings)
    case = Case(settings, {"default": Template(), "shop": Template()}, kept=kept)
    assert findings == []
    assert list(case.in_use) == ["shop"]
    found = number_checks.look(case)
    assert levels(found)["numbers.list"] is Level.OK
    assert "gone" in one(found, "numbers.template").found
    asked = of(visit_checks.look(case), "visits.asked")
    assert sorted(each.level for each in asked) == [Level.OK, Level.WARNING]


def outbound(**variables: str) -> list[Finding]:
    """What is found of calling out with one template."""
    settings = Settings.read({"EXOTEL_NUMBERS": f"{NUMBER}=default", **variables})
    return outbound_checks.look(Case(settings, {"default": Template()}))


def test_whether_calls_can_be_placed_is_told_where_there_is_an_account() -> None:
    """By which flow and at which hours, or what is missing."""
    assert outbound() == []
    lacking = outbound(**ACCOUNT)
    assert levels(lacking) == {"outbound.ready": Level.INFO, "outbound.callback": Level.WARNING}
    assert "EXOTEL_TEMPLATE_APPLET_APP_ID" in one(lacking, "outbound.ready").cure
    url = {"EXOBRIDGE_PUBLIC_URL": "https://bot.example.com", "EXOBRIDGE_SECRET": "s" * 32}
    [ready] = outbound(**ACCOUNT, **url, EXOTEL_TEMPLATE_APPLET_APP_ID="4711")
    assert (ready.level, "4711" in ready.found) == (Level.OK, True)
    assert "09:00 to 21:00 IST" in ready.found


def test_a_template_that_only_calls_out_is_looked_at() -> None:
    """No number has it, and it names the one that it calls from."""
    settings = Settings.read({"EXOTEL_NUMBERS": f"{NUMBER}=default", **ACCOUNT})
    calls = Template.model_validate({"outbound": {"caller_id": NUMBER}})
    case = Case(settings, {"default": Template(), "reminder": calls, "idle": Template()})
    told = [each.found.split(":")[0] for each in of(outbound_checks.look(case), "outbound.ready")]
    assert told == ["default", "reminder"]


def test_the_flow_of_a_number_is_enough_to_call_from_it() -> None:
    """It goes before the template's."""
    settings = Settings.read(ACCOUNT)
    row = NumberRow(NUMBER, "default", "", "4712", "", "", "", NOW, NOW, None)
    case = Case(settings, {"default": Template()}, kept=Kept((row,), ()))
    [ready] = of(outbound_checks.look(case), "outbound.ready")
    assert (ready.level, "4712" in ready.found) == (Level.OK, True)
    without = replace(case, kept=Kept((replace(row, applet_app_id=""),), ()))
    assert one(outbound_checks.look(without), "outbound.ready").level is Level.INFO
