"""The dialler of a server, from its parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from exobridge.exotel.api import ActiveStreams, ExotelApi
from exobridge.outbound.caller import Caller
from exobridge.outbound.dialler import Dialler
from exobridge.outbound.orders import Orders
from exobridge.outbound.service import Outbound
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.dial_pace import Limits


def limits_of(settings: Settings, calls: int, streams: ActiveStreams | None = None) -> Limits:
    """What a server can bear, and its account: whom we call is not to find all lines taken.

    Args:
        calls: Conversations there are now.
        streams: What Exotel said last of the account's; ``None``: that is not known.
    """
    places = settings.max_calls - settings.outbound_reserve
    if streams is not None and streams.limit is not None:
        of_account = max(1, streams.limit - settings.outbound_reserve)
        places = min(places, of_account) if streams.free else 0
    return Limits(settings.outbound_calls_per_minute, places, calls)


@asynccontextmanager
async def dialling(
    settings: Settings,
    store: Store,
    outbound: Outbound,
    api: ExotelApi,
    orders: Orders,
    *,
    calls: Callable[[], Awaitable[int]],
    streams: Callable[[], ActiveStreams | None],
    may_call: Callable[[], bool],
    clock: Callable[[], datetime],
) -> AsyncGenerator[Dialler]:
    """Call who is to be called, beside what is done in the block.

    Args:
        calls: Conversations of the whole server, now.
        streams: What Exotel said last of the account's; ``None``: that is not known.
        may_call: Whether calls can be taken.
    """

    async def limits() -> Limits:
        return limits_of(settings, await calls(), streams())

    caller = Caller(store, outbound, orders, api.connect, clock)
    dialler = Dialler(store, outbound, caller, limits=limits, may_call=may_call, clock=clock)
    dialler.start()
    try:
        yield dialler
    finally:
        await dialler.aclose()
