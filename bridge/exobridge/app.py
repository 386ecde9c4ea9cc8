"""The application: everything a process shares, put together and taken apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from exobridge.call.own_lines import is_fixed, rendered_ahead
from exobridge.call.plan import CallPlan, Services, Waits, is_realtime
from exobridge.call.prompts import Prompts
from exobridge.call.wheel import Wheel
from exobridge.desk import Desk
from exobridge.errors import ConfigError
from exobridge.observe.observer import Observer, open_observer
from exobridge.observe.readings import Sources
from exobridge.provider_pool import ProviderPool
from exobridge.recorder import StoreRecorder
from exobridge.settings import Settings
from exobridge.store import Store, StoreError
from exobridge.templates import ProviderUse, Template, Templates, provider_uses
from exobridge.templates.text import render
from exobridge.web.answer import ENDPOINT as ANSWER
from exobridge.web.answer import AnswerEndpoint
from exobridge.web.guard import Guard
from exobridge.web.metrics import MetricsEndpoint
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from exobridge.web.stream import StreamEndpoint
from exobridge.web.tokens import Tokens
from exobridge.web.webhook import Webhook
from exobridge.whole import OneProcess, Whole
from exobridge_providers.base import Provider, SttProvider, TtsProvider, speaks
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.registry import BASES

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
    ) -> None:
        self.settings = settings
        self.templates = templates
        self.store = store
        self.services = services
        self.preloaded: asyncio.Task[list[str]] | None = None
        self._whole = whole
        self._problems = ["providers are starting"]
        self._greetings: set[asyncio.Task[None]] = set()
        self.desk = Desk(
            templates=templates,
            numbers=settings.numbers,
            store=store,
            recorder=services.recorder,
            admission=whole.admission,
            on_accept=self._greeting_ahead,
            clock=services.wall_clock,
        )

    # -------------------------------------------------------------- ahead of the calls

    def start_preload(self) -> None:
        """Start the providers of the templates in use, and render their fixed lines, beside the
        serving."""
        self.preloaded = asyncio.create_task(self._preload(self.templates))

    async def use_templates(self, templates: Templates) -> None:
        """Put these templates in force for the calls that come from now on, once their providers
        have been started and their fixed lines rendered; calls under way keep theirs.

        Raises:
            ConfigError: One of their providers failed, and it is not one that fails already. The
                old templates stay in force.
        """
        assert self.preloaded is not None
        failing = await asyncio.shield(self.preloaded)
        preloaded = asyncio.create_task(self._preload(templates))
        if new := set(await preloaded) - set(failing):
            raise ConfigError.of([_not_in_force(problem) for problem in sorted(new)])
        self.preloaded.cancel()  # a later try of the old ones, if there is one
        self.preloaded = preloaded
        self.templates = templates
        self.desk.use_templates(templates)

    async def _preload(self, templates: Templates) -> list[str]:
        problems: list[str] = []
        for name in sorted(self.settings.numbers.templates):
            try:
                await self._start_providers(name, templates[name])
                await self._render_lines(templates[name])
            except Exception as error:  # a plugin's bug must not hide the others' health
                problems.append(f"template {name}: {_log_failure(name, error)}")
        return problems

    async def _start_providers(self, name: str, template: Template) -> None:
        """Of several that stand in for each other, one that works and knows the template's language
        is enough."""
        working: set[str] = set()
        failures: list[tuple[str, Exception]] = []
        strangers: list[tuple[str, Exception]] = []
        for use in provider_uses(template):
            try:
                provider = await self.services.pool.get(
                    use.kind, use.name, use.options, BASES[use.kind]
                )
                problem = _language_problem(name, template, use, provider)
            except Exception as error:
                failures.append((use.table, error))
            else:
                if problem is None:
                    working.add(use.table)
                else:
                    strangers.append((use.table, problem))
        for table, failure in failures + strangers:
            if table not in working:
                raise failure
        for _, failure in failures:  # a stranger may be there for the language of other calls
            _log_failure(name, failure)

    async def _render_lines(self, template: Template) -> None:
        if is_realtime(template.dialogue.provider):
            return
        refusal, voicemail = template.refusal, template.voicemail
        lines = [template.greeting, *rendered_ahead(template, template.texts)]
        if voicemail.action == "message":
            lines.append(voicemail.message)
        if refusal.mode == "say":
            lines += [refusal.closed, refusal.busy, refusal.unknown]
        rate = template.stream.sample_rate
        for line in lines:
            if is_fixed(template, line):
                text = render(line, template.variables)
                await self.services.prompts.render(template, text, rate)

    def _greeting_ahead(self, plan: CallPlan) -> None:
        """Have a call's first line ready before its stream opens."""
        if not plan.converses:
            return
        text = plan.text(plan.template.greeting) if plan.say is None else plan.say
        if text:
            task = asyncio.create_task(self._render(plan, text))
            self._greetings.add(task)
            task.add_done_callback(self._greetings.discard)

    async def _render(self, plan: CallPlan, text: str) -> None:
        with suppress(ProviderError):  # the call itself will find out, and say so
            rate = plan.template.stream.sample_rate
            await self.services.prompts.render(plan.template, text, rate)

    async def aclose(self) -> None:
        """End every call and stop what runs beside them."""
        self.desk.close()
        running = [task for task in (self.preloaded, *self._greetings) if task is not None]
        for task in running:
            task.cancel()
        for task in running:
            await asyncio.wait([task])

    # -------------------------------------------------------------- health

    async def live(self, request: Request) -> Response:
        """``/health/live``: the process answers."""
        return JSONResponse({"status": "live", "calls": await self.desk.admission.total()})

    async def ready(self, request: Request) -> Response:
        """``/health/ready``: calls can be taken."""
        if self.desk.is_draining:
            return JSONResponse({"status": "not ready", "problems": ["draining"]}, 503)
        problems: list[str] = []
        try:
            await self.store.ping()
        except StoreError as error:
            problems.append(f"store: {error}")
        problems += self._preload_problems()
        if not self._whole.complete:
            problems.append("workers are starting")
        status = "ready" if not problems else "not ready"
        return JSONResponse({"status": status, "problems": problems}, 503 if problems else 200)

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


