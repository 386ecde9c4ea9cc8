"""Everything of ``/exotel/`` that hands a caller to a human, put together and taken apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.routing import Route

from exobridge.call.plan import Services
from exobridge.desk import Desk
from exobridge.observe.watch import Watchers
from exobridge.passthrus import Passthrus
from exobridge.routing import Applications
from exobridge.store import Store
from exobridge.templates import Template
from exobridge.transfer.lookup import Lookup
from exobridge.transfer.service import Transfers
from exobridge.transfer.whispers import Ahead, Whispers
from exobridge.web.dial_up import DIAL_UP, EVENTS, FORMATS, PASSTHRU, DialUpEndpoint
from exobridge.web.guard import Guard
from exobridge.web.webhook import Webhook
from exobridge.web.whisper import WhisperEndpoint, WhisperTokens


@asynccontextmanager
async def transfer_routes(
    *,
    desk: Desk,
    store: Store,
    services: Services,
    watchers: Watchers,
    applications: Applications,
    templates: Callable[[str], Template | None],
    guard: Guard,
    passthrus: Passthrus,
    public_url: str | None,
    secret: str | None,
    key: str | None,
) -> AsyncGenerator[list[Route]]:
    """The routes, in the order in which they are to be tried.

    Args:
        applications: Connections to the user's applications.
        templates: A template in force, by its name.
        public_url: Where Exotel reaches this server; ``None``: as the request did.
        key: Signs the names of whispers; ``None``: any will do.
    """
    async with AsyncExitStack() as exits:
        whispers = Whispers(
            store=store,
            prompts=services.prompts,
            templates=templates,
            hurry_seconds=services.waits.dialling,
            store_seconds=services.waits.store.whisper,
        )
        exits.push_async_callback(whispers.aclose)
        ahead = Ahead(whispers)
        exits.push_async_callback(ahead.aclose)
        watchers.add(ahead)
        transfers = Transfers(
            desk=desk,
            store=store,
            recorder=services.recorder,
            watchers=watchers,
            lookup=Lookup(applications),
            clock=services.wall_clock,
            store_seconds=services.waits.dialling,
        )
        exits.push_async_callback(transfers.aclose)
        tokens = WhisperTokens(key, services.wall_clock)
        dial_up = DialUpEndpoint(
            transfers, whispers, tokens, guard, passthrus, public_url=public_url, secret=secret
        )
        webhooks = [
            Webhook(PASSTHRU, dial_up.passthru, guard, watchers, wire=services.wire),
            Webhook(DIAL_UP, dial_up.dial, guard, watchers, FORMATS, services.wire),
            Webhook(EVENTS, dial_up.event, guard, watchers, wire=services.wire),
        ]
        yield [
            *(route for webhook in webhooks for route in webhook.routes()),
            *WhisperEndpoint(whispers, tokens, guard).routes(),
        ]
