"""The rooms of the record under ``/api/v1``: lists by pages, filters, transfers, health."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call import events
from exobridge.call.events import EndedBy
from exobridge.web.control.paging import cursor_of, read_cursor
from exobridge.web.control.problems import ProblemError
from exobridge.web.control.transfers import transfers_of
from tests.keeping.kept import CALLER, EXOPHONE, NOW, OTHER, SUMMARY, keep
from tests.server import Server, http_client, serving

KEY = "the-key-of-a-viewer-0123"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}


@asynccontextmanager
async def kept(folder: Path) -> AsyncGenerator[tuple[Server, httpx.AsyncClient]]:
    """A server with seven calls in its record, an hour apart, and somebody who reads."""
    async with (
        serving(folder, EXOBRIDGE_API_KEYS=f"reader:viewer:{KEY}") as server,
        http_client(server.url) as client,
    ):
        client.headers.update(AUTHORIZED)
        for number in range(7):
            at, caller = NOW - timedelta(hours=number), OTHER if number == 3 else CALLER
            await keep(
                server.bridge.store,
                folder / "data",
                f"c{number}",
                at=at,
                caller=caller,
                open_stream=number == 5,
            )
        yield server, client


async def walk(client: httpx.AsyncClient, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a list, two at a time."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        asked = {**query, "limit": "2", **({"after": after} if after else {})}
        answer = await client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 2
        found += page["items"]
        if (after := page["next"] or "") == "":
            return found


EACH = [f"c{number}" for number in range(7)]
FILTERED: list[tuple[dict[str, str], list[str]]] = [
    ({}, EACH),
    ({"state": "streaming"}, ["c5"]),
    ({"state": "ended", "number": "098111 44455"}, ["c3"]),
    ({"number": EXOPHONE, "template": "t"}, EACH),
    ({"outcome": "failed"}, []),
    ({"template": "other"}, []),
    ({"direction": "outgoing"}, []),
    ({"since": "2026-11-20T15:00:00+05:30"}, ["c0", "c1", "c2"]),
    ({"until": "2026-11-20T08:00:00Z"}, ["c5", "c6"]),
]


async def test_lists_are_read_page_by_page(tmp_path: Path) -> None:
    """Each item once, the newest first, and only those that are asked for."""
    async with kept(tmp_path) as (_, client):
        for query, wanted in FILTERED:
            found = await walk(client, "/api/v1/calls", **query)
            assert [call["call_sid"] for call in found] == wanted, query
        whole = (await client.get("/api/v1/calls?limit=7")).json()
        assert (len(whole["items"]), whole["next"]) == (7, None)
        recordings = await walk(client, "/api/v1/recordings", source="exotel")
        assert [row["call_sid"] for row in recordings] == EACH
        assert await walk(client, "/api/v1/recordings", source="own") == []
        transfers = await walk(client, "/api/v1/transfers")
        assert [each["call_sid"] for each in transfers] == EACH[::-1]  # as they were kept
        assert {each["summary"] for each in transfers} == {SUMMARY}
        turns = await walk(client, "/api/v1/calls/c1/turns")
        assert [turn["number"] for turn in turns] == [1, 2]
        happened = await walk(client, "/api/v1/calls/c1/events")
        assert [event["kind"] for event in happened][:2] == ["answer", "stream-started"]
        (transfer,) = (await client.get("/api/v1/calls/c1/transfers")).json()["items"]
        assert (transfer["target"], transfer["status"]) == ("sales", "pending")
        for room in ("", "/turns", "/events", "/transfers"):
            nobody = await client.get(f"/api/v1/calls/nobody{room}")
            assert nobody.json()["type"].endswith(":unknown-call")


async def test_the_health_is_told(tmp_path: Path) -> None:
    """What takes calls, and what waits; while it drains, that."""
    async with kept(tmp_path) as (server, client):
        health = (await client.get("/api/v1/health")).json()
        assert (health["ready"], health["draining"], health["problems"]) == (True, False, [])
        assert health["database"] == {"ready": True, "pending": 0, "dropped": 0}
        assert (health["calls"], health["max_calls"], health["workers"]) == (0, 100, 1)
        server.bridge.desk.drain()
        health = (await client.get("/api/v1/health")).json()
        assert (health["ready"], health["problems"]) == (False, ["draining"])


async def test_a_page_has_an_end(tmp_path: Path) -> None:
    """However much somebody asks for."""
    async with kept(tmp_path) as (_, client):
        for limit, status in (("200", 200), ("201", 400), ("0", 400), ("-1", 400), ("x", 400)):
            answer = await client.get("/api/v1/calls", params={"limit": limit})
            assert answer.status_code == status, limit


async def test_every_operation_asks_for_its_role(tmp_path: Path) -> None:
    """Of all that there are: nobody is served without a key, and a viewer is not let do more than
    read."""
    async with kept(tmp_path) as (_, client):
        document = (await client.get("/api/v1/openapi.json")).json()
        for path, room in document["paths"].items():
            for method, operation in room.items():
                url = path.replace("{", "").replace("}", "")
                answer = await client.request(method, url, headers={"authorization": ""})
                assert answer.status_code == 401, (method, path)
                if operation["x-role"] != "viewer":
                    answer = await client.request(method, url)
                    assert answer.status_code == 403, (method, path)
                    assert operation["x-role"] in answer.json()["detail"]
                assert (operation["x-role"] == "viewer") is (method == "get")


def test_each_transfer_of_a_call_is_told() -> None:
    """One that failed before the next was asked for stays failed; a call may have none."""
    at = [NOW + timedelta(seconds=second) for second in range(8)]
    first = events.transfer_requested("c", at[1], stream_sid="a", utterance="u", target="sales")
    second = events.transfer_requested("c", at[5], stream_sid="b", utterance="u", target="help")
    told = [
        events.stream_started("c", at[0], stream_sid="a"),
        first,
        events.stream_ended("c", at[2], stream_sid="a", ended_by=EndedBy.BOT),
        events.stream_started("c", at[4], stream_sid="b"),
        second,
        events.stream_ended("c", at[6], stream_sid="b", ended_by=EndedBy.BOT),
    ]
    found = transfers_of(told)
    assert [(each.target, each.status) for each in found] == [
        ("sales", "failed"),
        ("help", "pending"),
    ]
    assert transfers_of(told[:1]) == []


@given(after=st.text(max_size=60) | st.binary(max_size=40).map(lambda some: some.hex()))
def test_a_cursor_is_one_of_ours_or_refused(after: str) -> None:
    """Whatever somebody makes up."""
    found: tuple[Any, ...] = ()
    with suppress(ProblemError):
        found = read_cursor(after, int)
    assert found == () or isinstance(found[0], int)


@pytest.mark.parametrize(
    "parts",
    [(1, "x"), ("x",), (True,), (1 << 70,), (1, 2), ("\0",), ("2026-11-20T12:00:00",)],
)
def test_a_cursor_of_another_list_is_refused(parts: tuple[str | int, ...]) -> None:
    """By its form: what is in it is of other kinds."""
    with pytest.raises(ProblemError):
        read_cursor(cursor_of(*parts), int)
    assert read_cursor(cursor_of(NOW, "c"), datetime, str) == (NOW, "c")


@pytest.mark.parametrize("at", ["2026-11-20T12:00:00", "0001-01-01T00:00:00+14:00", "yesterday"])
def test_a_cursor_with_another_time_is_refused(at: str) -> None:
    """One that no row has, and no database takes."""
    with pytest.raises(ProblemError):
        read_cursor(cursor_of(at, "c"), datetime, str)
