"""Many calls at once, each with a template of its own, and all that is known of each afterwards.

Calls take seconds of real time, so the tests of a module share one server and place their calls
together; each then looks at its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.call.state import Call
from exobridge.simulator import CallPlan, CallReport, Exotel, Rule, Say, Step
from exobridge_providers.base import UserTurn
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeDialogue
from tests.server import BOT, LINE, QUICK, SHORT, Server, serving

WAITS = replace(SHORT, start=10.0, plan=10.0)
"""Many calls that come at once on a busy machine begin late; none of the scenes waits for that."""


AT_ONCE = 12
"""Calls under way: what a quarter of a processor can bear, as this process may have no more."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A call to be placed.

    Attributes:
        template: What answers it, as TOML.
        script: What the caller does.
        plan: How else it is placed; its URL is filled in.
        limits: In place of the template's ``[limits]``.
    """

    template: str = BOT
    script: tuple[Step, ...] = (Say(LINE),)
    plan: CallPlan = CallPlan(url="http://localhost", patience=QUICK)  # noqa: RUF009  # it is frozen
    limits: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it.

    Attributes:
        report: The caller's side.
        call, events, turns: What the server kept.
        log: The server's log of this call.
        told: What a fake dialogue was told, turn by turn.
    """

    report: CallReport
    call: Call
    events: list[CallEvent]
    turns: list[Turn]
    log: list[dict[str, Any]]
    told: list[UserTurn]

    @property
    def said(self) -> list[str]:
        """Both sides' words, in order."""
        return [turn.text for turn in self.turns]

    @property
    def kinds(self) -> list[EventKind]:
        """What happened, in order."""
        return [event.kind for event in self.events]

    @property
    def broken_rules(self) -> list[Rule]:
        """As :func:`broken_rules`."""
        return broken_rules(self.report)

    def entries(self, event: str) -> list[dict[str, Any]]:
        """The log's entries of this name."""
        return [entry for entry in self.log if entry["event"] == event]


def broken_rules(report: CallReport) -> list[Rule]:
    """Rules of Exotel's that the server broke; how busy this machine is, is none of them."""
    rules = [violation.rule for violation in report.violations]
    return [rule for rule in rules if rule is not Rule.ANSWER_LATE]


def heard_ms(report: CallReport) -> float:
    """How much the caller heard of the bot, in milliseconds. A busy machine may leave a gap, which
    the caller's ear takes for the end of a turn: so one turn may be two."""
    return sum(turn.heard_ms for turn in report.bot_turns)


def heard_last_ms(report: CallReport) -> float:
    """How much of that came after the caller's last word."""
    last = max((turn.start_ms for turn in report.turns if turn.role == "caller"), default=0.0)
    return sum(turn.heard_ms for turn in report.bot_turns if turn.start_ms > last)


async def play(
    folder: Path, scenes: Mapping[str, Scene], *, preloaded: bool = True
) -> dict[str, Played]:
    """Place these calls on one server, ``AT_ONCE`` at a time, by the names of the scenes; each is a
    template's too.

    Args:
        preloaded: As in :func:`tests.server.serving`.
    """
    numbers = {name: f"+9180471{index:05}" for index, name in enumerate(scenes, start=10_000)}
    book = ",".join(f"{number}={name}" for name, number in numbers.items())
    templates = {name: scene.template for name, scene in scenes.items()}
    limits = {name: scene.limits or {} for name, scene in scenes.items()}
    async with (
        serving(
            folder, templates, waits=WAITS, limits=limits, preloaded=preloaded, EXOTEL_NUMBERS=book
        ) as server,
        Exotel() as exotel,
    ):
        places = asyncio.Semaphore(AT_ONCE)

        async def one(name: str, scene: Scene) -> Played:
            plan = replace(scene.plan, url=server.url, script=scene.script, called=numbers[name])
            async with places:
                report = await exotel.call(plan)
                return await _look(server, name, report)

        found = await asyncio.gather(*(one(*item) for item in scenes.items()))
    return dict(zip(scenes, found, strict=True))


async def _look(server: Server, name: str, report: CallReport) -> Played:
    call = await server.until_over(report.call_sid)
    store = server.bridge.store
    return Played(
        report=report,
        call=call,
        events=await store.events(report.call_sid),
        turns=await store.turns(report.call_sid),
        log=server.log(call_sid=report.call_sid),
        told=await _told(server, name, report.call_sid),
    )


async def _told(server: Server, name: str, call_sid: str) -> list[UserTurn]:
    table = server.bridge.templates[name].dialogue
    if table.provider != "fake":
        return []
    pool = server.bridge.services.pool
    provider = await pool.get(Kind.DIALOGUE, table.provider, table.options, FakeDialogue)
    sessions = [each for each in provider.sessions if each.context.call_sid == call_sid]
    return [turn for session in sessions for turn in session.turns]
