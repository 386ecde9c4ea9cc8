"""The application: everything a process shares, put together and taken apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from exobridge.call.plan import CallPlan, Services, Waits, is_realtime
from exobridge.call.prompts import Prompts
from exobridge.call.wheel import Wheel
from exobridge.desk import Desk
from exobridge.provider_pool import ProviderPool
from exobridge.recorder import StoreRecorder
from exobridge.settings import Settings
from exobridge.store import Store, StoreError
from exobridge.templates import Template, Templates, provider_uses
from exobridge.templates.text import names_in
from exobridge.web.answer import AnswerEndpoint
from exobridge.web.stream import StreamEndpoint
from exobridge.web.tokens import Tokens
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import BASES

_log = structlog.stdlib.get_logger("exobridge")


class Bridge:
    """One process's parts. Made by :func:`open_bridge`."""

    def __init__(
        self, settings: Settings, templates: Templates, store: Store, services: Services
    ) -> None:
        self.settings = settings
        self.templates = templates
        self.store = store
        self.services = services
        self.preloaded: asyncio.Task[list[str]] | None = None
        self._problems = ["providers are starting"]
        self._greetings: set[asyncio.Task[None]] = set()
        self.desk = Desk(
            templates=templates,
            numbers=settings.numbers,
            store=store,
            recorder=services.recorder,
            max_calls=settings.max_calls,
            unused_seconds=settings.unused_slot_seconds,
            on_accept=self._greeting_ahead,
            clock=services.wall_clock,
        )

    # -------------------------------------------------------------- ahead of the calls

    def start_preload(self) -> None:
        """Start the providers of the templates in use, and render their fixed lines, beside the
        serving."""
        self.preloaded = asyncio.create_task(self._preload())

    async def _preload(self) -> list[str]:
        problems: list[str] = []
        for name in sorted(self.settings.numbers.templates):
            try:
                await self._preload_template(self.templates[name])
            except ProviderError as error:
                _log.error("provider failed", template=name, error=str(error))
                problems.append(f"template {name}: {error}")
            except Exception as error:  # a plugin's bug must not hide the others' health
                _log.exception("provider crashed", template=name)
                problems.append(f"template {name}: {type(error).__name__}")
        return problems

    async def _preload_template(self, template: Template) -> None:
        for use in provider_uses(template):
            await self.services.pool.get(use.kind, use.name, use.options, BASES[use.kind])
        if is_realtime(template.dialogue.provider):
            return
        texts, refusal = template.texts, template.refusal
        lines = [template.greeting, texts.sorry, texts.goodbye, texts.idle, texts.too_long]
        if refusal.mode == "say":
            lines += [refusal.closed, refusal.busy, refusal.unknown]
        for line in lines:
            if line and not names_in(line) - set(template.variables):
                text = CallPlan("", "", template).text(line)
                rate = template.stream.sample_rate
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
        return JSONResponse({"status": "live", "calls": self.desk.admission.calls})

    async def ready(self, request: Request) -> Response:
        """``/health/ready``: calls can be taken."""
        problems: list[str] = []
        try:
            await self.store.ping()
        except StoreError as error:
            problems.append(f"store: {error}")
        problems += self._preload_problems()
        status = "ready" if not problems else "not ready"
        return JSONResponse({"status": status, "problems": problems}, 503 if problems else 200)

    def _preload_problems(self) -> list[str]:
        """What the last preload found. As it may pass, the next one is begun."""
        if self.preloaded is not None and self.preloaded.done():
            self._problems = self.preloaded.result()
            if self._problems:
                self.start_preload()
        return self._problems


@asynccontextmanager
async def open_bridge(
    settings: Settings, templates: Templates, waits: Waits | None = None
) -> AsyncGenerator[Bridge]:
    """The parts of a process, from the open store to the last closed provider.

    Raises:
        StoreError: The database cannot be used; the message names the cure.
    """
    async with AsyncExitStack() as exits:
        store = await Store.open(settings.database_url.get_secret_value())
        exits.push_async_callback(store.aclose)
        for event in await store.recover(datetime.now(UTC)):
            _log.warning("left open by a former process", call_sid=event.call_sid, kind=event.kind)
        pool = ProviderPool()
        exits.push_async_callback(pool.aclose)
        prompts = Prompts(pool)
        exits.push_async_callback(prompts.aclose)
        services = Services(
            pool=pool,
            prompts=prompts,
            wheel=Wheel(asyncio.get_running_loop()),
            recorder=StoreRecorder(store),
            wall_clock=lambda: datetime.now(UTC),
            waits=waits or Waits(),
        )
        bridge = Bridge(settings, templates, store, services)
        exits.push_async_callback(bridge.aclose)
        bridge.start_preload()
        yield bridge


def create_app(settings: Settings, templates: Templates, waits: Waits | None = None) -> Starlette:
    """The ASGI application."""
    secret = settings.secret.get_secret_value() if settings.secret else None
    tokens = Tokens(secret, settings.stream_token_seconds)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with open_bridge(settings, templates, waits) as bridge:
            answer = AnswerEndpoint(
                bridge.desk, tokens, secret=secret, public_url=settings.public_url
            )
            stream = StreamEndpoint(bridge.desk, tokens, bridge.services, secret=secret)
            app.state.bridge = bridge
            app.router.routes.extend(
                [
                    Route("/exotel/answer", answer.respond, methods=["GET", "POST"]),
                    Route("/exotel/answer/{secret}", answer.respond, methods=["GET", "POST"]),
                    WebSocketRoute("/exotel/stream", stream),
                    WebSocketRoute("/exotel/stream/{token}", stream),
                    Route("/health/live", bridge.live),
                    Route("/health/ready", bridge.ready),
                ]
            )
            yield
            app.router.routes.clear()

    return Starlette(lifespan=lifespan)
