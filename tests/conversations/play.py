"""Plays one variant: the real call, in virtual time, between the models."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from structlog.testing import capture_logs

from exobridge.call.events import CallEvent, Turn
from exobridge.call.plan import CallPlan, Services
from exobridge.call.prompts import Prompts
from exobridge.call.session import CallSession
from exobridge.call.wheel import Wheel
from exobridge.exotel.messages import Started
from exobridge.provider_pool import ProviderPool
from exobridge.templates import Template
from tests.conversations.line import PhoneLine
from tests.conversations.scenario import Scenario
from tests.conversations.variation import Variant, vary
from tests.conversations.world import WORLDS, World
from tests.virtual_time import VirtualTimeLoop

GREETING = "Hello, this is Maple Books."
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = itertools.count()


class _Record:
    """Keeps the facts in memory."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self.turns: list[Turn] = []

    async def append(self, event: CallEvent) -> None:
        self.events.append(event)

    def append_soon(self, event: CallEvent) -> None:
        self.events.append(event)

    def add_turn_soon(self, turn: Turn) -> None:
        self.turns.append(turn)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a variant.

    Attributes:
        ended: Who ended the call: ``caller``, ``bot``, ``limit``.
        reason: Why, as the call's record has it.
        turns: The record's.
        log: Entries of level warning and above.
    """

    world: World
    ended: str
    reason: str
    turns: tuple[Turn, ...]
    log: tuple[Mapping[str, Any], ...]


def play(scenario: Scenario, number: int, seed: int) -> Played:
    """Play a variant to its end."""
    world = World(scenario, vary(scenario, number, seed))
    key = next(_numbers)
    WORLDS[key] = world
    try:
        with capture_logs() as log, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(_call(world, key, cast("list[dict[str, Any]]", log)))
    finally:
        del WORLDS[key]


async def _call(world: World, key: int, log: list[dict[str, Any]]) -> Played:
    loop = asyncio.get_running_loop()
    template = _template(world.scenario, world.variant, key)
    pool = ProviderPool()
    record = _Record()
    prompts = Prompts(pool)
    services = Services(
        pool=pool,
        prompts=prompts,
        wheel=Wheel(loop),
        recorder=record,
        wall_clock=lambda: EPOCH + timedelta(milliseconds=world.now_ms),
    )
    await _render_ahead(prompts, template)

    async def plan(started: Started) -> CallPlan:
        return CallPlan(started.call_sid, "conversation", template)

    line = PhoneLine(world)
    await CallSession(line, plan, services).run()
    world.ear.advance(world.now_ms)
    await prompts.aclose()
    await pool.aclose()
    reason = next(
        (str(event.data["reason"]) for event in record.events if "reason" in event.data), ""
    )
    kept = [entry for entry in log if entry["log_level"] in ("warning", "error", "critical")]
    return Played(world, line.ended, reason, tuple(record.turns), tuple(kept))


async def _render_ahead(prompts: Prompts, template: Template) -> None:
    """The fixed lines, as a server does when it starts."""
    texts = template.texts
    lines = (texts.goodbye, texts.idle, texts.sorry, texts.too_long, texts.filler, texts.warning)
    for text in filter(None, (template.greeting, *lines)):
        await prompts.render(template, text, 8000)


def _template(scenario: Scenario, variant: Variant, key: int) -> Template:
    module = "tests.conversations"
    dialogue = "EagerDialogue" if variant.speculative else "ScriptedDialogue"
    base: dict[str, dict[str, Any]] = {
        "stt": {"provider": f"{module}.stt:ScriptedStt", "options": {"world": key}},
        "tts": {"provider": f"{module}.tts:ScriptedTts", "options": {"world": key}},
        "vad": {"provider": f"{module}.vad:ScriptedVad", "options": {"world": key}},
        "dialogue": {"provider": f"{module}.dialogue:{dialogue}", "options": {"world": key}},
    }
    for table, values in scenario.template.items():
        base[table] = {**base.get(table, {}), **values}
    return Template.model_validate({"language": scenario.language, "greeting": GREETING, **base})
