"""Customers that an account calls: what each does, and what the server learns of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exobridge.call.outcome import Outcome
from exobridge.exotel.api import CallOrder, ExotelApi, ExotelError
from exobridge.exotel.api.retry import RequestKind
from exobridge.settings import Settings
from exobridge.simulator.account import Account, serve_account
from exobridge.simulator.customers import Customers, Doing, customers
from tests.server import Server, bot, serving, until

EXOPHONE = "+918047112233"


@asynccontextmanager
async def calling(
    folder: Path, people: Mapping[str, Doing], seconds: float = 20.0
) -> AsyncGenerator[tuple[ExotelApi, Server, Customers]]:
    """A server, and people by the number that it may call."""
    template = bot(voicemail={"action": "hang_up", "monologue_ms": 2000})
    async with serve_account(Account()) as account:
        variables: dict[str, Any] = account.variables
        async with (
            serving(folder, {"default": template}, **variables) as server,
            customers(
                account,
                lambda number, nth: people[number],
                answer_url=f"{server.url}/exotel/answer",
            ) as playing,
        ):
            change = RequestKind(seconds, 1, seconds)
            api = ExotelApi.of(Settings.read(account.variables), change=change)
            assert api is not None
            async with api:
                yield api, server, playing


def order(number: str, server: Server) -> CallOrder:
    return CallOrder(
        number,
        EXOPHONE,
        app_id="4711",
        custom_field="xb:none:1",
        status_callback=f"{server.url}/exotel/callback/status",
    )


async def test_each_does_what_they_are_told(tmp_path: Path) -> None:
    """Whoever does not take the call is told of by the callback alone; a machine is known by its
    long speech."""
    people = {
        "+919811100001": (Doing("answers"), Outcome.COMPLETED),
        "+919811100002": (Doing("busy"), Outcome.BUSY),
        "+919811100003": (Doing("silent"), Outcome.NO_ANSWER),
        "+919811100004": (Doing("fails"), Outcome.FAILED),
        "+919811100005": (Doing("voicemail"), Outcome.COMPLETED),
    }
    doing = {number: each for number, (each, _) in people.items()}
    async with calling(tmp_path, doing) as (api, server, playing):
        placed = await asyncio.gather(*(api.connect(order(number, server)) for number in people))
        kept = [await server.until_over(each.call_sid) for each in placed]
        assert [call.outcome for call in kept] == [outcome for _, outcome in people.values()]
        assert kept[-1].end_reason == "voicemail"
        await until(lambda: playing.under_way == 0)
        assert playing.called_twice_at_once() == []


@pytest.mark.parametrize("is_placed", [True, False])
@pytest.mark.parametrize("api_does", ["breaks", "hangs", "resets"])
async def test_a_lost_answer_may_hide_a_call(
    tmp_path: Path, api_does: Any, is_placed: bool
) -> None:
    """Who asked cannot know whether the call was placed."""
    number = "+919811100001"
    people = {number: Doing("busy", api=api_does, placed=is_placed)}
    seconds = 2.0 if api_does == "hangs" else 20.0
    async with calling(tmp_path, people, seconds) as (api, server, playing):
        with pytest.raises(ExotelError) as caught:
            await api.connect(order(number, server))
        assert caught.value.may_have_happened
        assert len(playing.calls_to(number)) == is_placed


@pytest.mark.parametrize("api_does", ["refuses", "throttles"])
async def test_a_refusal_hides_none(tmp_path: Path, api_does: Any) -> None:
    """Nobody was called."""
    number = "+919811100001"
    async with calling(tmp_path, {number: Doing(api=api_does)}) as (api, server, playing):
        with pytest.raises(ExotelError) as caught:
            await api.connect(order(number, server))
        assert not caught.value.may_have_happened
        assert (playing.asked[number], playing.calls) == (1, [])


async def test_two_calls_at_once_are_noticed(tmp_path: Path) -> None:
    """As nobody may be called while they are being called."""
    number = "+919811100001"
    async with calling(tmp_path, {number: Doing("silent", 0.2)}) as (api, server, playing):
        await api.connect(order(number, server))
        began = time.monotonic()
        await api.connect(order(number, server))
        assert playing.called_twice_at_once() == [number]
        await until(lambda: playing.under_way == 0)
        assert playing.calls[0].began < began
