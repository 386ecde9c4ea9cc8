"""The application: what is asked of the server, and who answers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route, WebSocketRoute

from exobridge.bridge import Bridge, open_bridge
from exobridge.call.plan import Waits
from exobridge.observe.observer import Observer, open_observer
from exobridge.observe.readings import Sources
from exobridge.outbound.dialler import Dialler
from exobridge.outbound.orders import Orders
from exobridge.outbound.serving import dialling
from exobridge.settings import Settings
from exobridge.status_callbacks import StatusCallbacks
from exobridge.templates import Templates, in_use
from exobridge.web.answer import ENDPOINT as ANSWER
from exobridge.web.answer import AnswerEndpoint
from exobridge.web.callback import ENDPOINT as STATUS
from exobridge.web.callback import StatusEndpoint
from exobridge.web.control import (
    batches,
    calls,
    dials,
    events,
    health,
    live,
    numbers,
    recordings,
    transfers,
    visits,
    webhooks,
)
from exobridge.web.control.control import control_routes
from exobridge.web.control.keys import KeyGuard
from exobridge.web.control.operation import Operation
from exobridge.web.greeting import ENDPOINT as GREETING
from exobridge.web.greeting import GreetingEndpoint
from exobridge.web.guard import Guard
from exobridge.web.metrics import MetricsEndpoint
from exobridge.web.passthru import ENDPOINT as PASSTHRU
from exobridge.web.passthru import PassthruEndpoint
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from exobridge.web.stream import StreamEndpoint
from exobridge.web.tokens import Tokens
from exobridge.web.transfer_routes import transfer_routes
from exobridge.web.unserved import unserved
from exobridge.web.webhook import Webhook
from exobridge.whole import OneProcess, Whole


def create_app(
    settings: Settings,
    templates: Templates,
    waits: Waits | None = None,
    whole: Whole | None = None,
) -> Starlette:
    """The ASGI application.

    Args:
        waits: Limits of a call's waits, in place of the ordinary ones.
        whole: What this process is a part of; by itself it is all of the server.
    """
    whole = whole or OneProcess(settings.max_calls, settings.unused_slot_seconds)
    doors = _Doors.of(settings, whole)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with (
            open_observer(in_use(settings.numbers.templates, templates)) as observer,
            open_bridge(settings, templates, waits, whole, observer) as bridge,
        ):
            observer.read(_sources(bridge, observer, doors))
            whole.watch(observer.snapshot)
            async with (
                _transfers(bridge, observer, doors) as handing_over,
                _dialling(bridge, doors) as bridge.dialler,
                control_routes(_operations(bridge), doors.keys) as control,
            ):
                app.state.bridge = bridge
                app.router.routes += _webhooks(bridge, observer, doors)
                app.router.routes += [*handing_over, *_streams(bridge, doors)]
                app.router.routes += [*control, *_for_operators(bridge, doors, whole)]
                yield
                app.router.routes.clear()

    return Starlette(lifespan=lifespan, exception_handlers={HTTPException: unserved})


@dataclass(frozen=True, slots=True)
class _Doors:
    """Who may come in.

    Attributes:
        guard: Of what Exotel asks; ``keys`` of the API.
        tokens: Of the streams' URLs.
        secret: ``EXOBRIDGE_SECRET``.
        signs: What else stands in URLs is signed by it; ``None``: by any key.
        metrics_token: ``METRICS_TOKEN``.
    """

    guard: Guard
    keys: KeyGuard
    tokens: Tokens
    secret: str | None
    signs: str | None
    metrics_token: str | None

    @classmethod
    def of(cls, settings: Settings, whole: Whole) -> _Doors:
        """As the settings say."""
        secret = _value(settings.secret)
        signs = secret or whole.token_key
        proxies = Proxies(settings.trusted_proxies)
        guard = Guard(
            secret,
            allowed=settings.allowed_networks,
            proxies=proxies,
            rate=AddressRate(settings.request_rate),
            now=time.monotonic,
        )
        rate = AddressRate(settings.request_rate)
        return cls(
            guard=guard,
            keys=KeyGuard(settings.keys(), proxies, rate, now=time.monotonic),
            tokens=Tokens(signs, settings.stream_token_seconds),
            secret=secret,
            signs=signs,
            metrics_token=_value(settings.metrics_token),
        )


def _value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _sources(bridge: Bridge, observer: Observer, doors: _Doors) -> Sources:
    return Sources(
        bridge.services,
        bridge.store,
        bridge.desk,
        doors.guard.refused,
        observer.lag,
        bridge.settings.max_calls,
        bridge.is_ready,
        bridge.jobs,
        bridge.account,
        webhooks=bridge.webhooks.delivery if bridge.webhooks else None,
        dials=lambda: bridge.dialler,
    )


def _webhooks(bridge: Bridge, observer: Observer, doors: _Doors) -> list[Route]:
    """What Exotel asks, transfers apart."""
    callbacks = StatusCallbacks(
        recorder=bridge.services.recorder,
        recordings=bridge.recordings,
        clock=bridge.services.wall_clock,
        store_seconds=bridge.services.waits.store.callback,
        look_up=bridge.desk.look_up,
    )
    public_url = bridge.settings.public_url
    answer = AnswerEndpoint(
        bridge.desk, doors.tokens, doors.guard, bridge.passthrus, public_url=public_url
    )
    handlers = {
        ANSWER: answer.answer,
        PASSTHRU: PassthruEndpoint(bridge.passthrus).answer,
        GREETING: GreetingEndpoint(bridge.greetings).answer,
        STATUS: StatusEndpoint(callbacks).answer,
    }
    return [
        route
        for path, handle in handlers.items()
        for route in Webhook(
            path, handle, doors.guard, observer.watchers, wire=bridge.services.wire
        ).routes()
    ]


def _transfers(
    bridge: Bridge, observer: Observer, doors: _Doors
) -> AbstractAsyncContextManager[list[Route]]:
    return transfer_routes(
        desk=bridge.desk,
        store=bridge.store,
        services=bridge.services,
        watchers=observer.watchers,
        applications=bridge.routing.applications,
        templates=lambda name: bridge.templates.get(name),
        guard=doors.guard,
        passthrus=bridge.passthrus,
        public_url=bridge.settings.public_url,
        secret=doors.secret,
        key=doors.signs,
    )


@asynccontextmanager
async def _dialling(bridge: Bridge, doors: _Doors) -> AsyncGenerator[Dialler | None]:
    """The dialler; ``None``: another worker's places the calls, or Exotel cannot be asked."""
    settings, api = bridge.settings, bridge.api
    if api is None or not bridge.dials:
        yield None
        return

    def sample_rate(template: str) -> int:
        known = bridge.templates.get(template, bridge.templates["default"])
        return known.stream.sample_rate

    async with dialling(
        settings,
        bridge.store,
        bridge.outbound,
        api,
        Orders(settings.public_url, doors.secret, doors.tokens.mint_for_dial, sample_rate),
        calls=bridge.desk.admission.total,
        streams=lambda: bridge.account.latest if bridge.account else None,
        may_call=bridge.is_ready,
        clock=bridge.services.wall_clock,
    ) as dialler:
        yield dialler


