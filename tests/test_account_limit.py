"""Exotel's own limit of streams, asked for by a server that runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exobridge.account_limit import AccountWatch
from exobridge.exotel.api import ActiveStreams, ExotelApi
from exobridge.exotel.api.retry import READ
from exobridge.settings import Settings
from tests.cluster.together import entries, pids, together
from tests.exotel_account import FakeAccount, Fault, exotel_account
from tests.server import BOT, Server, bot, http_client, serving, until

ASK = {"CallFrom": "09811122233", "CallTo": "08047112233", "Direction": "incoming"}
Heeded = list[tuple[int, int | None, float]]
KNOWN, LIMIT = "exobridge_exotel_streams", "exobridge_exotel_streams_limit"


@asynccontextmanager
async def served(
    folder: Path, account: FakeAccount, template: str = BOT, seconds: str = "1"
) -> AsyncGenerator[Server]:
    """A server that asks this account every second."""
    async with serving(
        folder,
        {"default": template},
        EXOTEL_API_KEY=account.key,
        EXOTEL_API_TOKEN=account.token,
        EXOTEL_SID=account.sid,
        EXOTEL_API_URL=account.url,
        EXOTEL_STREAM_CHECK_SECONDS=seconds,
    ) as server:
        yield server


async def asked(url: str, call_sid: str) -> int:
    """The status that Exotel is answered, who asks about a call."""
    async with http_client(url) as http:
        response = await http.get("/exotel/answer", params={**ASK, "CallSid": call_sid})
        return response.status_code


async def told(account: FakeAccount, server: Server) -> None:
    """Wait until the account was asked once more and the answer is heeded."""
    before = account.count("ActiveStreams")
    await until(lambda: account.count("ActiveStreams") > before)
    watch = server.bridge.account
    assert watch is not None
    await until(lambda: watch.latest is not None and watch.latest.active == account.active)


async def metric(server: Server, name: str) -> float | None:
    """A metric without labels; ``None``: it has no value."""
    async with http_client(server.url) as http:
        lines = (await http.get("/metrics")).text.splitlines()
    return next((float(line.split()[1]) for line in lines if line.split()[0] == name), None)


async def test_a_full_account_takes_no_call(tmp_path: Path) -> None:
    """Busy, as above ``MAX_CALLS``, until streams of others have ended."""
    async with exotel_account() as account:
        account.active, account.limit = 9, 10
        async with served(tmp_path, account) as server:
            await told(account, server)
            assert await asked(server.url, "first") == 200
            assert await asked(server.url, "second") == 302
            assert await asked(server.url, "first") == 200
            assert server.log("webhook", call_sid="second")[0]["outcome"] == "refuse busy"
            assert (await metric(server, KNOWN), await metric(server, LIMIT)) == (9, 10)
            account.active = 3
            await told(account, server)
            assert await asked(server.url, "third") == 200


async def test_a_full_account_is_not_said_by_a_stream(tmp_path: Path) -> None:
    """A spoken refusal needs one, which would fail."""
    async with exotel_account() as account:
        account.active = account.limit = 10
        async with served(tmp_path, account, bot(refusal={"mode": "say"})) as server:
            await told(account, server)
            assert await asked(server.url, "c1") == 503


@asynccontextmanager
async def watching(account: FakeAccount) -> AsyncGenerator[tuple[AccountWatch, Heeded]]:
    """The account is asked twenty times a second; what is to be heeded is kept."""
    heeded: Heeded = []

    def heed(active: int, limit: int | None, seconds: float) -> None:
        heeded.append((active, limit, round(seconds, 3)))

    api = ExotelApi.of(Settings.read(account.variables), read=replace(READ, tries=1))
    assert api is not None
    async with api:
        watch = AccountWatch(api, heed, 0.05)
        watch.start()
        try:
            yield watch, heeded
        finally:
            await watch.aclose()


@pytest.mark.parametrize(
    "fault", [Fault(403), Fault(503), Fault(200, body=b"garbage"), Fault(how="reset")]
)
async def test_an_account_that_cannot_be_asked_forbids_nothing(fault: Fault) -> None:
    """It is told once, and again when it can be; an answer is heeded for three periods."""
    async with exotel_account() as account:
        account.active, account.limit = 3, 5
        account.fail(*[fault] * 3)
        with capture_logs() as logged:
            async with watching(account) as (watch, heeded):
                await until(lambda: bool(heeded))
                assert account.count("") >= 4
                assert watch.latest == ActiveStreams(3, 5)
                account.fail(*[fault] * 1000)
                await until(lambda: watch.latest is None)
    assert heeded[0] == (3, 5, 0.15)
    events = [each["event"] for each in logged if each["event"] != "exotel asked"]
    assert events == ["exotel streams unknown", "exotel streams known", "exotel streams unknown"]


async def test_streams_that_are_used_up_are_told_once_each_time() -> None:
    """And not again before there was room."""
    async with exotel_account() as account:
        account.active, account.limit = 5, 5
        with capture_logs() as logged:
            async with watching(account) as (watch, heeded):
                await until(lambda: len(heeded) > 2)
                account.active = 4
                await until(lambda: watch.latest == ActiveStreams(4, 5))
                account.active = 6
                await until(lambda: watch.latest == ActiveStreams(6, 5))
    told = [each for each in logged if each["event"] == "exotel streams used up"]
    assert [(each["active"], each["limit"]) for each in told] == [(5, 5), (6, 5)]
    assert {each["log_level"] for each in told} == {"warning"}


async def test_without_credentials_or_with_0_nobody_is_asked(tmp_path: Path) -> None:
    """The limit is then ours alone."""
    async with exotel_account() as account:
        async with served(tmp_path, account, seconds="0") as server:
            assert await asked(server.url, "c1") == 200
        assert account.asked == []
    async with serving(tmp_path) as server:
        assert server.bridge.account is None
        assert await metric(server, KNOWN) is None


async def test_of_several_workers_one_asks_for_all(tmp_path: Path) -> None:
    """And another one goes by it; a worker that dies is replaced, and asks on."""
    async with exotel_account() as account:
        account.active = account.limit = 5
        variables = {**account.variables, "EXOTEL_STREAM_CHECK_SECONDS": "1"}
        async with together(tmp_path, **variables) as serving:
            await until(lambda: account.count("ActiveStreams") > 1)
            for number in range(12):
                assert await asked(serving.url, f"full-{number}") == 302
            told = entries(serving, "webhook", outcome="refuse busy")
            assert {entry["worker"] for entry in told} == set(pids(serving))
            [full] = entries(serving, "exotel streams used up")
            assert full["worker"] == 0
