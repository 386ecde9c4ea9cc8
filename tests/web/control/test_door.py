"""Whatever is asked of the control API gets an answer that says what is wrong, and never a 5xx."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from pydantic import Field
from structlog.testing import capture_logs

from exobridge.api_keys import Role
from exobridge.store import StoreUnavailableError
from exobridge.web.control.control import Control
from exobridge.web.control.keys import KeyGuard
from exobridge.web.control.operation import (
    Asked,
    Header,
    Model,
    Operation,
    Problem,
    ProblemError,
    Told,
)
from exobridge.web.control.problems import TYPE
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from tests.web.control.room import KEYS, Thing, as_, behind_the_door

TAKEN = Problem(409, "taken", "There is one of this name")


class Query(Model):
    """What things are looked for."""

    size: int | None = Field(None, ge=1, description="Of this size.")
    names: list[str] = Field([], description="Of these names.")


async def make(asked: Asked) -> Told:
    """Give back what came."""
    thing: Thing = asked.body
    if thing.name == "taken":
        raise ProblemError(TAKEN, "Choose another.", other=thing.size)
    return Told(
        thing, 201 if "idempotency-key" in asked.headers else 200, {"x-key": asked.key.name}
    )


async def look(asked: Asked) -> Thing:
    """Tell how one was asked for."""
    query: Query = asked.query
    name = f"{asked.path['name']}{query.size}{''.join(query.names)}"
    return Thing(name=name, size=3, parts=[])


async def fail(asked: Asked) -> None:
    """Do what must not be done."""
    match asked.path["how"]:
        case "late":
            await asyncio.sleep(0.3)
        case "store":
            raise StoreUnavailableError("the database cannot be read (test)")
        case _:
            raise KeyError("+919811122233")


async def count(asked: Asked) -> Told:
    """Tell how long the body is."""
    return Told(None, 204, {"x-bytes": str(len(asked.raw))})


THINGS = "/api/v1/things"
OPERATIONS = [
    Operation(
        method="POST",
        path=THINGS,
        name="makeThing",
        tag="Things",
        summary="Make a thing",
        role=Role.OPERATOR,
        body=Thing,
        result=Thing,
        status=201,
        also=(200,),
        headers=(Header("Idempotency-Key", "Once.", 20),),
        problems=(TAKEN,),
        handler=make,
        max_body=2000,
    ),
    Operation(
        method="GET",
        path=THINGS + "/{name}",
        name="getThing",
        tag="Things",
        summary="Get a thing",
        role=Role.VIEWER,
        query=Query,
        result=Thing,
        handler=look,
    ),
    Operation(
        method="DELETE",
        path="/api/v1/failures/{how}",
        name="fail",
        tag="Things",
        summary="Fail",
        role=Role.ADMIN,
        handler=fail,
        status=204,
        seconds=0.05,
    ),
    Operation(
        method="POST",
        path="/api/v1/lists",
        name="count",
        tag="Things",
        summary="Count bytes",
        role=Role.VIEWER,
        request_media="text/csv",
        handler=count,
        status=204,
    ),
]


def kind(answer: httpx.Response) -> str:
    """The word of a problem, whose form is looked at."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert {"title", "detail", "instance"} <= told.keys()
    return str(told["type"]).removeprefix(TYPE)


async def test_each_role_may_what_those_below_it_may() -> None:
    """And the others are told which role it takes; without a key nobody is told anything."""
    may: dict[str, list[int]] = {}
    async with behind_the_door(OPERATIONS) as client:
        for role in ("viewer", "operator", "admin", "nobody"):
            answers = [
                await client.get(f"{THINGS}/one", headers=as_(role)),
                await client.post(THINGS, headers=as_(role), json={"name": "one"}),
                await client.delete("/api/v1/failures/store", headers=as_(role)),
            ]
            may[role] = [answer.status_code for answer in answers]
            if role == "viewer":
                assert kind(answers[1]) == "forbidden"
                assert "operator" in answers[1].json()["detail"]
        wrong = await client.get(f"{THINGS}/one", headers=as_("nobody"))
        assert wrong.headers["www-authenticate"].startswith("Bearer ")
    assert may == {
        "viewer": [200, 403, 403],
        "operator": [200, 200, 403],
        "admin": [200, 200, 503],
        "nobody": [401, 401, 401],
    }
    async with behind_the_door(OPERATIONS, keys=()) as client:
        closed = await client.get(f"{THINGS}/one", headers=as_("admin"))
        assert (closed.status_code, kind(closed)) == (403, "closed")


