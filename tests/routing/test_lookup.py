"""Look-ups on a server: once for a call, within a limit, and whatever the application does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from exobridge.routing import lookup
from exobridge.routing.answer import LookupAnswer
from exobridge.routing.applications import Applications
from exobridge.routing.facts import Facts
from exobridge.routing.lookup import LookupFailedError, Lookups
from exobridge.templates.routing import LookupTable
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.routing.asking import VIP, asked, replied, routed
from tests.server import http_client, serving, until

RULES = """
[lookup]
url = "{url}/caller"
timeout_ms = {ms}
on_failure = {{ branch = "b", say = "Ask again later." }}

[[routes]]
name = "known"
when = {{ lookup = {{ known = true }} }}
then = {{ say = "Welcome." }}
"""

FAULTS = {
    "slow": Reply(delay_seconds=5),
    "slow-body": Reply(parts=[b'{"known":', 5.0, b"true}"]),
    "cut": Reply(drop="head"),
    "cut-body": Reply(parts=[b'{"known": true'], drop="body"),
    "broken": Reply(status=500),
    "forbidden": Reply(status=403),
    "moved": Reply(status=302, headers={"location": "/elsewhere"}),
    "garbage": Reply(parts=[b"<html>"]),
    "list": Reply(parts=[b"[]"]),
    "endless": Reply(for_ever=b" " * 1000),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_takes_the_configured_branch(fault: str, tmp_path: Path) -> None:
    """Within the limit, at every endpoint; the log says why, without a number."""
    async with FakeHttp().listening() as crm:
        crm.replies["/caller"] = [FAULTS[fault]]
        template = routed(RULES.format(url=crm.url, ms=150))
        async with (
            serving(tmp_path, {"default": template}) as server,
            http_client(server.url) as http,
        ):
            assert (await asked(http, "/exotel/passthru", "c1", VIP)).status_code == 302
            greeting = await asked(http, "/exotel/greeting", "c2", VIP)
            assert (greeting.status_code, greeting.text) == (200, "Ask again later.")
            assert (await asked(http, "/exotel/answer", "c3", VIP)).status_code == 302
            failed = server.log("lookup failed")
            assert [entry["call_sid"] for entry in failed] == ["c1", "c2", "c3"]
            assert all(entry["error"] for entry in failed)
            (routed_entry,) = server.log("routed", call_sid="c1")
            assert (routed_entry["rule"], routed_entry["branch"]) == ("lookup failed", "b")


async def test_an_application_that_is_not_there_is_a_fault_like_others(tmp_path: Path) -> None:
    """Nobody listens on its port."""
    async with FakeHttp().listening() as crm:
        url = crm.url
    template = routed(RULES.format(url=url, ms=500))
    async with (
        serving(tmp_path, {"default": template}) as server,
        http_client(server.url) as http,
    ):
        assert (await asked(http, "/exotel/passthru", "c1", VIP)).status_code == 302
        (failed,) = server.log("lookup failed")
        assert failed["error"].startswith("cannot be reached")


async def test_a_missing_variable_is_told_before_any_call(tmp_path: Path) -> None:
    """The server is not ready and names it; calls take the configured branch."""
    rules = RULES.format(url="http://127.0.0.1:1", ms=500)
    rules = rules.replace("timeout_ms", 'headers = { x = "${NO_SUCH_TOKEN}" }\ntimeout_ms')
    async with (
        serving(tmp_path, {"default": routed(rules)}) as server,
        http_client(server.url) as http,
    ):
        ready = await http.get("/health/ready")
        assert ready.status_code == 503
        assert "NO_SUCH_TOKEN" in ready.text
        assert (await asked(http, "/exotel/passthru", "c1", VIP)).status_code == 302


async def test_a_call_is_looked_up_once(tmp_path: Path) -> None:
    """Ten at once and one more later ask the application once; other keys, or another call, ask
    anew; and what the stream will do was decided with the answer."""
    async with FakeHttp().listening() as crm:
        crm.replies["/caller"] = [replied({"known": True}, delay_seconds=0.05)]
        template = routed(RULES.format(url=crm.url, ms=2000))
        async with (
            serving(tmp_path, {"default": template}) as server,
            http_client(server.url) as http,
        ):
            answers = await asyncio.gather(
                *(asked(http, "/exotel/greeting", "c1", VIP) for _ in range(10))
            )
            assert {answer.text for answer in answers} == {"Welcome."}
            assert (await asked(http, "/exotel/passthru", "c1", VIP)).status_code == 200
            assert (await asked(http, "/exotel/answer", "c1", VIP)).status_code == 200
            assert len(crm.received) == 1
            await asked(http, "/exotel/passthru", "c1", VIP, digits="1")
            assert len(crm.received) == 2
            await asked(http, "/exotel/passthru", "c2", VIP)
            assert len(crm.received) == 3
            call = await server.kept("c1")
            assert (call.routed.rule, call.routed.say) == ("known", "Welcome.")


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """In seconds."""
        return self.seconds


async def test_answers_are_remembered_for_a_while_and_not_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After ten minutes it is asked again, and of too many the oldest is forgotten; a failure is
    not remembered at all."""
    monkeypatch.setattr(lookup, "MAX_REMEMBERED", 3)
    applications, clock = Applications(), Clock()
    async with FakeHttp().listening() as crm:
        table = LookupTable(url=f"{crm.url}/caller", timeout_ms=2000)
        lookups = Lookups(applications, clock)
        crm.replies["/caller"] = [Reply(500), replied({"n": 1})]
        with pytest.raises(LookupFailedError, match="status 500"):
            await lookups.ask("t", table, Facts("c0"))
        for call_sid in ("c0", "c0", "c1", "c2", "c0", "c3"):
            assert (await lookups.ask("t", table, Facts(call_sid))).values == {"n": "1"}
        assert len(crm.received) == 5
        await lookups.ask("t", table, Facts("c0"))
        assert len(crm.received) == 5
        await lookups.ask("t", table, Facts("c1"))
        assert len(crm.received) == 6
        clock.seconds = lookup.REMEMBERED_SECONDS
        await lookups.ask("t", table, Facts("c1"))
        assert len(crm.received) == 7
        await lookups.aclose()
        await applications.aclose()


