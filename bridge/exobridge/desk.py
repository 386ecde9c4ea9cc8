"""The front desk: whether a call is taken, with which template, and what its stream shall do.

Exotel asks first (``/exotel/answer``) and opens the stream after; with a static URL the stream may
come first, or without any question. Both are joined by CallSid, and a call that asks again is told
the same and counted once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

import structlog

from exobridge.admission import MakeAdmission
from exobridge.call import events
from exobridge.call.events import Decision, Turn
from exobridge.call.placed import NOT_PLACED
from exobridge.call.plan import CallPlan, Recorder, going_on
from exobridge.call.resuming import resumption
from exobridge.call.routed import NOT_ROUTED, Routed
from exobridge.call.session import CallSession
from exobridge.call.state import Call
from exobridge.exotel.messages import Started
from exobridge.exotel.passthru import PassthruParams
from exobridge.exotel.words import read_direction
from exobridge.numbers import DEFAULT_TEMPLATE, Book, normalise
from exobridge.routing import Routing
from exobridge.store import Store, StoreError
from exobridge.store.dial_types import read_custom_field
from exobridge.store.patience import Patience
from exobridge.templates import Template, Templates, is_open
from exobridge.templates.text import escape

UNKNOWN, CLOSED, BUSY, DRAINING = "unknown-number", "closed", "busy", "draining"
ROUTED = "routed"
"""Why a call is turned away; ``routed``: a rule sent it to the flow's branch B."""
_REASONS = {"closed": CLOSED, "busy": BUSY, "unknown": UNKNOWN}
"""By what a rule refuses with."""
REPLACED = "replaced by a newer stream"
SHUTDOWN = "shutdown"
"""Why a call is ended."""

DIRECTION = "direction"
"""Custom parameter of a stream that tells what ``start`` does not: ``outgoing``, ``incoming``."""

CUSTOM_FIELD = "CustomField"
"""Custom parameter of a stream that names the dial, where the flow's own URL brings it along."""

_log = structlog.stdlib.get_logger("exobridge.desk")


class Adopts(Protocol):
    """Knows the calls that we have placed."""

    async def adopt(self, call_sid: str, custom_field: str, at: datetime) -> object | None:
        """A webhook tells of a call; if we have placed it, its record says so from now on.

        Returns:
            ``None``: it is none of ours.

        Raises:
            StoreError: The database cannot be asked.
        """
        ...

    async def adopt_stream(
        self, call_sid: str, number: str, exophone: str, at: datetime
    ) -> object | None:
        """Likewise of a stream whose call nothing else has told of."""
        ...


