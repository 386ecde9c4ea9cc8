"""Everything a process shares, put together and taken apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exobridge.account_limit import AccountWatch
from exobridge.ahead import Ahead
from exobridge.call.plan import Services, Waits
from exobridge.call.prompts import Prompts
from exobridge.call.wheel import Wheel
from exobridge.desk import Desk
from exobridge.details import DetailsPoll, details_beside
from exobridge.errors import ConfigError
from exobridge.exophones import Exophones, open_exophones
from exobridge.exotel.api import ExotelApi
from exobridge.greetings import Greetings
from exobridge.jobs import JobRunner
from exobridge.keeping.retention import Periods, retention
from exobridge.live.feed import Feed
from exobridge.live.orders import Orders
from exobridge.observe.observer import Observer
from exobridge.outbound.batches import Batches
from exobridge.outbound.checks import Ground
from exobridge.outbound.dialler import Dialler
from exobridge.outbound.service import Outbound
from exobridge.own_recording.service import own_recordings, spool_of
from exobridge.passthrus import Passthrus
from exobridge.provider_pool import ProviderPool
from exobridge.recorder import StoreRecorder
from exobridge.recordings.service import Recordings
from exobridge.recordings.storage import Storage
from exobridge.routing import Applications, Routing
from exobridge.routing.delivery import LogDelivery
from exobridge.settings import Settings
from exobridge.store import Store, StoreError
from exobridge.templates import Templates
from exobridge.webhooks.service import Webhooks, retire
from exobridge.whole import Whole
from exobridge.wire.recorder import WireRecorder, wire_recorder
from exobridge.wire.records import Side

_log = structlog.stdlib.get_logger("exobridge")


class Bridge:
    """One process's parts. Made by :func:`open_bridge`."""

    def __init__(
        self,
        settings: Settings,
        templates: Templates,
        store: Store,
        services: Services,
        whole: Whole,
        jobs: JobRunner,
        recordings: Recordings,
        routing: Routing,
        exophones: Exophones,
        api: ExotelApi | None,
    ) -> None:
        self.settings = settings
        self.templates = templates
        self.store = store
        self.services = services
        self.jobs = jobs
        self.recordings = recordings
        self.routing = routing
        self.exophones = exophones
        self.numbers = exophones.book
        self.account: AccountWatch | None = None
        self.webhooks: Webhooks | None = None
        self.preloaded: asyncio.Task[list[str]] | None = None
        self._whole = whole
        self._problems = ["providers are starting"]
        self._ahead = Ahead(self.numbers, services.pool, services.prompts, routing)
        patience = services.waits.store
        self.desk = Desk(
            templates=templates,
            numbers=self.numbers,
            store=store,
            recorder=services.recorder,
            routing=routing,
            admission=whole.admission,
            on_accept=self._ahead.greeting,
            clock=services.wall_clock,
            store_seconds=patience.desk,
        )

        self.api = api
        self.outbound = Outbound(store, self.ground, services.recorder, services.wall_clock)
        self.batches = Batches(store, self.outbound.judge, services.wall_clock, self.outbound.wake)
        self.desk.use_outbound(self.outbound)
        self.dialler: Dialler | None = None
        sessions = self.desk.sessions
        self.orders = Orders(sessions, store, alone=whole.alone, clock=services.wall_clock)
        self.feed = Feed(store, is_over=lambda: self.desk.is_draining)
        self.greetings = Greetings(
            desk=self.desk,
            routing=routing,
            clock=services.wall_clock,
            store_seconds=patience.greeting,
        )
        self.passthrus = Passthrus(
            desk=self.desk,
            routing=routing,
            recorder=services.recorder,
            recordings=recordings,
            clock=services.wall_clock,
            store_seconds=patience.passthru,
        )

    def ground(self) -> Ground:
        """What is checked before somebody is called goes by this, as it is now."""
        numbers = self.numbers
        return Ground.of(self.settings, self.templates, numbers, numbers.applet_app_id_for)

    @property
    def dials(self) -> bool:
        """Whether this process is to place the calls of the server."""
        return self._whole.is_first

    # -------------------------------------------------------------- ahead of the calls

    def start_preload(self) -> None:
        """Start the providers of the templates in use, and render their fixed lines, beside the
        serving."""
        self.preloaded = asyncio.create_task(self._ahead.templates(self.templates))

    def preload_again(self) -> None:
        """Numbers have other templates: make those ready too, after what is being made ready."""
        before = self.preloaded
        assert before is not None
        if before.done() and not before.cancelled():
            self._problems = before.result()  # what holds until this is done
        self.preloaded = asyncio.create_task(self._preload_after(before))

    async def _preload_after(self, before: asyncio.Task[list[str]]) -> list[str]:
        try:
            await asyncio.wait([before])
        except asyncio.CancelledError:
            before.cancel()
            await asyncio.wait([before])
            raise
        return await self._ahead.templates(self.templates)

    async def use_templates(self, templates: Templates) -> None:
        """Put these templates in force for the calls that come from now on, once their providers
        have been started and their fixed lines rendered; calls under way keep theirs.

        Raises:
            ConfigError: One of their providers failed, and it is not one that fails already. The
                old templates stay in force.
        """
        assert self.preloaded is not None
        if gone := self.numbers.missing(templates):
            raise ConfigError.of([_without_template(name) for name in gone])
        failing = await asyncio.shield(self.preloaded)
        preloaded = asyncio.create_task(self._ahead.templates(templates))
        if new := set(await preloaded) - set(failing):
            raise ConfigError.of([_not_in_force(problem) for problem in sorted(new)])
        self.preloaded.cancel()  # a later try of the old ones, if there is one
        self.preloaded = preloaded
        self.templates = templates
        self.numbers.use_templates(templates)
        self.desk.use_templates(templates)

    async def aclose(self) -> None:
        """End every call and stop what runs beside them."""
        self.desk.close()
        if self.preloaded is not None:
            self.preloaded.cancel()
            await asyncio.wait([self.preloaded])
        await self._ahead.aclose()

    # -------------------------------------------------------------- health

    async def live(self, request: Request) -> Response:
        """``/health/live``: the process answers."""
        return JSONResponse({"status": "live", "calls": await self.desk.admission.total()})

    async def ready(self, request: Request) -> Response:
        """``/health/ready``: calls can be taken."""
        problems = await self.problems()
        status = "ready" if not problems else "not ready"
        return JSONResponse({"status": status, "problems": problems}, 503 if problems else 200)

    async def problems(self) -> list[str]:
        """Why no calls can be taken, as sentences; empty: they can."""
        if self.desk.is_draining:
            return ["draining"]
        problems: list[str] = []
        try:
            await self.store.ping()
        except StoreError as error:
            problems.append(f"store: {error}")
        problems += self._preload_problems()
        if not self._whole.complete:
            problems.append("workers are starting")
        return problems

    def is_ready(self) -> bool:
        """What :meth:`ready` would say, by all that is known without asking the store."""
        preloaded = self.preloaded
        done = preloaded is not None and preloaded.done() and not preloaded.cancelled()
        problems = preloaded.result() if preloaded is not None and done else self._problems
        return not problems and self._whole.complete and not self.desk.is_draining

    def _preload_problems(self) -> list[str]:
        """What the last preload found. As it may pass, the next one is begun."""
        if self.preloaded is not None and self.preloaded.done():
            self._problems = self.preloaded.result()
            if self._problems:
                self.start_preload()
        return self._problems