HOOKS = """
import asyncio

async def good(call):
    return {"known": call["call"]["caller"] == ""}

async def nothing(call):
    return None

async def wrong(call):
    return ["x"]

async def broken(call):
    raise ValueError(call["call"]["sid"])

async def slow(call):
    await asyncio.sleep(5)

async def stubborn(call):
    for _ in range(20):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass

def plain(call):
    return {}
"""


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of functions, and where it is."""
    (tmp_path / "hooks_of_a_test.py").write_text(HOOKS, "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    sys.modules.pop("hooks_of_a_test", None)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("good", {"known": "true"}),
        ("nothing", {}),
        ("wrong", "the answer is no object"),
        ("broken", "ValueError at hooks_of_a_test.py:14"),
        ("slow", "no answer within 100 ms"),
        ("stubborn", "no answer within 100 ms"),
        ("plain", "is no async def"),
        ("missing", "could not be imported: AttributeError"),
    ],
)
async def test_a_function_is_asked_like_a_url(name: str, outcome: object, hooks: str) -> None:
    """Its answer, its faults and its time are bounded alike; the error says where, and not what was
    in the exception."""
    lookups = Lookups(Applications(), asyncio.get_running_loop().time)
    table = LookupTable(hook=f"hooks_of_a_test:{name}", path=hooks, timeout_ms=100)
    if isinstance(outcome, dict):
        assert (await lookups.ask("t", table, Facts("secret-sid"))).values == outcome
    else:
        with pytest.raises(LookupFailedError) as caught:
            await lookups.ask("t", table, Facts("secret-sid"))
        assert str(outcome) in str(caught.value)
        assert "secret-sid" not in str(caught.value)
    await lookups.aclose()
    # One that will not be stopped ends by itself.
    await until(lambda: len(asyncio.all_tasks()) == 1)


async def test_who_waits_for_an_answer_is_told_when_the_server_stops() -> None:
    """A failure, and nothing is left running."""
    async with FakeHttp().listening() as crm:
        crm.replies["/caller"] = [Reply(delay_seconds=5)]
        applications = Applications()
        lookups = Lookups(applications, asyncio.get_running_loop().time)
        table = LookupTable(url=f"{crm.url}/caller", timeout_ms=2000)
        asking: asyncio.Task[LookupAnswer] = asyncio.create_task(
            lookups.ask("t", table, Facts("c"))
        )
        await until(lambda: bool(crm.received))
        await lookups.aclose()
        with pytest.raises(LookupFailedError):
            await asking
        await applications.aclose()
