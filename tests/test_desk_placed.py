"""The front desk and the calls that we placed: whose they are, and that they are taken."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from exobridge.call import events
from exobridge.call.events import Decision, EventKind
from exobridge.call.placed import PlacedCall
from exobridge.desk import CUSTOM_FIELD, Desk
from exobridge.exotel.callback import StatusCallback
from exobridge.exotel.passthru import PassthruParams
from exobridge.greetings import Greetings
from exobridge.passthrus import Passthrus
from exobridge.recorder import StoreRecorder
from exobridge.recordings.service import Recordings
from exobridge.routing import Applications, Routing
from exobridge.settings import Settings
from exobridge.status_callbacks import StatusCallbacks
from exobridge.store import Store
from exobridge.templates import Template
from tests.test_desk import OPEN, Front, front, opening

HUMAN, EXOPHONE = "+919811122233", "+918047112233"
FIELD = "xb:d1:1"
PLACED = PlacedCall(
    dial="d1",
    template="night",
    caller=HUMAN,
    called=EXOPHONE,
    custom_field=FIELD,
    variables=(("name", "Asha"),),
)
NIGHT = Template.model_validate(
    {"greeting": "Hello {name}.", "variables": {"name": "there"}, "hours": OPEN}
)


@dataclass(slots=True)
class Ledger:
    """Knows one dial, whose call may be adopted once.

    Attributes:
        asked: How often it was asked.
    """

    store: Store
    call_sid: str = ""
    asked: list[str] = field(default_factory=list[str])

    async def adopt(self, call_sid: str, custom_field: str, at: datetime) -> PlacedCall | None:
        """As calling out does it."""
        self.asked.append(call_sid)
        if custom_field != FIELD or self.call_sid not in ("", call_sid):
            return None
        self.call_sid = call_sid
        await self.store.append(events.placed(call_sid, at, PLACED))
        return PLACED

    async def adopt_stream(
        self, call_sid: str, number: str, exophone: str, at: datetime
    ) -> PlacedCall | None:
        """Likewise; the dial is being placed."""
        ours = (number, exophone) == (HUMAN, EXOPHONE)
        return await self.adopt(call_sid, FIELD, at) if ours else None


@asynccontextmanager
async def at_the_desk(folder: Path) -> AsyncGenerator[tuple[Desk, Ledger, Front]]:
    """A desk that can ask whose a call is, at nine in the evening, when it is closed."""
    async with front(folder, night=NIGHT) as at:
        at.now = at.now.replace(hour=21)
        desk, ledger = at.desk(), Ledger(at.store)
        desk.use_outbound(ledger)
        yield desk, ledger, at
        desk.close()


def asking(call_sid: str = "c1", custom_field: str = FIELD) -> PassthruParams:
    """What an outgoing call's applet asks with."""
    return PassthruParams(
        call_sid, "outgoing", call_from=EXOPHONE, call_to=HUMAN, custom_field=custom_field
    )


async def test_a_call_that_is_heard_of_first_is_known_by_its_field(tmp_path: Path) -> None:
    """Its template is the dial's, not its number's; it is taken although the bot's own hours are
    over; and its greeting has the dial's variables."""
    async with at_the_desk(tmp_path) as (desk, ledger, at):
        verdict = await desk.answer(asking())
        assert (verdict.decision, verdict.template_name) == (Decision.ACCEPT, "night")
        assert (verdict.caller, verdict.called, verdict.direction) == (HUMAN, EXOPHONE, "outgoing")
        assert at.accepted[0].opening()[1] == "Hello Asha."
        plan = await desk.plan_stream(opening())
        assert plan is not None
        assert plan.opening()[1] == "Hello Asha."
        assert ledger.asked == ["c1"]


async def test_who_is_called_is_known_whatever_the_webhook_says(tmp_path: Path) -> None:
    """As Exotel's roles of an outgoing call's numbers are not the same everywhere."""
    async with at_the_desk(tmp_path) as (desk, _, _):
        verdict = await desk.answer(replace(asking(), direction="incoming"))
        assert (verdict.caller, verdict.called, verdict.direction) == (HUMAN, EXOPHONE, "outgoing")


