"""Exotel's API, as an account on this machine plays it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exobridge.doctor.case import Case, Scope
from exobridge.doctor.exotel_account import look
from exobridge.doctor.finding import Finding, Level
from exobridge.settings import Settings
from exobridge.templates import Template
from tests.doctor.looking import NUMBER, levels, of, one
from tests.exotel_account import KEY, SID, TOKEN, FakeAccount, Fault, exotel_account

FLOW = f"http://my.exotel.com/{SID}/exoml/start_voice/"


async def looked(
    prepare: Callable[[FakeAccount], None] = lambda _: None, **variables: str
) -> tuple[list[Finding], FakeAccount]:
    """The findings of an account that was prepared so, and the account."""
    async with exotel_account() as account:
        prepare(account)
        settings = Settings.read({**account.variables, **variables})
        return await look(Case(settings, scope=Scope(online=True))), account


async def test_good_credentials_list_the_numbers_and_the_streams() -> None:
    """Asked with key and token, below the account's SID; however a number is written."""

    def prepare(account: FakeAccount) -> None:
        account.add_exophones("0" + NUMBER[3:])
        account.active, account.limit = 3, 100

    findings, account = await looked(prepare, EXOTEL_NUMBERS=f"{NUMBER}=default")
    assert levels(findings) == {
        **dict.fromkeys(("exotel.account", "exotel.numbers", "exotel.streams"), Level.OK),
        "exotel.flows": Level.WARNING,
    }
    assert one(findings, "exotel.streams").found == "3 of 100 are open"
    assert sorted(each.path for each in account.asked) == [
        f"/v1/Accounts/{SID}/ActiveStreams",
        f"/v2_beta/Accounts/{SID}/IncomingPhoneNumbers",
    ]
    assert {each.credentials for each in account.asked} == {f"{KEY}:{TOKEN}"}


async def test_a_number_of_another_account_is_told_masked() -> None:
    """And one of this account that nobody answers for; those of all pages count."""

    def prepare(account: FakeAccount) -> None:
        account.add_exophones("+919845099998", "+919845099999")
        account.page_size = 1

    findings, _ = await looked(prepare, EXOTEL_NUMBERS=f"{NUMBER}=default,09845099998=default")
    missing, unused = of(findings, "exotel.numbers")
    assert (missing.level, unused.level) == (Level.WARNING, Level.INFO)
    assert "+91*******345" in missing.found
    assert "+91*******999" in unused.found
    assert "998" not in missing.found + unused.found
    assert NUMBER[3:] not in missing.found + unused.found


@pytest.mark.parametrize(
    ("status", "level", "cure"),
    [
        (401, Level.ERROR, "EXOTEL_API_TOKEN"),
        (402, Level.ERROR, "Recharge"),
        (403, Level.ERROR, "KYC"),
        (404, Level.ERROR, "EXOTEL_SID"),
        (429, Level.WARNING, "later"),
        (500, Level.WARNING, "passes"),
        (418, Level.ERROR, "report"),
    ],
)
async def test_a_refusal_is_explained(status: int, level: Level, cure: str) -> None:
    """By its status, without a credential in it; it is asked once, as somebody waits."""

    def prepare(account: FakeAccount) -> None:
        account.fail(Fault(status, message=f"{KEY}:{TOKEN}"), where="IncomingPhoneNumbers")

    findings, account = await looked(prepare)
    refused = one(findings, "exotel.account")
    assert (refused.level, cure in refused.cure) == (level, True)
    assert str(status) in refused.found
    assert TOKEN not in refused.found + refused.cure
    assert account.count("IncomingPhoneNumbers") == 1


@pytest.mark.parametrize("body", [b"[]", b'{"incoming_phone_numbers": 7}', b"text", b"null"])
async def test_an_answer_that_is_none_is_told(body: bytes) -> None:
    """Whatever it is, nothing breaks."""

    def prepare(account: FakeAccount) -> None:
        account.fail(Fault(200, body=body), where="IncomingPhoneNumbers")

    findings, _ = await looked(prepare)
    assert of(findings, "exotel.account")