class Doors(Enum):
    """Whom the desk takes in."""

    OPEN = auto()
    DRAINING = auto()
    """The calls that were taken before; they may open another stream."""
    SHUT = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done with a call.

    Attributes:
        decision: Converse, say one line, or refuse.
        reason: Empty, or why it is turned away.
        template_name: Whose rules apply.
        caller, called: E.164, or empty.
        routed: What the template's rules decided.
    """

    decision: Decision
    reason: str
    template_name: str
    template: Template
    caller: str = ""
    called: str = ""
    direction: str = "incoming"
    custom_field: str = ""
    routed: Routed = NOT_ROUTED


class Desk:
    """The front desk of this process.

    Args:
        templates: In force for calls that come from now on.
        numbers: The ExoPhones and their templates.
        routing: Asks the rules of the templates.
        admission: Makes what gives out slots; told whom to tell.
        on_accept: Told of each accepted call, to make its greeting ready.
        clock: The time of day, aware.
        store_seconds: Longest wait for the database, each time it is asked.

    Attributes:
        turned_away: Streams that came unasked, as a static URL's do, and were turned away, by a
            spoken line or without a word; by reason.
    """

    def __init__(
        self,
        *,
        templates: Templates,
        numbers: Book,
        store: Store,
        recorder: Recorder,
        routing: Routing,
        admission: MakeAdmission,
        on_accept: Callable[[CallPlan], None],
        clock: Callable[[], datetime],
        store_seconds: float,
    ) -> None:
        self._templates = templates
        self._numbers = numbers
        self._store = store
        self._recorder = recorder
        self._routing = routing
        self._clock = clock
        self._patience = Patience(store_seconds)
        self._adopts: Adopts | None = None
        self._on_accept = on_accept
        self.admission = admission(self._slot_unused, self._replaced)
        self.sessions: dict[str, CallSession] = {}
        self.turned_away: Counter[str] = Counter()
        self._doors = Doors.OPEN

    def use_outbound(self, adopts: Adopts) -> None:
        """From now on ask this about calls that may be ours."""
        self._adopts = adopts

    async def look_up(self, call_sid: str, custom_field: str = "") -> Call | None:
        """The call as it is known. One that we have placed may be heard of before Exotel has told
        its CallSid: its ``CustomField`` says whose it is.

        Raises:
            StoreError: The database cannot be asked.
        """
        known = await self._store.call(call_sid)
        if self._adopts is None or (known is not None and known.placed.dial):
            return known
        if read_custom_field(custom_field) is None:
            return known
        if await self._adopts.adopt(call_sid, custom_field, self._clock()) is None:
            return known
        return await self._store.call(call_sid)

    # -------------------------------------------------------------- the question

    async def answer(self, params: PassthruParams) -> Verdict:
        """Decide on a call that Exotel asks about, and keep the decision."""
        known = await self._known(self.look_up(params.call_sid, params.custom_field))
        verdict = await self._verdict(params, known)
        event = events.answer(
            params.call_sid,
            self._clock(),
            decision=verdict.decision,
            reason=verdict.reason,
            template=verdict.template_name,
            caller=verdict.caller,
            called=verdict.called,
            direction=verdict.direction,
            custom_field=verdict.custom_field,
            routed=verdict.routed if verdict.routed.entry else None,
        )
        try:
            await self._patience.wait(self._recorder.append(event))
        except StoreError as error:
            # The caller is on the line now; a full disk is the operator's trouble, not theirs.
            _log.error("answer not recorded", error=str(error))
        if verdict.decision is not Decision.REFUSE:
            self._on_accept(_plan(params.call_sid, verdict, {}, known))
        return verdict

    def place(self, params: PassthruParams, known: Call | None) -> Verdict:
        """Whose rules apply to a call and who is on it; nothing is decided and nothing kept."""
        return _as_known(self._placed(params, known)[1], known)

    def entry(self, params: PassthruParams, known: Call | None) -> Verdict:
        """The same, with the template whose rules are asked: a call that they sent to another
        template is still routed by them."""
        placed = self.place(params, known)
        entry = known.routed.entry if known is not None else ""
        if entry not in self._templates:
            return placed
        return replace(placed, template_name=entry, template=self._templates[entry])

    def _placed(self, params: PassthruParams, known: Call | None) -> tuple[str | None, Verdict]:
        """The call's template (``None``: its number is nobody's), and the call as one that is
        taken."""
        params = self.with_direction(params)
        name = self._template_name(params, known)
        template = self._templates[name or DEFAULT_TEMPLATE]
        verdict = Verdict(
            Decision.ACCEPT,
            "",
            name or DEFAULT_TEMPLATE,
            template,
            caller=normalise(params.human) or "",
            called=self._exophone(params),
            direction=params.direction or template.stream.default_direction,
            custom_field=params.custom_field,
        )
        return name, _as_known(verdict, known) if _is_placed(known) else verdict

    async def _verdict(
        self,
        params: PassthruParams,
        known: Call | None,
        stream_sid: str = "",
        *,
        again: bool = False,
    ) -> Verdict:
        name, verdict = self._placed(params, known)
        decided = _decided(known)
        if not self._takes(known):
            # Said without a word: a spoken line would need a stream.
            verdict = replace(verdict, decision=Decision.REFUSE, reason=DRAINING)
        elif known is not None and decided in (Decision.SAY, Decision.REFUSE):
            # Asked again, it is told the same.
            verdict = replace(verdict, decision=decided, reason=known.reason, routed=known.routed)
        elif name is None:
            verdict = _refuse(verdict, UNKNOWN)
        elif known is not None and (again or decided is not None or known.routed.entry):
            verdict = replace(verdict, routed=known.routed)
        else:
            verdict = await self._routed(params, verdict)
            shut = not is_open(verdict.template.hours, self._clock())
            if not verdict.reason and shut and not _is_placed(known):
                verdict = _refuse(verdict, CLOSED)
        if known is not None and known.streams and not stream_sid:
            # Its slot is its stream's, or was: a Passthru late in the flow asks for none, and a
            # further stream finds its own.
            return verdict
        return await self._admit(params.call_sid, verdict, stream_sid, again=again)

    async def _routed(self, params: PassthruParams, verdict: Verdict) -> Verdict:
        """The verdict as the rules of its template have it."""
        if not verdict.template.routes:
            return verdict
        route = await self._routing.route(
            verdict.template_name,
            verdict.template,
            replace(params, direction=verdict.direction),
            caller=verdict.caller,
            called=verdict.called,
            now=self._clock(),
            endpoint="answer",
        )
        name = route.template if route.template in self._templates else verdict.template_name
        routed = Routed(
            verdict.template_name,
            route.rule,
            route.language,
            route.say,
            route.body,
            tuple(sorted(route.variables.items())),
        )
        template = self._templates[name]
        verdict = replace(verdict, template_name=name, template=template, routed=routed)
        if route.branch == "b":
            return replace(verdict, decision=Decision.REFUSE, reason=ROUTED)
        return _refuse(verdict, _REASONS[route.refuse]) if route.refuse else verdict

    async def _admit(
        self, call_sid: str, verdict: Verdict, stream_sid: str, *, again: bool
    ) -> Verdict:
        """Find the verdict a slot; without one the call is turned away."""
        take = self.admission.take
        if verdict.decision is Decision.ACCEPT and not await take(
            call_sid, again=again, stream_sid=stream_sid
        ):
            verdict = _refuse(verdict, BUSY)
        if verdict.decision is Decision.SAY and not await take(
            call_sid, refusal=True, stream_sid=stream_sid
        ):
            verdict = replace(verdict, decision=Decision.REFUSE)
        return verdict

    def template(self, name: str) -> Template | None:
        """One of the templates in force."""
        return self._templates.get(name)

    def logs(self) -> bool:
        """Whether the facts of any template's calls are to be delivered."""
        return any(template.log.url for template in self._templates.values())

    def use_templates(self, templates: Templates) -> None:
        """Put these in force for calls that come from now on."""
        self._templates = templates

    def _template_name(self, params: PassthruParams, known: Call | None) -> str | None:
        """The template of a call; ``None``: its number is nobody's."""
        if known is not None and known.template in self._templates:
            return known.template
        if params.direction == "outgoing":
            named = _named_in(params.custom_field)
            if named in self._templates:
                return named
        for number in params.exophones:
            found = self._numbers.template_for(normalise(number))
            if found is not None:
                return found
        return None

    def with_direction(self, params: PassthruParams) -> PassthruParams:
        """Where nothing else tells, a call from a number of ours to one that is not is outgoing."""
        numbers = self._numbers
        if params.direction or not numbers.is_set:
            return params
        ours, theirs = map(numbers.template_for, (params.call_from, params.call_to))
        return replace(params, direction="outgoing") if ours and not theirs else params

    def _exophone(self, params: PassthruParams) -> str:
        """Which of the call's numbers is ours."""
        numbers = [normalise(number) for number in params.exophones]
        for number in numbers:
            if number is not None and self._numbers.is_set and self._numbers.template_for(number):
                return number
        return numbers[0] or ""

    async def _known(self, looked_up: Coroutine[Any, Any, Call | None]) -> Call | None:
        try:
            return await self._patience.wait(looked_up)
        except StoreError as error:
            _log.error("call not looked up", error=str(error))
            return None

    # -------------------------------------------------------------- the stream

    async def plan_stream(self, started: Started, placed_as: str = "") -> CallPlan | None:
        """What a stream shall do that has begun; ``None``: it is turned away without a word.

        Args:
            placed_as: The ``CustomField`` that its URL is bound to; empty: to none.
        """
        named = placed_as or started.custom_parameters.get(CUSTOM_FIELD, "")
        known = await self._known(self._look_up_stream(started, named))
        if placed_as and (known is None or known.placed.custom_field != placed_as):
            _log.warning("stream refused", reason="the token is another call's")
            return None
        again = resumption(known, started.stream_sid) is not None
        verdict = await self._verdict(
            _in_a_webhooks_words(started), known, started.stream_sid, again=again
        )
        verdict = _as_known(verdict, known)
        if verdict.reason and _decided(known) is None:
            self.turned_away[verdict.reason] += 1
        if verdict.decision is Decision.REFUSE:
            _log.warning("stream turned away", call_sid=started.call_sid, reason=verdict.reason)
            return None
        plan = _plan(started.call_sid, verdict, started.custom_parameters, known)
        if known is None or not again or plan.say is not None:
            return plan
        try:
            return await self._going_on(plan, known, started.stream_sid)
        except BaseException:  # its session will not enter, and so not leave
            self.admission.release(started.call_sid)
            raise

    async def _look_up_stream(self, started: Started, named: str) -> Call | None:
        """As :meth:`look_up`. Where nothing names the dial, as with a static URL, and nothing has
        been heard of the call, it is the one that we are just having placed to this number."""
        known = await self.look_up(started.call_sid, named)
        number, exophone = normalise(started.from_number), normalise(started.to_number)
        if known is not None or named or self._adopts is None or not number or not exophone:
            return known
        if read_direction(started.direction) == "incoming":
            return None
        at = self._clock()
        if await self._adopts.adopt_stream(started.call_sid, number, exophone, at) is None:
            return None
        return await self._store.call(started.call_sid)

    async def _going_on(self, plan: CallPlan, known: Call, stream_sid: str) -> CallPlan:
        """The plan of a call that was in conversation before."""
        turns: list[Turn] = []
        try:
            known, turns = await self._patience.wait(self._looked_back(known))
        except StoreError as error:
            _log.error("history not looked up", call_sid=plan.call_sid, error=str(error))
        return going_on(plan, known, turns, stream_sid)

    async def _looked_back(self, known: Call) -> tuple[Call, list[Turn]]:
        """The call, and what was said in it, all that waits written. A stream of it that is open
        still is a dead socket's."""
        before = self.sessions.pop(known.call_sid, None)  # its slot is the new stream's
        if before is not None:
            await before.hung_up(REPLACED)
        await self._store.flush()
        call = await self._store.call(known.call_sid)
        return call or known, await self._store.turns(known.call_sid)

    def enter(self, call_sid: str, session: CallSession) -> None:
        """This session holds the call now. One that held it before is a dead socket's."""
        before = self.sessions.get(call_sid)
        self.sessions[call_sid] = session
        if before is not None:
            before.hang_up(REPLACED)

    def leave(self, call_sid: str, session: CallSession) -> None:
        """This session is over."""
        if self.sessions.get(call_sid) is session:
            del self.sessions[call_sid]
            self.admission.release(call_sid)

    def _replaced(self, call_sid: str) -> None:
        """Another worker holds a newer stream of this call."""
        if session := self.sessions.get(call_sid):
            session.hang_up(REPLACED)

    def _slot_unused(self, call_sid: str) -> None:
        _log.warning("no stream came", call_sid=call_sid)
        self._recorder.append_soon(events.no_stream(call_sid, self._clock()))

    # -------------------------------------------------------------- the end

    @property
    def is_draining(self) -> bool:
        """Whether new calls are turned away because the process stops."""
        return self._doors is not Doors.OPEN

    @property
    def calls_left(self) -> int:
        """Open calls, and those that were answered and whose stream is to come."""
        return len(self.sessions) + self.admission.waiting

    def drain(self) -> None:
        """Take no new call from now on."""
        self._doors = Doors.DRAINING

    def say_goodbye(self) -> None:
        """Let every call hear its goodbye line, and take no stream from now on."""
        self._doors = Doors.SHUT
        for session in list(self.sessions.values()):
            session.say_goodbye(SHUTDOWN)

    def close(self) -> None:
        """End every call."""
        self._doors = Doors.SHUT
        self.admission.close()
        for session in list(self.sessions.values()):
            session.hang_up(SHUTDOWN)

    def _takes(self, known: Call | None) -> bool:
        if self._doors is not Doors.DRAINING:
            return self._doors is Doors.OPEN
        if _is_placed(known):  # the telephone rings at our wish
            return True
        return known is not None and (_decided(known) is not None or known.streams > 0)