def _without_template(name: str) -> ConfigError:
    cure = "Put its file back, or give its numbers another template: exobridge numbers list."
    return ConfigError(f"template {name}", "is gone, and numbers have it", cure)


def _not_in_force(problem: str) -> ConfigError:
    where, _, what = problem.partition(": ")
    cure = "Mend it and reload again; until then the old templates stay in force."
    return ConfigError(where, what.rstrip("."), cure)


@asynccontextmanager
async def open_bridge(
    settings: Settings,
    templates: Templates,
    waits: Waits | None,
    whole: Whole,
    observer: Observer,
) -> AsyncGenerator[Bridge]:
    """The parts of a process, from the open store to the last closed provider.

    Raises:
        StoreError: The database cannot be used; the message names the cure.
    """
    async with AsyncExitStack() as exits:
        api = _api(settings, exits)
        webhooks = _webhooks(settings, exits)
        store = await _store(settings, whole, observer, api, webhooks, exits)
        keeps_words = settings.store_transcripts == "on"
        recorder = StoreRecorder(store, observer.watchers, keeps_words=keeps_words)
        recordings = Recordings.of(settings, store, recorder, api)
        services = await _services(
            settings, store, recorder, recordings.storage, waits or Waits(), exits
        )
        routing = Routing(Applications())
        exits.push_async_callback(routing.applications.aclose)
        jobs = JobRunner(store.jobs)
        exits.push_async_callback(jobs.aclose)
        recordings.register(jobs)
        if webhooks is not None:
            webhooks.register(jobs)
        else:
            await retire(store, jobs)
        if api is not None:
            DetailsPoll(api=api, recorder=recorder, recordings=recordings).register(jobs)
        exits.push_async_callback(routing.aclose)
        exophones = await exits.enter_async_context(
            open_exophones(settings, templates, store, api, observer.watchers, services.wall_clock)
        )
        bridge = Bridge(
            settings, templates, store, services, whole, jobs, recordings, routing, exophones, api
        )
        bridge.webhooks = webhooks
        _deliver_logs(bridge)
        exits.push_async_callback(bridge.aclose)
        observer.watchers.add(bridge.feed)
        exits.push_async_callback(bridge.feed.aclose)
        await exits.enter_async_context(bridge.orders.watching())
        if api is not None:
            bridge.account = _watch_account(bridge, api, exits)
            if whole.is_first:
                bridge.account.start()
        jobs.start()
        bridge.start_preload()
        exophones.book.on_change(bridge.preload_again)
        yield bridge