DEEP = b'{"name": "n", "parts": ' + b"[" * 900 + b"]" * 900 + b"}"
BODIES: list[tuple[bytes, str, int, str]] = [
    (b'{"name": "one"}', "application/json", 200, ""),
    (b'{"name": "one"}', "application/json; charset=utf-8", 200, ""),
    (b'{"name": "taken"}', "application/json", 409, "taken"),
    (b"", "application/json", 400, "bad-request"),
    (b"{", "application/json", 400, "bad-request"),
    (b"[]", "application/json", 422, "invalid"),
    (b"null", "application/json", 422, "invalid"),
    (b'{"name": NaN}', "application/json", 400, "bad-request"),
    (b'{"name": "\\ud800"}', "application/json", 400, "bad-request"),
    (b'{"name": "\xff"}', "application/json", 400, "bad-request"),
    (b'{"name": "a\\u0000"}', "application/json", 422, "invalid"),
    (b'{"na\\u0000me": "a"}', "application/json", 422, "invalid"),
    (b'{"name": "n", "parts": [{"name": "\\u0000"}]}', "application/json", 422, "invalid"),
    (b'{"name": 1}', "application/json", 422, "invalid"),
    (b'{"name": "n", "size": "3"}', "application/json", 422, "invalid"),
    (b'{"name": "n", "size": 1e400}', "application/json", 422, "invalid"),
    (b'{"name": "n", "size": %d}' % 10**60, "application/json", 422, "invalid"),
    (b'{"name": "n", "more": 1}', "application/json", 422, "invalid"),
    (DEEP, "application/json", 400, "bad-request"),
    (b'{"name": "%s"}' % (b"n" * 2000), "application/json", 413, "too-large"),
    (b'{"name": "one"}', "text/plain", 415, "unsupported-media-type"),
    (b'{"name": "one"}', "", 415, "unsupported-media-type"),
]


async def test_a_body_is_read_or_told() -> None:
    """By the status that fits; what is wrong where stands in it, without the value."""
    async with behind_the_door(OPERATIONS) as client:
        for body, media, status, word in BODIES:
            headers = {**as_("operator"), "content-type": media}
            answer = await client.post(THINGS, content=body, headers=headers)
            assert answer.status_code == status, (body[:80], answer.text)
            if word:
                assert kind(answer) == word, body[:80]
        nested = b'{"name": "n", "parts": [{"name": "n", "size": 10}], "x": 1}'
        headers = {**as_("operator"), "content-type": "application/json"}
        told = (await client.post(THINGS, content=nested, headers=headers)).json()
        assert [each["where"] for each in told["errors"]] == ["parts[0].size", "x"]
        assert told["detail"] == "parts[0].size must be less than or equal to 9 (and 1 more)."
        taken = await client.post(THINGS, json={"name": "taken"}, headers=as_("operator"))
        assert (taken.json()["other"], taken.json()["detail"]) == (3, "Choose another.")


async def test_another_media_type_comes_as_it_is() -> None:
    """A list need not be JSON; it is not to be empty."""
    async with behind_the_door(OPERATIONS) as client:
        headers = {**as_("viewer"), "content-type": "text/csv"}
        answer = await client.post("/api/v1/lists", content=b"a,b\n\0\xff", headers=headers)
        assert (answer.status_code, answer.headers["x-bytes"], answer.content) == (204, "6", b"")
        other = await client.post("/api/v1/lists", json={}, headers=as_("viewer"))
        assert (other.status_code, kind(other)) == (415, "unsupported-media-type")


