"""The front desk's decisions, on a store of its own and at a given time of day."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from exobridge.admission import OwnAdmission
from exobridge.call import events
from exobridge.call.events import Decision, EndedBy
from exobridge.call.plan import CallPlan
from exobridge.call.state import Outcome
from exobridge.desk import Desk
from exobridge.exotel.messages import Started
from exobridge.exotel.passthru import PassthruParams
from exobridge.exotel.times import IST
from exobridge.numbers import NumberBook
from exobridge.recorder import StoreRecorder
from exobridge.routing import Applications, Routing
from exobridge.store import Store
from exobridge.templates import Template
from exobridge_providers.base import Resumption
from tests.database import migrated, rename

OURS, OTHER, HUMAN = "08047112233", "08047112244", "09811122233"
BOOK = NumberBook.parse(f"+91{OURS[1:]}=shop,+91{OTHER[1:]}=night")
OPEN = {"timezone": "Asia/Kolkata", "sat": ["09:00-18:00"]}
SATURDAY = datetime(2026, 11, 21, 17, 59, tzinfo=IST)


@dataclass(slots=True)
class Front:
    """A desk, and what it told.

    Attributes:
        now: The time of day; to be set.
        accepted: The plans of the calls it took.
    """

    store: Store
    now: datetime = SATURDAY
    accepted: list[CallPlan] = field(default_factory=list[CallPlan])
    templates: dict[str, Template] = field(default_factory=dict[str, Template])

    def desk(self, numbers: NumberBook = BOOK, max_calls: int = 10) -> Desk:
        """A desk as a process makes it when it starts."""
        return Desk(
            templates={"default": Template(), "shop": Template(), **self.templates},
            numbers=numbers,
            store=self.store,
            recorder=StoreRecorder(self.store),
            routing=Routing(Applications()),
            admission=lambda unused, _: OwnAdmission(max_calls, 60, unused),
            on_accept=self.accepted.append,
            clock=lambda: self.now,
            store_seconds=20.0,
        )


@asynccontextmanager
async def front(folder: Path, **templates: Template) -> AsyncGenerator[Front]:
    """A front with a store that is closed at the end."""
    migrated(folder / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'calls.sqlite3'}")
    try:
        yield Front(store, templates={"night": Template(), **templates})
    finally:
        await store.aclose()


def asking(call_sid: str = "c1", called: str = OURS) -> PassthruParams:
    """An incoming call's question."""
    return PassthruParams(call_sid, call_from=HUMAN, call_to=called)


def opening(call_sid: str = "c1", called: str = OURS, **parameters: str) -> Started:
    """A stream's start."""
    return Started(
        "s1", call_sid, from_number=HUMAN, to_number=called, custom_parameters=parameters
    )


async def test_a_call_that_was_taken_in_time_stays_taken(tmp_path: Path) -> None:
    """The hours count when a call is first asked about: it is not turned away by a second
    question, or when its stream opens, a minute after closing. The next call is."""
    closing = Template.model_validate({"hours": OPEN})
    async with front(tmp_path, shop=closing) as at:
        desk = at.desk()
        assert (await desk.answer(asking())).decision is Decision.ACCEPT
        at.now += timedelta(minutes=1)
        assert (await desk.answer(asking())).decision is Decision.ACCEPT
        assert await desk.plan_stream(opening()) is not None
        late = await desk.answer(asking("c2"))
        assert (late.decision, late.reason) == (Decision.REFUSE, "closed")
        assert await desk.plan_stream(opening("c3")) is None
        assert await desk.plan_stream(opening("c2")) is None
        desk.close()


async def test_a_decision_outlives_the_process(tmp_path: Path) -> None:
    """Another desk on the same store tells the same: who was refused stays refused although there
    is room now, and who was taken keeps their template although the number has another one."""
    async with front(tmp_path) as at:
        before = at.desk(max_calls=1)
        await before.answer(asking("taken"))
        assert (await before.answer(asking("refused"))).reason == "busy"
        before.close()
        after = at.desk(NumberBook.parse(f"+91{OURS[1:]}=night"))
        taken = await after.answer(asking("taken"))
        assert (taken.decision, taken.template_name) == (Decision.ACCEPT, "shop")
        refused = await after.answer(asking("refused"))
        assert (refused.decision, refused.reason) == (Decision.REFUSE, "busy")
        assert after.admission.calls == 1
        after.close()


async def test_a_template_that_is_gone_is_replaced_by_the_numbers(tmp_path: Path) -> None:
    """What a former process kept may name what this one does not have."""
    async with front(tmp_path, old=Template()) as at:
        before = at.desk(NumberBook.parse(f"+91{OURS[1:]}=old"))
        await before.answer(asking())
        before.close()
        del at.templates["old"]
        after = at.desk()
        assert (await after.answer(asking())).template_name == "shop"
        after.close()


