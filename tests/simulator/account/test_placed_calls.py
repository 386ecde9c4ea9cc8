"""A call that the API is asked for is played: the bot hears it, and its end is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from exobridge.call.events import EventKind
from exobridge.call.state import State
from exobridge.exotel.api import ExotelApi
from exobridge.settings import Settings
from exobridge.simulator import Exotel
from exobridge.simulator.account import Account, PlacedCall, direct_flow, serve_account
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.report import Ending, FlowReport
from exobridge.simulator.flows.walk import walk
from tests.server import Server, http_client, serving, until

Playing = list[asyncio.Task[FlowReport]]


def player(around: Around, folder: Path, playing: Playing) -> Callable[[PlacedCall], None]:
    """Who plays the calls that an account is asked for."""

    def place(placed: PlacedCall) -> None:
        call = walk(direct_flow(placed), folder, around, call_sid=placed.call_sid)
        playing.append(asyncio.create_task(call))

    return place


@asynccontextmanager
async def line(folder: Path) -> AsyncGenerator[tuple[Account, Server, Playing]]:
    """An account whose calls are played, and a bot that knows it."""
    async with serve_account(Account()) as account:
        variables: dict[str, Any] = account.variables
        async with (
            serving(folder, **variables) as server,
            Exotel() as exotel,
            http_client() as http,
        ):
            playing: Playing = []
            account.place = player(Around(exotel, http, account=account), folder, playing)
            account.settle_seconds = 0
            yield account, server, playing


async def connect(account: Account, server: Server) -> str:
    """Ask for a call straight to the bot; its CallSid."""
    asked = {
        "From": "+919811122233",
        "CallerId": "08047112233",
        "StreamUrl": server.stream_url,
        "StreamType": "bidirectional",
        "TimeLimit": "1",
        "StatusCallback": f"{server.url}/exotel/callback/status",
        "StatusCallbackEvents[0]": "terminal",
        "StatusCallbackContentType": "application/json",
    }
    path = f"/v1/Accounts/{account.sid}/Calls/connect.json"
    async with http_client(account.url) as http:
        answer = await http.post(path, data=asked, auth=httpx.BasicAuth(account.key, account.token))
    return str(answer.json()["Call"]["Sid"])


async def test_a_call_straight_to_a_bot(tmp_path: Path) -> None:
    """While it goes on its stream is counted; after its limit the callback and call details tell
    how long it was."""
    async with line(tmp_path) as (account, server, playing):
        call_sid = await connect(account, server)
        await until(lambda: account.active == 1)
        report = await asyncio.wait_for(playing[0], 10)
        assert (report.ending, report.call_sid) == (Ending.COMPLETED, call_sid)
        assert report.problems == ()
        assert report.streams[0].bot_turns
        assert account.active == 0
        api = ExotelApi.of(Settings.read(account.variables))
        assert api is not None
        async with api:
            details = await api.call_details(call_sid)
        assert (details.is_settled, details.direction) == (True, "outgoing")
        assert details.conversation_seconds == 1
        assert (await server.until_over(call_sid)).state is State.ENDED
        kinds = {event.kind for event in await server.bridge.store.events(call_sid)}
        assert EventKind.STATUS in kinds