def _in_a_webhooks_words(started: Started) -> PassthruParams:
    """What ``start`` tells of the call. Its numbers stand as on an incoming call, also "on outbound
    calls": there ``from`` is the customer dialled."""
    params = PassthruParams(started.call_sid, "", started.from_number, started.to_number)
    stated = started.custom_parameters.get(DIRECTION, "")
    direction = read_direction(started.direction) or read_direction(stated)
    if direction != "outgoing":
        return replace(params, direction=direction)
    return replace(params, direction=direction, call_from=params.call_to, call_to=params.call_from)


def _is_placed(known: Call | None) -> bool:
    """Whether we had the call placed."""
    return known is not None and bool(known.placed.dial)


def _decided(known: Call | None) -> Decision | None:
    """What the call was told before. That one process was stopping binds no other."""
    return None if known is None or known.reason == DRAINING else known.decision


def _as_known(verdict: Verdict, known: Call | None) -> Verdict:
    """With what the first webhook told of the call, which a later one may not."""
    if known is None:
        return verdict
    return replace(
        verdict,
        routed=verdict.routed if verdict.routed.entry else known.routed,
        caller=known.caller or verdict.caller,
        called=known.called or verdict.called,
        direction=known.direction or verdict.direction,
        custom_field=known.custom_field or verdict.custom_field,
    )