async def test_what_was_asked_and_what_was_streamed_are_one_plan(tmp_path: Path) -> None:
    """The stream's own parameters come to what the answer knew, an outgoing call's roles above
    all: in ``start`` the human is always ``from``."""
    async with front(tmp_path) as at:
        desk = at.desk()
        outgoing = PassthruParams(
            "c1", "outgoing", call_from=OURS, call_to=HUMAN, custom_field='{"template": "night"}'
        )
        await desk.answer(outgoing)
        plan = await desk.plan_stream(opening(called=OURS, lang="hi"))
        assert plan is not None
        assert (plan.template_name, plan.direction) == ("night", "outgoing")
        assert (plan.caller, plan.called) == ("+919811122233", "+918047112233")
        assert plan.parameters == {"lang": "hi"}
        assert plan.variables()["param.lang"] == "hi"
        assert plan.variables()["custom_field"] == '{"template": "night"}'
        (accepted,) = at.accepted
        assert (accepted.template_name, accepted.say) == ("night", None)
        desk.close()


async def test_a_spoken_refusal_has_the_line_of_its_reason(tmp_path: Path) -> None:
    """Closed, busy and unknown each have their own; and the line is known before the stream
    opens, so that it can be rendered."""
    spoken = Template.model_validate(
        {
            "hours": OPEN,
            "refusal": {"mode": "say", "closed": "Closed.", "busy": "Busy.", "unknown": "Who?"},
        }
    )
    async with front(tmp_path, shop=spoken, default=spoken) as at:
        desk = at.desk(max_calls=1)
        await desk.answer(asking("taken"))
        await desk.answer(asking("busy"))
        at.now += timedelta(hours=5)
        await desk.answer(asking("closed"))
        assert [(plan.call_sid, plan.say, plan.refusal) for plan in at.accepted] == [
            ("taken", None, ""),
            ("busy", "Busy.", "busy"),
            ("closed", "Closed.", "closed"),
        ]
        streamed = await desk.plan_stream(opening("busy"))
        assert streamed is not None
        assert (streamed.say, streamed.refusal) == ("Busy.", "busy")
        desk.close()
        unknown = at.desk()
        await unknown.answer(asking("unknown", called="08047999999"))
        assert at.accepted[-1].say == "Who?"
        unknown.close()


async def test_without_numbers_every_call_has_the_default_template(tmp_path: Path) -> None:
    """Even one whose numbers nobody can read."""
    async with front(tmp_path) as at:
        desk = at.desk(NumberBook())
        anonymous = PassthruParams("c1", call_from="anonymous", call_to="sip:bot@example.com")
        verdict = await desk.answer(anonymous)
        assert (verdict.decision, verdict.template_name) == (Decision.ACCEPT, "default")
        assert (verdict.caller, verdict.called) == ("", "")
        desk.close()


async def test_a_store_that_fails_costs_no_caller_their_call(tmp_path: Path) -> None:
    """The call is taken and counted, and the operator is told."""
    async with front(tmp_path) as at:
        desk = at.desk()
        await at.store.aclose()
        with capture_logs() as entries:
            verdict = await desk.answer(asking())
        assert verdict.decision is Decision.ACCEPT
        assert desk.admission.calls == 1
        errors = [entry["event"] for entry in entries if entry["log_level"] == "error"]
        assert "answer not recorded" in errors
        desk.close()


async def test_a_refused_call_has_its_outcome_at_once(tmp_path: Path) -> None:
    """With the reason, and nobody waits for a stream."""
    async with front(tmp_path) as at:
        desk = at.desk()
        await desk.answer(asking(called="08047999999"))
        call = await at.store.call("c1")
        assert call is not None
        assert (call.outcome, call.reason) == (Outcome.REFUSED, "unknown-number")
        assert at.accepted == []
        assert desk.admission.calls == 0
        desk.close()


async def test_a_call_that_comes_back_is_not_asked_again_whether_the_house_is_open(
    tmp_path: Path,
) -> None:
    """One that came by a static URL, without a question, neither; a new caller is."""
    closing = Template.model_validate({"hours": OPEN})
    async with front(tmp_path, shop=closing) as at:
        desk = at.desk()
        first = await desk.plan_stream(opening())
        assert first is not None
        for event in (
            events.stream_started("c1", at.now, stream_sid="s1", template="shop"),
            events.transfer_requested(
                "c1", at.now, stream_sid="s1", utterance="turn-3", target="sales"
            ),
            events.stream_ended("c1", at.now, stream_sid="s1", ended_by=EndedBy.BOT),
        ):
            await at.store.append(event)
        desk.admission.release("c1")
        at.now += timedelta(minutes=1)
        again = await desk.plan_stream(replace(opening(), stream_sid="s2"))
        assert again is not None
        assert again.resumed == Resumption("transfer-failed", "sales")
        assert await desk.plan_stream(opening("c2")) is None
        desk.close()


async def test_a_call_whose_turns_cannot_be_read_goes_on_without_them(tmp_path: Path) -> None:
    """It knows why, and the log says what it lacks."""
    async with front(tmp_path) as at:
        desk = at.desk()
        await at.store.append(events.stream_started("c1", at.now, stream_sid="s1", template="shop"))
        await rename(tmp_path / "calls.sqlite3", "turns", "gone")
        with capture_logs() as log:
            plan = await desk.plan_stream(replace(opening(), stream_sid="s2"))
        assert plan is not None
        assert (plan.resumed, plan.history) == (Resumption("dropped"), ())
        assert [entry["event"] for entry in log] == ["history not looked up"]
        desk.close()
