"""The book of numbers in force."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from structlog.testing import capture_logs

from exobridge.exophones import LiveBook
from exobridge.numbers import NumberBook
from exobridge.store.numbers import NumberRow, NumberWish
from tests.database import rename
from tests.exophones.having import NOW, ONE, TEMPLATES, THREE, TWO, house
from tests.server import until


def row(number: str, template: str | None, app_id: str = "") -> NumberRow:
    """A number that is kept."""
    return NumberRow(number, template, "", app_id, "", "", "", NOW, NOW, None)


def book(environment: str = "", *rows: NumberRow) -> LiveBook:
    """A book of these."""
    return LiveBook(NumberBook.parse(environment), TEMPLATES, rows)


def test_the_environment_goes_before_what_is_kept() -> None:
    """And both are in force, however a number is written."""
    found = book(f"{ONE}=shop", row(ONE, "night"), row(TWO, "night"))
    assert found.template_for("0" + ONE[3:]) == "shop"
    assert found.template_for(TWO[1:]) == "night"
    assert found.template_for(THREE) is None
    assert found.templates == {"shop", "night"}
    assert found.entries == {ONE: "shop", TWO: "night"}


def test_a_number_that_the_account_alone_knows_closes_no_door() -> None:
    """As long as no number has a template, every number gets the default one."""
    found = book("", row(ONE, None))
    assert (found.is_set, found.template_for(THREE)) == (False, "default")
    assert found.templates == {"default"}
    found.use_rows([row(ONE, None), row(TWO, "shop")])
    assert (found.is_set, found.template_for(ONE), found.template_for(THREE)) == (True, None, None)


def test_a_number_whose_template_is_gone_is_served_by_nobody() -> None:
    """It is told once, and served again when the template is back."""
    with capture_logs() as logs:
        found = book("", row(ONE, "gone"), row(TWO, "shop"))
        found.use_rows([row(ONE, "gone")])
    assert [(each["event"], each["name"]) for each in logs] == [
        ("template of a number is gone", "gone")
    ]
    assert ONE not in str(logs)
    assert (found.template_for(ONE), found.is_set, found.templates) == (None, True, frozenset())
    found.use_templates({**TEMPLATES, "gone": TEMPLATES["shop"]})
    assert found.template_for(ONE) == "gone"


def test_templates_that_numbers_have_are_missed() -> None:
    """Those of the environment and those that are kept."""
    found = book(f"{ONE}=shop", row(TWO, "night"))
    assert found.missing({"default", "night"}) == ["shop"]
    assert found.missing(TEMPLATES) == []


def test_the_flow_of_a_number_is_its_own() -> None:
    """Empty where it has none."""
    found = book(f"{ONE}=shop", row(TWO, "night", "4711"))
    assert [found.applet_app_id_for(number) for number in (ONE, TWO, "x")] == ["", "4711", ""]


def test_who_makes_templates_ready_is_told_when_others_answer() -> None:
    """And not for a change of anything else."""
    told: list[frozenset[str]] = []
    found = book(f"{ONE}=shop")
    found.on_change(lambda: told.append(found.templates))
    found.use_rows([row(TWO, "shop")])
    found.use_rows([row(TWO, "shop", "4711"), row(THREE, "night")])
    assert told == [{"shop", "night"}]


async def test_a_change_of_another_process_is_heeded(tmp_path: Path) -> None:
    """Whatever it is: a number that comes, one that changes, one that goes."""
    async with house(tmp_path) as here, house(tmp_path) as there:
        here.keeper.start()
        try:
            await there.numbers.put(ONE, NumberWish("shop"))
            assert there.book.template_for(ONE) == "shop"
            await until(lambda: here.book.template_for(ONE) == "shop")
            await there.numbers.put(TWO, NumberWish("shop"))
            await until(lambda: here.book.template_for(TWO) == "shop")
            there.now -= timedelta(hours=1)  # a clock may be set back
            await there.numbers.put(ONE, NumberWish("night"))
            await until(lambda: here.book.template_for(ONE) == "night")
            await there.numbers.remove(ONE, allow_none=True)
            await there.numbers.remove(TWO, allow_none=True)
            await until(lambda: not here.book.is_set)
        finally:
            await here.keeper.aclose()


async def test_without_the_database_the_numbers_stay(tmp_path: Path) -> None:
    """It is told once, and heeded again once it answers."""
    async with house(tmp_path) as here:
        await here.numbers.put(ONE, NumberWish("shop"))
        with capture_logs() as logs:
            await rename(tmp_path / "numbers.sqlite3", "numbers", "hidden")
            here.keeper.start()
            try:
                await until(lambda: bool(logs))
                assert here.book.template_for(ONE) == "shop"
                await rename(tmp_path / "numbers.sqlite3", "hidden", "numbers")
                await here.store.numbers.put(
                    TWO, NumberWish("night"), here.clock(), only_new=True, keep_one=True
                )
                await until(lambda: here.book.template_for(TWO) == "night")
            finally:
                await here.keeper.aclose()
        assert [each["event"] for each in logs] == ["numbers not read"]