ASKED: list[tuple[str, str, int, str]] = [
    ("GET", THINGS + "/one?size=2&names=a&names=b", 200, ""),
    ("HEAD", THINGS + "/one", 200, ""),
    ("GET", THINGS + "/one?size=2&size=3", 400, "bad-query"),
    ("GET", THINGS + "/one?size=0", 400, "bad-query"),
    ("GET", THINGS + "/one?size=", 400, "bad-query"),
    ("GET", THINGS + "/one?other=1", 400, "bad-query"),
    ("GET", THINGS + "/one?names=%00", 400, "bad-query"),
    ("GET", THINGS + "/one?names=%ff%ed%a0%80", 200, ""),
    ("GET", THINGS + "/%00", 404, "not-found"),
    ("GET", THINGS + "/" + "n" * 300, 404, "not-found"),
    ("GET", THINGS + "/one/more", 404, "not-found"),
    ("GET", THINGS + "/", 404, "not-found"),
    ("GET", "/api/v1", 404, "not-found"),
    ("GET", "/api/v1/", 404, "not-found"),
    ("PATCH", "/api/v1/nothing", 404, "not-found"),
    ("DELETE", THINGS + "/one", 405, "method-not-allowed"),
    ("OPTIONS", THINGS, 405, "method-not-allowed"),
    ("GET", THINGS, 405, "method-not-allowed"),
    ("POST", THINGS + "?name=one", 400, "bad-query"),
]


@pytest.mark.parametrize("with_key", [True, False])
async def test_a_path_and_a_query_are_read_or_told(with_key: bool) -> None:
    """What is not there is told to all, the rest to who has a key."""
    async with behind_the_door(OPERATIONS) as client:
        for method, path, status, word in ASKED:
            headers = as_("operator") if with_key else {}
            answer = await client.request(method, path, headers=headers)
            behind = path.startswith(THINGS) and path not in (
                THINGS + "/",
                THINGS + "/one/more",
            )
            if behind and not with_key:
                assert answer.status_code == 401, (method, path)
                continue
            assert answer.status_code == status, (method, path, answer.text)
            if word:
                assert kind(answer) == word, (method, path)
            if status == 405:
                known = {"GET, HEAD"} if path != THINGS else {"POST"}
                assert {answer.headers["allow"]} == known


async def test_a_header_is_read_or_told() -> None:
    """Once, and made of what can stand in one."""
    async with behind_the_door(OPERATIONS) as client:
        statuses: list[int] = []
        for values in ((b"k",), (b"k", b"k"), (b"",), (b"k" * 21,), (b"\xff",), (b"a b",)):
            given = [(b"idempotency-key", value) for value in values]
            headers = [(b"authorization", as_("admin")["authorization"].encode()), *given]
            answer = await client.post(THINGS, json={"name": "n"}, headers=headers)
            statuses.append(answer.status_code)
        assert statuses == [201, 400, 400, 400, 400, 400]


async def test_what_fails_is_told_and_kept_apart() -> None:
    """A handler that is late or cannot reach the database is worth another try; one that breaks is
    in the log under the answer's name, and nothing of it in the answer."""
    async with behind_the_door(OPERATIONS) as client:
        with capture_logs() as logs:
            late = await client.delete("/api/v1/failures/late", headers=as_("admin"))
            store = await client.delete("/api/v1/failures/store", headers=as_("admin"))
            broken = await client.delete("/api/v1/failures/other", headers=as_("admin"))
    for answer in (late, store):
        assert (answer.status_code, kind(answer)) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert (broken.status_code, kind(broken)) == (500, "failed")
    assert "9811122233" not in broken.text
    request_id = broken.json()["instance"].rpartition(":")[2]
    (line,) = [each for each in logs if each["event"] == "api failed" and "exc_info" in each]
    assert (line["request"], line["error"]) == (request_id, "KeyError")
    told = [each for each in logs if each["event"] == "api"]
    assert [(each["key"], each["status"]) for each in told] == [
        ("admin", 503),
        ("admin", 503),
        ("admin", 500),
    ]


def test_two_operations_at_one_place_are_refused() -> None:
    """Whoever adds the second learns it at once."""
    guard = KeyGuard(KEYS, Proxies(), AddressRate(0), lambda: 0.0)
    with pytest.raises(ValueError, match="two operations at POST /api/v1/things"):
        Control([*OPERATIONS, OPERATIONS[0]], guard)
