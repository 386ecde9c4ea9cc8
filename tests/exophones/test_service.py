"""Numbers, changed and compared with an account."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exobridge.exophones import NumberError
from exobridge.exotel.api import ForbiddenError
from exobridge.store.numbers import LastServedError, NumberWish
from tests.exophones.having import ONE, THREE, TWO, house
from tests.exotel_account import SID, Fault

SHOP, NIGHT, NOBODY = NumberWish("shop"), NumberWish("night"), NumberWish(None)
FLOW = f"http://my.exotel.com/{SID}/exoml/start_voice/"


async def test_a_number_is_kept_as_it_was_said_last(tmp_path: Path) -> None:
    """However it is written; what is left out is empty again."""
    async with house(tmp_path) as here:
        name = "श्री\u200d desk"  # joiners are a part of how Indian languages are written
        own, is_new = await here.numbers.put("0" + ONE[3:], NumberWish("shop", name, "12"))
        assert (own.number, own.template, own.name, own.applet_app_id, is_new) == (
            *(ONE, "shop", name, "12"),
            True,
        )
        own, is_new = await here.numbers.put(ONE, NIGHT)
        assert (own.template, own.name, own.applet_app_id, is_new) == ("night", "", "", False)
        assert own.created_at is not None
        assert own.updated_at is not None
        assert own.updated_at > own.created_at
        assert here.book.template_for(ONE) == "night"


@pytest.mark.parametrize(
    ("number", "wish", "kind", "field"),
    [
        ("12", SHOP, "no-number", "number"),
        ("anonymous", SHOP, "no-number", "number"),
        (THREE, SHOP, "read-only", ""),
        (ONE, NumberWish("shoq"), "unknown-template", "template"),
        (ONE, NumberWish("shop", "a" * 101), "bad-value", "name"),
        (ONE, NumberWish("shop", "a\nb"), "bad-value", "name"),
        (ONE, NumberWish("shop", "", "a b"), "bad-value", "applet_app_id"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    tmp_path: Path, number: str, wish: NumberWish, kind: str, field: str
) -> None:
    """With the field that is wrong, and without a number that is not masked."""
    async with house(tmp_path, f"{THREE}=night") as here:
        with pytest.raises(NumberError) as caught:
            await here.numbers.put(number, wish)
        assert (caught.value.kind, caught.value.field) == (kind, field)
        assert THREE not in str(caught.value)
        assert "shop" in str(caught.value) or kind != "unknown-template"
        assert [own.number for own in await here.numbers.listed()] == [THREE]


async def test_a_number_is_added_once(tmp_path: Path) -> None:
    """Who wants a new one is told that it is there, and it stays as it is."""
    async with house(tmp_path) as here:
        await here.numbers.put(ONE, SHOP, only_new=True)
        with pytest.raises(NumberError, match="already"):
            await here.numbers.put(ONE, NIGHT, only_new=True)
        assert (await here.numbers.find(ONE)).template == "shop"


async def test_the_door_is_not_opened_by_accident(tmp_path: Path) -> None:
    """The last number that somebody answers for goes only if that is said."""
    async with house(tmp_path) as here:
        await here.numbers.put(ONE, SHOP)
        await here.numbers.put(TWO, NOBODY)
        for taken in (here.numbers.remove(ONE), here.numbers.put(ONE, NOBODY)):
            with pytest.raises(NumberError) as caught:
                await taken
            assert caught.value.kind == "last-number"
        assert here.book.template_for(THREE) is None
        await here.numbers.remove(TWO)
        await here.numbers.remove(ONE, allow_none=True)
        assert here.book.template_for(THREE) == "default"


async def test_two_who_take_the_last_ones_at_once_leave_one(tmp_path: Path) -> None:
    """Whatever the order, in two processes."""
    async with house(tmp_path) as here, house(tmp_path) as there:
        await here.numbers.put(ONE, SHOP)
        await here.numbers.put(TWO, SHOP)
        taken = await asyncio.gather(
            here.store.numbers.remove(ONE, keep_one=True),
            there.store.numbers.remove(TWO, keep_one=True),
            return_exceptions=True,
        )
        assert sorted(map(repr, taken)) == sorted(map(repr, (True, LastServedError())))


async def test_beside_the_environments_numbers_every_other_one_may_go(tmp_path: Path) -> None:
    """They keep the door closed, and stay themselves."""
    async with house(tmp_path, f"{THREE}=night") as here:
        await here.numbers.put(ONE, SHOP)
        await here.numbers.remove(ONE)
        assert (here.book.template_for(ONE), here.book.template_for(THREE)) == (None, "night")
        for number, kind in ((THREE, "read-only"), (ONE, "unknown-number")):
            with pytest.raises(NumberError) as caught:
                await here.numbers.remove(number)
            assert caught.value.kind == kind


async def test_what_the_account_tells_changes_nobody_who_is_served(tmp_path: Path) -> None:
    """New numbers come without a template, known ones keep what was said, gone ones are marked."""
    async with house(tmp_path, f"{THREE}=night") as here:
        here.account.add_exophones("0" + ONE[3:], TWO)
        await here.numbers.put(ONE, NumberWish("shop", "Desk"))
        await here.numbers.put("+918047112266", SHOP)
        synced = await here.numbers.sync()
        assert (synced.added, synced.changed) == ((TWO,), (ONE,))
        assert synced.missing == (THREE, "+918047112266")
        told = {own.number: own for own in await here.numbers.listed()}
        assert (told[ONE].name, told[ONE].template, told[ONE].in_account) == ("Desk", "shop", True)
        assert (told[TWO].name, told[TWO].template) == ("Number 1", None)
        assert told["+918047112266"].in_account is False
        assert here.book.template_for(TWO) is None

        again = await here.numbers.sync()
        assert (again.added, again.changed) == ((), ())
        here.account.exophones = here.account.exophones[1:]
        here.account.exophones[0]["voice_url"] = f"{FLOW}77"
        later = await here.numbers.sync()
        assert (later.changed, ONE in later.missing) == ((ONE, TWO), True)
        told = {own.number: own for own in await here.numbers.listed()}
        assert (told[ONE].in_account, told[ONE].template) == (False, "shop")
        assert told[TWO].flow_app_id == "77"


async def test_a_look_at_the_account_keeps_nothing(tmp_path: Path) -> None:
    """It tells of all numbers, here and there."""
    async with house(tmp_path, f"{THREE}=night") as here:
        here.account.add_exophones(TWO, ONE)
        await here.numbers.put(ONE, NumberWish("shop", "Desk"))
        seen = {own.number: (own.in_account, own.name) for own in await here.numbers.seen()}
        assert seen == {ONE: (True, "Desk"), TWO: (True, "Number 0"), THREE: (False, "")}
        assert [(row.number, row.synced_at) for row in await here.store.numbers.listed()] == [
            (ONE, None)
        ]


async def test_a_flow_is_assigned_at_the_account(tmp_path: Path) -> None:
    """Of the environment's numbers too; the number's own flow is taken where none is named."""
    async with house(tmp_path, f"{THREE}=night") as here:
        here.account.add_exophones(THREE, ONE)
        await here.numbers.put(ONE, NumberWish("shop", "Desk", "4711"))
        assert (await here.numbers.assign(THREE, "99")).flow_app_id == "99"
        own = await here.numbers.assign(ONE)
        assert (own.flow_app_id, own.name, own.exophone_sid) == ("4711", "Desk", "exophone-1")
        assert [each["voice_url"] for each in here.account.exophones] == [
            f"{FLOW}99",
            f"{FLOW}4711",
        ]


async def test_a_flow_that_cannot_be_assigned_is_refused(tmp_path: Path) -> None:
    """Each time for its own reason, and the account is as it was."""
    async with house(tmp_path) as here:
        here.account.add_exophones(ONE)
        await here.numbers.put(ONE, SHOP)
        await here.numbers.put(TWO, NumberWish("shop", "", "4711"))
        cases = [(ONE, "", "no-flow"), (TWO, "", "not-in-account"), (THREE, "1", "unknown-number")]
        for number, app_id, kind in [*cases, (ONE, "a/b", "bad-value")]:
            with pytest.raises(NumberError) as caught:
                await here.numbers.assign(number, app_id)
            assert caught.value.kind == kind
        here.account.fail(Fault(403), where="exophone-0")
        with pytest.raises(ForbiddenError):
            await here.numbers.assign(ONE, "4711")
        assert here.account.exophones[0]["voice_url"] == ""
        assert (await here.numbers.find(ONE)).flow_url == ""


async def test_without_credentials_the_account_is_not_asked(tmp_path: Path) -> None:
    """All that needs none goes on."""
    async with house(tmp_path, credentials=False) as here:
        await here.numbers.put(ONE, SHOP)
        for asking in (here.numbers.sync(), here.numbers.seen(), here.numbers.assign(ONE, "1")):
            with pytest.raises(NumberError, match="EXOTEL_API_KEY"):
                await asking
