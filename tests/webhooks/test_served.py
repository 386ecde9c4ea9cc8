"""The whole server tells of real calls, and the API of what it told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from exobridge.simulator import CallPlan, Exotel, Say
from exobridge.webhooks import delivery
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.process import server
from tests.routing.asking import asked
from tests.server import LINE, QUICK, http_client, serving, until
from tests.webhooks.world import SECRET, accepted

KEY = "a-key-of-the-api-of-the-tests"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}


def given(crm: FakeHttp) -> dict[str, Any]:
    """The settings of a receiver."""
    return {"WEBHOOK_URL": f"{crm.url}/hook", "WEBHOOK_SIGNING_SECRET": SECRET}


async def test_a_call_is_told_and_can_be_told_again(tmp_path: Path) -> None:
    """From its beginning to its recording, with what was said; the API lists, shows and sends it
    again; the log holds no secret."""
    async with (
        FakeHttp().listening() as crm,
        serving(tmp_path, **given(crm), EXOBRIDGE_API_KEY=KEY) as running,
        http_client(running.url) as http,
        Exotel() as exotel,
    ):
        crm.replies["/hook"] = [Reply(200)]
        plan = CallPlan(url=running.url, script=(Say(LINE),), call_sid="c1", patience=QUICK)
        await exotel.call(plan)
        await until(lambda: told_of(crm)[-1:] == ["call.ended"])
        told = told_of(crm)
        assert told[0] == "call.started"
        assert told.count("call.ended") == 1
        assert len([kind for kind in told if kind == "call.turn"]) >= 2

        async def ask(method: str, path: str, **more: Any) -> Any:
            answer = await http.request(method, path, headers=AUTHORIZED, **more)
            return answer.status_code, answer.json()

        async def all_done() -> bool:
            _, page = await ask("GET", "/api/v1/webhooks", params={"state": "done"})
            return len(page["items"]) == len(told)

        await until(all_done)
        query = {"call_sid": "c1", "limit": "2"}
        _, page = await ask("GET", "/api/v1/webhooks", params=query)
        assert [each["type"] for each in page["items"]] == list(reversed(told))[:2]
        query["after"] = page["next"]
        _, page = await ask("GET", "/api/v1/webhooks", params=query)
        assert [each["type"] for each in page["items"]] == list(reversed(told))[2:4]
        ended = accepted(crm)[-1]
        one = f"/api/v1/webhooks/{ended['id']}"
        _, shown = await ask("GET", one)
        assert (shown["data"], shown["sequence"]) == (ended["data"], ended["sequence"])
        status, again = await ask("POST", f"{one}/replay")
        assert (status, again["id"]) == (200, ended["id"])
        assert again["attempts"] <= 1  # it may be under way again by now
        await until(lambda: len(crm.received) == len(told) + 1)
        assert accepted(crm)[-1] == ended
        await until(all_done)
        assert (await ask("POST", "/api/v1/webhooks/wh_none/replay"))[0] == 404
        assert (await ask("POST", "/api/v1/webhooks/replay", json={}))[0] == 422
        status, count = await ask("POST", "/api/v1/webhooks/replay", json={"call_sid": "c1"})
        assert (status, count) == (200, {"count": len(told)})
        await until(lambda: len(crm.received) == 2 * len(told) + 1)
        assert told_of(crm)[len(told) + 1 :] == told
        sent = 'exobridge_webhooks_total{outcome="taken",type="call.ended"} 3.0'

        async def is_counted() -> bool:
            return sent in (await http.get("/metrics")).text

        await until(is_counted)
        for secret in (SECRET, f"{crm.url}/hook"):
            assert secret not in running.text.getvalue()


def told_of(crm: FakeHttp) -> list[str]:
    """The types of what was told, signatures checked."""
    return [told["type"] for told in accepted(crm)]


async def test_a_server_that_is_killed_tells_everything(tmp_path: Path) -> None:
    """With SIGKILL, in the midst of it: what was being sent, what waited, and what stood behind it
    is told after the next start, in order for each call."""
    async with FakeHttp().listening() as crm:
        crm.replies["/hook"] = [*[Reply(200)] * 3, Reply(delay_seconds=60)]
        more: dict[str, Any] = {
            **given(crm),
            "WEBHOOK_EVENTS": "call.started,call.ended",
            "MAX_CALLS": "100",
        }
        more["UNUSED_SLOT_SECONDS"] = "1"  # nobody opens a stream: a call ends by itself
        calls = {f"c{number}" for number in range(20)}
        async with server(tmp_path, **more) as first, http_client(first.url) as http:
            for call_sid in sorted(calls):
                assert (await asked(http, "/exotel/answer", call_sid)).is_success
            await until(lambda: len(crm.received) >= 3 + delivery.AT_ONCE)
            first.process.kill()
            await first.process.wait()
        crm.replies["/hook"] = [Reply(200)]
        database = tmp_path / "data" / "exobridge.sqlite3"
        with closing(sqlite3.connect(database)) as connection, connection:  # a minute later
            connection.execute("UPDATE jobs SET leased_until = created_at WHERE state = 'running'")
        async with server(tmp_path, **more):
            await until(lambda: ended(crm) == calls, lambda: len(crm.received))
        seen: dict[str, list[str]] = {}
        for told in accepted(crm):
            kinds = seen.setdefault(told["data"]["call"]["sid"], [])
            if told["type"] not in kinds:
                kinds.append(told["type"])
        assert all(kinds == ["call.started", "call.ended"] for kinds in seen.values())


def ended(crm: FakeHttp) -> set[str]:
    """The calls whose end was told."""
    told = accepted(crm)
    return {each["data"]["call"]["sid"] for each in told if each["type"] == "call.ended"}