def _refuse(verdict: Verdict, reason: str) -> Verdict:
    speaks = verdict.template.refusal.mode == "say"
    decision = Decision.SAY if speaks else Decision.REFUSE
    return replace(verdict, decision=decision, reason=reason)


def _plan(call_sid: str, verdict: Verdict, parameters: Any, known: Call | None) -> CallPlan:
    routed = verdict.routed
    refusal = verdict.template.refusal_in(routed.language or verdict.template.language)
    lines = {UNKNOWN: refusal.unknown, CLOSED: refusal.closed, BUSY: refusal.busy}
    plan = CallPlan(
        call_sid=call_sid,
        template_name=verdict.template_name,
        template=verdict.template,
        caller=verdict.caller,
        called=verdict.called,
        direction=verdict.direction,
        custom_field=verdict.custom_field,
        parameters=parameters,
        language=routed.language,
        routed=routed,
        placed=NOT_PLACED if known is None else known.placed,
    )
    if verdict.decision is Decision.SAY:
        line = escape(routed.say) or lines.get(verdict.reason, refusal.busy)
        return replace(plan, say=line, refusal=verdict.reason)
    return plan


def _named_in(custom_field: str) -> str:
    """The template a ``CustomField`` names: the field is its name, or JSON or a query string with a
    key ``template``."""
    try:
        value: Any = json.loads(custom_field)
    except (ValueError, RecursionError):
        pairs = dict(parse_qsl(custom_field))
        return pairs.get("template", custom_field.strip())
    if isinstance(value, dict):
        named = cast(dict[str, Any], value).get("template")
        return named if isinstance(named, str) else ""
    return custom_field.strip()
