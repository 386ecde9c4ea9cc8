"""``/exotel/dial-up`` over real sockets: a database in trouble, and whatever may come in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exobridge.exotel.connect import Contract
from exobridge.exotel.passthru import PassthruParams
from exobridge.store import Store
from exobridge.transfer.pending import Nobody
from exobridge.transfer.service import Transfers
from tests.database import held
from tests.server import Server
from tests.web.dialling import (
    ASHA,
    MEENA,
    RAVI,
    dialling,
    hand_over,
    handed_over,
    read,
    second_worker,
    transfer,
)


@asynccontextmanager
async def troubled(
    folder: Path, server: Server
) -> AsyncGenerator[tuple[Store, Path, Transfers, PassthruParams]]:
    """A worker with little patience, its database, and a question."""
    database = folder / "calls.sqlite3"
    store = await Store.open(f"sqlite+aiosqlite:///{database}")
    transfers = second_worker(server, store, store_seconds=0.1)
    try:
        await store.ping()
        yield store, database, transfers, read("c", 1)[0]
    finally:
        await transfers.aclose()
        await store.aclose()


async def test_a_database_that_does_not_answer_costs_no_transfer(tmp_path: Path) -> None:
    """The template's own target is dialled: who comes this far asked for a human. After a failure
    nobody is, so that no flow goes round in a circle."""
    async with (
        dialling(tmp_path) as (server, _),
        troubled(tmp_path, server) as (_, database, transfers, params),
    ):
        async with held(database):
            first = await transfers.dial(params, lambda _: Contract.JSON)
            assert (first.numbers, first.again) == ((ASHA, RAVI, MEENA), False)
            assert await transfers.is_pending(params) is None
            failed = replace(params, dial_status="busy", dial_whom=MEENA)
            nobody = await transfers.dial(failed, lambda _: Contract.JSON)
            assert (nobody.numbers, nobody.reason) == ((), "no-record")
            assert await transfers.is_pending(failed) is Nobody.NO_RECORD
            gone = replace(params, call_type="client-hangup")
            assert (await transfers.dial(gone, lambda _: Contract.JSON)).numbers == ()
        assert {entry["error"] for entry in server.log("call not looked up")} == {
            "no answer in time"
        }


async def test_an_answer_that_cannot_be_kept_is_given(tmp_path: Path) -> None:
    """The record can be read and not written; the caller does not wait for that."""
    async with (
        dialling(tmp_path) as (server, _),
        troubled(tmp_path, server) as (store, database, transfers, params),
    ):
        for event in handed_over(target=RAVI):
            await store.append(event)
        with sqlite3.connect(database, isolation_level=None, check_same_thread=False) as writing:
            await asyncio.to_thread(writing.execute, "BEGIN IMMEDIATE")
            dial = await transfers.dial(params, lambda _: Contract.JSON)
            writing.execute("ROLLBACK")
        writing.close()
        assert (dial.numbers, dial.attempt) == ((RAVI,), 1)
        assert server.log("dialling not recorded", error="no answer in time")


NAMES = st.sampled_from(
    ["CallSid", "CallFrom", "DialCallStatus", "DialWhomNumber", "EventType", "format", "Legs[0]"]
)
PAIRS = st.lists(
    st.tuples(
        NAMES | st.text(max_size=8),
        st.text(max_size=20) | st.sampled_from(["c", "busy", "completed", ASHA, "json", "null"]),
    ),
    max_size=8,
)
PATHS = st.sampled_from(
    ["dial-up", "dial-up/json", "dial-up/passthru", "dial-events", "whisper/x.wav", "dial-up/x/y"]
)


async def test_nothing_that_comes_in_is_a_500(tmp_path: Path) -> None:
    """Any parameters to any of these: 200, 302 or a 4xx, and no error in the log."""
    async with dialling(tmp_path, transfer(whisper="text", no_transfer="404")) as (server, _):
        await hand_over(server)

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(PATHS, PAIRS, st.booleans(), st.sampled_from(["1.0", "", "x"]))
        def check(path: str, pairs: list[tuple[str, str]], posts: bool, version: str) -> None:
            query = urlencode(pairs, errors="surrogatepass")
            url = f"{server.url}/exotel/{path}"
            with httpx.Client(trust_env=False, verify=False) as client:
                headers = {"Exotel-Version": version}
                form = {**headers, "content-type": "application/x-www-form-urlencoded"}
                if posts:
                    answer = client.post(url, content=query, headers=form)
                else:
                    answer = client.get(f"{url}?{query}", headers=headers)
            assert answer.status_code in (200, 302, 400, 403, 404, 405)

        await asyncio.to_thread(check)
        assert server.errors() == []
