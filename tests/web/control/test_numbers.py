"""``/api/v1/numbers`` and ``/api/v1/visits``, over a whole server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from exobridge.server.reload import reload_templates
from tests.exophones.having import ONE, THREE, TWO
from tests.exotel_account import FakeAccount, Fault, exotel_account
from tests.server import BOT, Server, http_client, serving

ADMIN, OPERATOR, VIEWER = (
    "the-key-of-an-admin-01",
    "the-key-of-an-operator",
    "the-key-of-a-viewer-0",
)
KEYS = f"a:admin:{ADMIN},o:operator:{OPERATOR},v:viewer:{VIEWER}"
PATH = "/api/v1/numbers"


def as_(key: str) -> dict[str, str]:
    """The header of a key."""
    return {"authorization": f"Bearer {key}"}


@asynccontextmanager
async def kept(
    folder: Path, environment: str = f"{THREE}=default", *, credentials: bool = True
) -> AsyncGenerator[tuple[Server, httpx.AsyncClient, FakeAccount]]:
    """A server with an account, one number in its environment, and its administrator."""
    templates = {"default": BOT, "shop": BOT}
    async with exotel_account() as account, AsyncExitStack() as exits:
        known: dict[str, Any] = account.variables if credentials else {}
        running = serving(
            folder,
            templates,
            EXOBRIDGE_API_KEYS=KEYS,
            EXOTEL_NUMBERS=environment,
            **known,
        )
        server = await exits.enter_async_context(running)
        client = await exits.enter_async_context(http_client(server.url))
        client.headers.update(as_(ADMIN))
        yield server, client, account


async def answered(server: Server, called: str, call_sid: str) -> int:
    """What Exotel is told of a call to this number."""
    async with http_client(server.url) as exotel:
        query = {"CallSid": call_sid, "CallTo": called, "CallFrom": "09811122233"}
        return (await exotel.get("/exotel/answer", params=query)).status_code


async def test_a_number_is_served_from_the_moment_it_is_added(tmp_path: Path) -> None:
    """By the template it was given, until it is removed; the visits tell of it."""
    async with kept(tmp_path) as (server, client, _):
        assert await answered(server, ONE, "c1") == 302
        await server.bridge.exophones.visits.flush()
        added = await client.post(PATH, json={"number": "0" + ONE[3:], "template": "shop"})
        assert added.status_code == 201
        assert added.json()["number"] == ONE
        assert await answered(server, ONE, "c2") == 200
        call = await server.kept("c2")
        assert (call.template, call.called) == ("shop", ONE)

        await server.bridge.exophones.visits.flush()
        told = (await client.get(f"{PATH}/{ONE[1:]}")).json()
        assert [(each["last_status"], each["count"]) for each in told["visits"]] == [(200, 1)]
        assert told["last_asked_at"] == told["visits"][0]["last_at"]
        listed = (await client.get("/api/v1/visits", params={"limit": 1})).json()
        assert listed["items"][0]["number"] is None  # refused: nobody's number then
        rest = await client.get("/api/v1/visits", params={"after": listed["next"]})
        assert [(each["number"], each["endpoint"]) for each in rest.json()["items"]] == [
            (ONE, "/exotel/answer")
        ]

        assert (await client.delete(f"{PATH}/{ONE}")).status_code == 204
        assert await answered(server, ONE, "c3") == 302


async def test_a_template_that_comes_into_use_is_made_ready(tmp_path: Path) -> None:
    """While the server goes on being ready."""
    templates = {"default": BOT, "shop": BOT.replace('"Hello there."', '"Welcome to the shop."')}
    async with (
        serving(
            tmp_path, templates, EXOTEL_NUMBERS=f"{THREE}=default", EXOBRIDGE_API_KEYS=KEYS
        ) as server,
        http_client(server.url) as client,
    ):
        before = server.bridge.preloaded
        client.headers.update(as_(ADMIN))
        shop = {"template": "shop"}
        assert (await client.put(f"{PATH}/{ONE}", json=shop)).status_code == 201
        after = server.bridge.preloaded
        assert after is not None
        assert after is not before
        assert (await client.get("/health/ready")).status_code == 200
        assert await after == []
        assert server.bridge.is_ready()
        assert (await client.put(f"{PATH}/{TWO}", json=shop)).status_code == 201
        assert server.bridge.preloaded is after


async def test_to_put_is_to_say_all_and_may_be_done_twice(tmp_path: Path) -> None:
    """The first time it is new; what is left out is empty."""
    async with kept(tmp_path) as (_, client, _):
        body = {"template": "shop", "name": "Front desk", "applet_app_id": "4711"}
        statuses = [(await client.put(f"{PATH}/%2B{ONE[1:]}", json=body)).status_code for _ in "ab"]
        assert statuses == [201, 200]
        changed = await client.put(f"{PATH}/{ONE}", json={"provider": "exotel", "template": None})
        told = changed.json()
        assert (told["template"], told["name"], told["applet_app_id"]) == (None, "", "")
        page = (await client.get(PATH, params={"limit": 1})).json()
        assert [each["number"] for each in page["items"]] == [ONE]
        page = (await client.get(PATH, params={"after": page["next"]})).json()
        assert [(each["number"], each["source"], each["editable"]) for each in page["items"]] == [
            (THREE, "environment", False)
        ]
        assert page["next"] is None


WRONG: list[tuple[str, str, dict[str, str] | None, int, str]] = [
    ("POST", "", {"number": "12345"}, 422, "invalid"),
    ("POST", "", {"number": ONE, "provider": "twilio"}, 422, "invalid"),
    ("POST", "", {"number": ONE, "template": "shopp"}, 422, "invalid"),
    ("POST", "", {"number": ONE, "template": "../x"}, 422, "invalid"),
    ("POST", "", {"number": THREE, "template": "shop"}, 409, "read-only"),
    ("PUT", "/anonymous", {}, 422, "invalid"),
    ("PUT", f"/{THREE}", {}, 409, "read-only"),
    ("PUT", f"/{ONE}", {"applet_app_id": "a/b"}, 422, "invalid"),
    ("PUT", f"/{ONE}?allow_none=maybe", {}, 400, "bad-query"),
    ("DELETE", f"/{THREE}", None, 409, "read-only"),
    ("DELETE", f"/{ONE}", None, 404, "unknown-number"),
    ("GET", f"/{ONE}", None, 404, "unknown-number"),
    ("GET", "?after=x", None, 400, "bad-query"),
    ("POST", f"/{ONE}/assign", {"applet_app_id": "1"}, 404, "unknown-number"),
    ("POST", f"/{THREE}/assign", {}, 422, "invalid"),
    ("POST", f"/{THREE}/assign", {"applet_app_id": "1"}, 409, "not-in-account"),
]
"""Method, path and body of what is refused, and how."""


async def test_what_cannot_be_done_is_a_problem(tmp_path: Path) -> None:
    """With its own kind, and nothing has changed."""
    async with kept(tmp_path) as (_, client, _):
        for method, path, body, status, kind in WRONG:
            answer = await client.request(method, PATH + path, json=body)
            told = answer.status_code, answer.json()["type"].rpartition(":")[2]
            assert told == (status, kind), (method, path, body)
        assert len((await client.get(PATH)).json()["items"]) == 1


async def test_the_last_number_is_kept_unless_that_is_meant(tmp_path: Path) -> None:
    """Without it every number would be answered."""
    async with kept(tmp_path, "") as (server, client, _):
        await client.put(f"{PATH}/{ONE}", json={"template": "shop"})
        refused = await client.put(f"{PATH}/{ONE}", json={})
        assert (refused.status_code, "last-number" in refused.json()["type"]) == (409, True)
        assert await answered(server, TWO, "c1") == 302
        gone = await client.delete(f"{PATH}/{ONE}", params={"allow_none": "true"})
        assert gone.status_code == 204
        assert await answered(server, TWO, "c2") == 200


async def test_the_account_is_asked_and_a_flow_assigned(tmp_path: Path) -> None:
    """What Exotel refuses is told in its words."""
    async with kept(tmp_path) as (_, client, account):
        account.add_exophones(THREE, ONE)
        synced = (await client.post(f"{PATH}/sync", headers=as_(OPERATOR))).json()
        assert synced == {"added": [ONE, THREE], "changed": [], "missing": []}
        assigned = await client.post(f"{PATH}/{THREE}/assign", json={"applet_app_id": "99"})
        assert (assigned.json()["flow_app_id"], assigned.json()["source"]) == ("99", "environment")
        account.fail(Fault(402, message="no balance"))
        refused = await client.post(f"{PATH}/sync")
        assert (refused.status_code, "402" in refused.json()["detail"]) == (502, True)


async def test_each_role_may_do_its_own(tmp_path: Path) -> None:
    """To look is a viewer's, to sync an operator's, to change an administrator's."""
    async with kept(tmp_path, credentials=False) as (_, client, _):

        async def tried(key: str, method: str, path: str) -> int:
            body = {"template": "shop"} if method == "PUT" else None
            asked = await client.request(method, PATH + path, json=body, headers=as_(key))
            return asked.status_code

        assert [await tried(key, "GET", "") for key in (VIEWER, OPERATOR)] == [200, 200]
        assert [await tried(key, "POST", "/sync") for key in (VIEWER, OPERATOR)] == [403, 409]
        changing = [("PUT", f"/{ONE}"), ("DELETE", f"/{ONE}"), ("POST", f"/{ONE}/assign")]
        for method, path in changing:
            assert await tried(OPERATOR, method, path) == 403
        assert await tried(ADMIN, "PUT", f"/{ONE}") == 201


async def test_a_reload_without_a_template_that_numbers_have_is_refused(tmp_path: Path) -> None:
    """The old templates stay, and the number is answered as before."""
    async with kept(tmp_path) as (server, client, _):
        await client.put(f"{PATH}/{ONE}", json={"template": "shop"})
        (tmp_path / "templates" / "shop.toml").unlink()
        await reload_templates(server.bridge)
        [refused] = server.log("templates not reloaded")
        assert "shop" in refused["where"]
        assert await answered(server, ONE, "c1") == 200


async def test_kept_numbers_are_in_force_when_a_server_starts(tmp_path: Path) -> None:
    """And the counts of visits outlive it."""
    async with kept(tmp_path) as (server, client, _):
        await client.put(f"{PATH}/{ONE}", json={"template": "shop"})
        assert await answered(server, ONE, "c1") == 200
    async with kept(tmp_path) as (server, client, _):
        assert await answered(server, ONE, "c2") == 200
        visits = server.bridge.exophones.visits
        await visits.flush()
        told = (await client.get(f"{PATH}/{ONE}")).json()
        assert told["visits"][0]["count"] == 2