def _streams(bridge: Bridge, doors: _Doors) -> list[BaseRoute]:
    refused = bridge.exophones.visits.stream_refused
    stream = StreamEndpoint(bridge.desk, doors.tokens, bridge.services, doors.guard, refused)
    return [
        WebSocketRoute("/exotel/stream", stream),
        WebSocketRoute("/exotel/stream/{token}", stream),
    ]


def _operations(bridge: Bridge) -> list[Operation]:
    """The control API, in the order of its page."""
    sources = health.HealthSources(
        settings=bridge.settings,
        store=bridge.store,
        desk=bridge.desk,
        backlog=lambda: bridge.jobs.backlog,
        problems=bridge.problems,
        account=lambda: bridge.account,
        dialler=lambda: bridge.dialler,
    )
    return [
        *calls.operations(bridge.store),
        *live.operations(bridge.orders),
        *events.operations(bridge.store, bridge.feed),
        *dials.operations(bridge.outbound),
        *batches.operations(bridge.batches),
        *transfers.operations(bridge.store),
        *recordings.operations(bridge.store, bridge.recordings.storage),
        *numbers.operations(bridge.exophones.numbers),
        *visits.operations(bridge.store.visits.listed),
        *webhooks.operations(bridge.store),
        *health.operations(sources),
    ]


def _for_operators(bridge: Bridge, doors: _Doors, whole: Whole) -> list[BaseRoute]:
    """The metrics and the health."""
    metrics = MetricsEndpoint(whole.metrics, doors.metrics_token)
    return [
        Route("/metrics", metrics.respond),
        Route("/health/live", bridge.live),
        Route("/health/ready", bridge.ready),
    ]