def _webhooks(settings: Settings, exits: AsyncExitStack) -> Webhooks | None:
    """What tells the user's system; ``None``: it is not to be told."""
    webhooks = Webhooks.of(settings)
    if webhooks is not None:
        exits.push_async_callback(webhooks.aclose)
    return webhooks


def _api(settings: Settings, exits: AsyncExitStack) -> ExotelApi | None:
    """Exotel's; ``None``: without credentials it is not asked."""
    api = ExotelApi.of(settings)
    if api is not None:
        exits.push_async_callback(api.aclose)
    return api


async def _store(
    settings: Settings,
    whole: Whole,
    observer: Observer,
    api: ExotelApi | None,
    webhooks: Webhooks | None,
    exits: AsyncExitStack,
) -> Store:
    """The store, with what former processes left open closed in it."""
    store = await Store.open(settings.database_url.get_secret_value())
    exits.push_async_callback(store.aclose)
    if api is not None:
        store.leave_beside(details_beside())
    if webhooks is not None:
        webhooks.leave_beside(store)
    for event in await store.recover(datetime.now(UTC), whole.lost):
        _log.warning("left open by a former process", call_sid=event.call_sid, kind=event.kind)
        observer.watchers.event(event)
    return store


async def _services(
    settings: Settings,
    store: Store,
    recorder: StoreRecorder,
    storage: Storage,
    waits: Waits,
    exits: AsyncExitStack,
) -> Services:
    """What calls share, with the keeping of what was recorded and said."""
    pool = ProviderPool()
    exits.push_async_callback(pool.aclose)
    prompts = Prompts(pool)
    exits.push_async_callback(prompts.aclose)
    spool = spool_of(settings.data_dir)
    tapes = await exits.enter_async_context(own_recordings(spool, storage, store, recorder))
    wire = await _wire(settings, exits)
    periods = Periods.of(
        recording_days=settings.recording_days,
        transcript_days=settings.transcript_days,
        store_transcripts=settings.store_transcripts == "on",
    )
    await exits.enter_async_context(retention(store, storage, periods))
    return Services(
        pool=pool,
        prompts=prompts,
        wheel=Wheel(asyncio.get_running_loop()),
        recorder=recorder,
        wall_clock=lambda: datetime.now(UTC),
        waits=waits,
        tapes=tapes,
        wire=wire,
    )


async def _wire(settings: Settings, exits: AsyncExitStack) -> WireRecorder | None:
    """What keeps the wire of calls, where it is wanted."""
    if settings.wire_dir is None:
        return None
    secrets = settings.secrets()
    keeping = wire_recorder(settings.wire_dir, Side.SERVER, time.time, secrets)
    return await exits.enter_async_context(keeping)


def _deliver_logs(bridge: Bridge) -> None:
    delivery = LogDelivery(bridge.desk, bridge.routing.applications)
    bridge.store.leave_beside(delivery.job_beside)
    delivery.register(bridge.jobs)


def _watch_account(bridge: Bridge, api: ExotelApi, exits: AsyncExitStack) -> AccountWatch:
    period = bridge.settings.exotel_stream_check_seconds
    account = AccountWatch(api, bridge.desk.admission.heed, period)
    exits.push_async_callback(account.aclose)
    return account