@pytest.mark.parametrize("custom_field", ["", "night", "xb:d2:1", "xb:d1:2", "xb:"])
async def test_another_call_is_none_of_ours(tmp_path: Path, custom_field: str) -> None:
    """It has its number's template, and the hours hold for it."""
    async with at_the_desk(tmp_path) as (desk, ledger, at):
        verdict = await desk.answer(asking(custom_field=custom_field))
        assert verdict.template_name == ("night" if custom_field == "night" else "shop")
        known = await at.store.call("c1")
        assert known is not None
        assert known.placed.dial == ""
        assert bool(ledger.asked) is custom_field.startswith("xb:d")


async def test_a_stream_that_comes_first_names_the_dial(tmp_path: Path) -> None:
    """By the token in its URL, or by a parameter of the flow's own URL."""
    async with at_the_desk(tmp_path) as (desk, ledger, _):
        plan = await desk.plan_stream(opening(), FIELD)
        assert plan is not None
        assert (plan.placed.dial, plan.template_name, plan.direction) == ("d1", "night", "outgoing")
        ledger.call_sid = ""
        plan = await desk.plan_stream(replace(opening("c2", **{CUSTOM_FIELD: FIELD})))
        assert plan is not None
        assert plan.placed.dial == "d1"


async def test_a_static_stream_that_comes_first_is_known_by_whom_we_call(tmp_path: Path) -> None:
    """Nothing else stands in it. One of another person is not ours, nor one that came in."""
    async with at_the_desk(tmp_path) as (desk, ledger, _):
        stranger = replace(opening("c1"), from_number="09811122234")
        for started in (stranger, replace(opening("c2"), direction="incoming")):
            assert await desk.plan_stream(started) is not None
        assert ledger.call_sid == ""
        plan = await desk.plan_stream(opening("c3"))
        assert plan is not None
        assert (plan.placed.dial, plan.template_name) == ("d1", "night")
        assert plan.opening()[1] == "Hello Asha."


async def test_a_token_that_is_used_for_another_call_opens_nothing(tmp_path: Path) -> None:
    """Be that call known or not, and ours or not."""
    async with at_the_desk(tmp_path) as (desk, _, _):
        assert await desk.plan_stream(opening(), FIELD) is not None
        assert await desk.plan_stream(opening("c2"), FIELD) is None
        await desk.answer(asking("c3", ""))
        assert await desk.plan_stream(opening("c3"), FIELD) is None
        assert await desk.plan_stream(opening(), "xb:d2:1") is None


async def test_who_is_being_called_is_served_though_the_server_stops(tmp_path: Path) -> None:
    """Their telephone rings at our wish. Who calls us is turned away."""
    async with at_the_desk(tmp_path) as (desk, _, _):
        desk.drain()
        assert (await desk.answer(asking())).decision is Decision.ACCEPT
        assert (await desk.answer(asking("c2", ""))).decision is Decision.REFUSE
        desk.say_goodbye()
        assert (await desk.answer(asking())).decision is Decision.REFUSE


async def test_every_webhook_knows_it(tmp_path: Path) -> None:
    """A Greeting applet, a Passthru and the status callback, whichever comes first."""
    async with at_the_desk(tmp_path) as (desk, ledger, at):
        recorder, routing = StoreRecorder(at.store), Routing(Applications())
        settings = Settings.read({"EXOBRIDGE_DATA_DIR": str(tmp_path)})
        recordings = Recordings.of(settings, at.store, recorder, None)
        greetings = Greetings(desk=desk, routing=routing, clock=lambda: at.now, store_seconds=20.0)
        passthrus = Passthrus(
            desk=desk,
            routing=routing,
            recorder=recorder,
            recordings=recordings,
            clock=lambda: at.now,
            store_seconds=20.0,
        )
        callbacks = StatusCallbacks(
            recorder=recorder,
            recordings=recordings,
            clock=lambda: at.now,
            look_up=desk.look_up,
            store_seconds=20.0,
        )
        assert (await greetings.ask(asking("c1"))).text == "Hello Asha."
        ledger.call_sid = ""
        await passthrus.ask(asking("c2"))
        ledger.call_sid = ""
        await callbacks.take(StatusCallback("c3", "busy", custom_field=FIELD))
        for call_sid in ("c1", "c2", "c3"):
            known = await at.store.call(call_sid)
            assert known is not None
            assert (known.placed.dial, known.caller) == ("d1", HUMAN)
        told = await at.store.events("c3")
        assert [event.kind for event in told] == [EventKind.PLACED, EventKind.STATUS]