async def test_nobody_there_is_an_error() -> None:
    """With what to look at."""
    async with exotel_account() as account:
        url = account.url
    settings = Settings.read({**account.variables, "EXOTEL_API_URL": url})
    found = one(await look(Case(settings, scope=Scope(online=True))), "exotel.account")
    assert found.level is Level.ERROR
    assert "firewall" in found.cure


@pytest.mark.parametrize(
    ("active", "limit", "level", "says"),
    [
        (99, 100, Level.OK, "99 of 100"),
        (100, 100, Level.WARNING, "100 of 100"),
        (3, 20, Level.INFO, "MAX_CALLS is 50"),
        (3, 0, Level.INFO, "not told"),
    ],
)
async def test_the_accounts_limit_is_told(active: int, limit: int, level: Level, says: str) -> None:
    """Beside our own, where it is the lower one."""

    def prepare(account: FakeAccount) -> None:
        account.active, account.limit = active, limit

    findings, _ = await looked(prepare, MAX_CALLS="50")
    found = one(findings, "exotel.streams")
    assert (found.level, says in found.found) == (level, True)


async def test_streams_that_cannot_be_asked_for_are_worth_knowing() -> None:
    """Not every account may ask."""

    def prepare(account: FakeAccount) -> None:
        account.fail(Fault(403), where="ActiveStreams")

    findings, _ = await looked(prepare)
    assert one(findings, "exotel.account").level is Level.OK
    found = one(findings, "exotel.streams")
    assert (found.level, "403" in found.found) == (Level.INFO, True)


async def test_the_url_of_the_command_goes_before_the_settings() -> None:
    """So that a region can be tried."""
    async with exotel_account() as account, exotel_account() as other:
        scope = Scope(online=True, exotel_url=other.url)
        await look(Case(Settings.read(account.variables), scope=scope))
        assert (len(account.asked), len(other.asked)) == (0, 2)


async def test_without_credentials_nobody_is_asked() -> None:
    """That is an error where they are wanted."""
    assert await look(Case(Settings.read({}))) == []
    findings = await look(Case(Settings.read({}), scope=Scope(online=True)))
    assert one(findings, "exotel.account").level is Level.ERROR


@pytest.mark.parametrize(
    ("url", "level", "says"),
    [
        ("", Level.WARNING, "no flow is assigned"),
        (FLOW + "4711", Level.OK, "4711"),
        (FLOW + "12", Level.INFO, "4711"),
        ("https://bot.example.com/", Level.INFO, "something else"),
    ],
)
async def test_the_flow_of_each_number_is_told(url: str, level: Level, says: str) -> None:
    """Whether it has one, and whether it is the one that its calls should take."""
    async with exotel_account() as account:
        account.add_exophones(NUMBER)
        account.exophones[0]["voice_url"] = url
        settings = Settings.read({**account.variables, "EXOTEL_NUMBERS": f"{NUMBER}=shop"})
        shop = Template.model_validate({"telephony_config": {"applet_app_id": "4711"}})
        found = one(await look(Case(settings, {"shop": shop})), "exotel.flows")
    assert (found.level, says in found.found) == (level, True)
    assert NUMBER not in found.found


async def test_credentials_of_the_other_region_are_told() -> None:
    """They are tried there only after they were refused here."""
    async with exotel_account() as here, exotel_account() as there:
        here.key = "another"
        regions = {"singapore": here.url, "mumbai": there.url}
        settings = Settings.read({**there.variables, "EXOTEL_API_URL": here.url})
        findings = await look(Case(settings), regions)
        assert levels(findings) == dict.fromkeys(("exotel.account", "exotel.region"), Level.ERROR)
        assert one(findings, "exotel.region").cure == "EXOTEL_API_URL=mumbai"
        there.key = "another"
        assert levels(await look(Case(settings), regions)) == {"exotel.account": Level.ERROR}
