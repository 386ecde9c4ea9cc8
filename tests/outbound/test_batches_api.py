"""Batches by the API, and the calls that a server makes for them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import httpx

from exobridge.simulator.customers import Doing
from tests.outbound.calling import calling
from tests.server import until

PATH = "/api/v1/batches"
CSV = {"content-type": "text/csv"}


def numbers(count: int) -> list[str]:
    """Of people, E.164."""
    return [f"+9198111222{row:02}" for row in range(count)]


def does(number: str, nth: int) -> Doing:
    """Every third is busy, the others answer."""
    return Doing("busy" if int(number[-2:]) % 3 == 0 else "answers", talk_seconds=0.2)


async def start(api: httpx.AsyncClient, source: str, key: str = "", **query: Any) -> httpx.Response:
    """Ask for a list to be called."""
    headers = CSV | ({"idempotency-key": key} if key else {})
    return await api.post(PATH, content=source.encode(), headers=headers, params=query)


async def test_a_list_is_called_and_told(tmp_path: Path) -> None:
    """Everybody once, with the variables of their row; progress, results and dials agree."""
    people_to_call = numbers(6)
    source = "name,number\n" + "".join(f"N{number[-2:]},{number}\n" for number in people_to_call)
    async with calling(tmp_path, does) as (server, people, api):
        answer = await start(api, source, "k", name="Dues", calls_per_minute=200)
        assert answer.status_code == 201, answer.text
        batch = answer.json()
        assert (batch["rows"], batch["columns"]) == (6, ["name", "number"])
        one = f"{PATH}/{batch['id']}"

        async def is_done() -> bool:
            return bool((await api.get(one)).json()["state"] == "done")

        await until(is_done)
        told = (await api.get(one)).json()
        assert told["outcomes"] == {"answered": 4, "busy": 2}
        assert (told["calls"], told["under_way"], told["seconds_left"]) == (6, 0, None)
        assert dict(people.asked) == dict.fromkeys(people_to_call, 1)

        answer = await api.get(f"{one}/results")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        head = await api.head(f"{one}/results")
        assert (head.status_code, head.content) == (200, b"")
        assert "content-length" not in head.headers  # it is not none
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert [row["number"] for row in rows] == people_to_call
        by_number = {call.number: call.call_sid for call in people.calls}
        assert [row["call_sid"] for row in rows] == [by_number[each] for each in people_to_call]
        call = await server.kept(rows[1]["call_sid"])
        assert dict(call.placed.variables) == {"name": "N01"}

        again = await start(api, source, "k", name="Dues", calls_per_minute=200)
        assert (again.status_code, again.json()["id"]) == (200, batch["id"])
        listed = (await api.get(PATH)).json()
        assert [each["id"] for each in listed["items"]] == [batch["id"]]


async def test_what_cannot_be_had_is_a_problem(tmp_path: Path) -> None:
    """Each with its kind, and rows by line; the roles apply, and nobody is called."""
    async with calling(tmp_path, does) as (_, people, api):
        answer = await start(api, "number\n12\n9811122233\n9811122233\n")
        told = answer.json()
        assert (answer.status_code, told["reason"], told["bad_rows"]) == (422, "bad-rows", 2)
        assert [(row["line"], row["column"]) for row in told["rows"]] == [
            (2, "number"),
            (4, "number"),
        ]
        assert (await start(api, "name\nAsha\n")).json()["reason"] == "unreadable-list"
        unknown = await start(api, "number\n9811122233\n", template="none")
        assert unknown.json()["rows"][0]["column"] == "template"
        assert (await start(api, "number\n9811122233\n", calls_at_once=501)).status_code == 400
        wrong = await api.post(PATH, content=b"{}", headers={"content-type": "application/json"})
        assert wrong.status_code == 415

        first = await start(api, "number\n9811122230\n", "k", template="default", mode="stream")
        batch = first.json()["id"]
        reused = await start(api, "number\n9811122231\n", "k")
        assert (reused.status_code, reused.json()["batch_id"]) == (409, batch)
        assert (await api.get(f"{PATH}/none")).status_code == 404
        assert (await api.post(f"{PATH}/none/pause")).status_code == 404
        assert (await api.get(f"{PATH}/none/results")).status_code == 404
        await until(lambda: people.asked["+919811122230"] == 1)
        assert set(people.asked) == {"+919811122230"}


async def test_nobody_is_called_while_a_batch_is_paused(tmp_path: Path) -> None:
    """Resumed it goes on; cancelled it ends, and cannot be paused any more."""
    source = "number\n" + "\n".join(numbers(5))
    async with calling(tmp_path, lambda number, nth: Doing(talk_seconds=60)) as (_, people, api):
        batch = (await start(api, source, calls_at_once=1)).json()["id"]
        one = f"{PATH}/{batch}"
        await until(lambda: len(people.calls) == 1)
        assert (await api.post(f"{one}/pause")).json()["state"] == "paused"
        other = (await start(api, "number\n9811122299\n")).json()["id"]
        await until(lambda: len(people.calls) == 2)
        assert people.calls[1].number == "+919811122299"
        resumed = (await api.post(f"{one}/resume")).json()
        assert (resumed["state"], resumed["under_way"], resumed["waiting"]) == ("running", 1, 4)
        cancelled = (await api.post(f"{one}/cancel")).json()
        assert (cancelled["state"], cancelled["outcomes"]) == ("cancelled", {"cancelled": 4})
        over = await api.post(f"{one}/pause")
        assert (over.status_code, over.json()["type"]) == (409, "urn:exobridge:problem:batch-over")
        assert other != batch