def _language_problem(
    name: str, template: Template, use: ProviderUse, provider: Provider
) -> ProviderError | None:
    """Calls with this template could not use a provider that does not know their language."""
    tag = template.language
    if not isinstance(provider, SttProvider | TtsProvider):
        return None
    if speaks(provider.capabilities.languages, tag):
        return None
    return ProviderConfigError(
        f"{use.kind} {use.name} does not know {tag}, the language of {name}; "
        f"choose another {use.table}.provider",
        provider=use.name,
    )


def _log_failure(template: str, error: Exception) -> str:
    """A provider's failure at the start of the server, or its bug; in a few words."""
    if isinstance(error, ProviderError):
        _log.error("provider failed", template=template, error=str(error))
        return str(error)
    _log.error("provider crashed", template=template, exc_info=error)
    return type(error).__name__


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
        store = await Store.open(settings.database_url.get_secret_value())
        exits.push_async_callback(store.aclose)
        for event in await store.recover(datetime.now(UTC), whole.lost):
            _log.warning("left open by a former process", call_sid=event.call_sid, kind=event.kind)
            observer.watchers.event(event)
        pool = ProviderPool()
        exits.push_async_callback(pool.aclose)
        prompts = Prompts(pool)
        exits.push_async_callback(prompts.aclose)
        services = Services(
            pool=pool,
            prompts=prompts,
            wheel=Wheel(asyncio.get_running_loop()),
            recorder=StoreRecorder(store, observer.watchers),
            wall_clock=lambda: datetime.now(UTC),
            waits=waits or Waits(),
        )
        bridge = Bridge(settings, templates, store, services, whole)
        exits.push_async_callback(bridge.aclose)
        bridge.start_preload()
        yield bridge


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
    secret = settings.secret.get_secret_value() if settings.secret else None
    tokens = Tokens(secret or whole.token_key, settings.stream_token_seconds)
    metrics_token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    guard = Guard(
        secret,
        allowed=settings.allowed_networks,
        proxies=Proxies(settings.trusted_proxies),
        rate=AddressRate(settings.request_rate),
        now=time.monotonic,
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with (
            open_observer(settings.numbers.templates) as observer,
            open_bridge(settings, templates, waits, whole, observer) as bridge,
        ):
            observer.read(
                Sources(
                    bridge.services,
                    bridge.store,
                    bridge.desk,
                    guard.refused,
                    observer.lag,
                    settings.max_calls,
                    bridge.is_ready,
                )
            )
            whole.watch(observer.snapshot)
            answer = AnswerEndpoint(bridge.desk, tokens, guard, public_url=settings.public_url)
            webhooks = [Webhook(ANSWER, answer.answer, guard, observer.watchers)]
            metrics = MetricsEndpoint(whole.metrics, metrics_token)
            stream = StreamEndpoint(bridge.desk, tokens, bridge.services, guard)
            app.state.bridge = bridge
            app.router.routes.extend(
                [
                    *(route for webhook in webhooks for route in webhook.routes()),
                    WebSocketRoute("/exotel/stream", stream),
                    WebSocketRoute("/exotel/stream/{token}", stream),
                    Route("/metrics", metrics.respond),
                    Route("/health/live", bridge.live),
                    Route("/health/ready", bridge.ready),
                ]
            )
            yield
            app.router.routes.clear()

    return Starlette(lifespan=lifespan)
