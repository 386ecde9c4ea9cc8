"""Voicebot: a stream in both directions, to a static URL or to the one that a server answers.

When the bot closes it the flow goes on. A stream that does not come about, or breaks off, leads to
"On Error" where that is connected by a path of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from exobridge.simulator import events
from exobridge.simulator.flows.asking import shown_url
from exobridge.simulator.flows.model import Voicebot
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.flows.report import Asked, Ending, What
from exobridge.simulator.flows.spelling import StreamFacts
from exobridge.simulator.plan import CallPlan, Limits
from exobridge.simulator.report import CallReport, EndedBy, Outcome
from exobridge.simulator.scribe import Said, Scribe
from exobridge.simulator.steps import Patience, Step
from exobridge.simulator.timeline import Kind, Party
from exobridge.simulator.told import entries_of
from exobridge.simulator.wire import Dialect, Ids, Keys
from exobridge_codecs.formats import Encoding

THROTTLED = "Streaming_call_throttled"
"""``DetailedStatus`` of a stream for which the account had no room."""
_WITHOUT_STREAM = (Outcome.REFUSED, Outcome.NOT_ANSWERED, Outcome.NO_STREAM)


async def voicebot(call: OneCall, name: str, applet: Voicebot) -> Way:
    """Where the flow goes on."""
    failed = Way("on_error", applet.next if applet.on_error is None else applet.on_error)
    with call.room_for_stream() as has_room:
        if not has_room:
            throttled(call)
            return failed
        report = await _talk(call, name, applet)
    call.facts.streamed(StreamFacts.of(report, report.stream_url))
    if call.around.after is not None and report.outcome not in _WITHOUT_STREAM:
        await call.around.after("stream")
    if report.outcome is Outcome.TIMED_OUT:
        call.end(Ending.TIMEOUT)
    elif report.outcome is Outcome.COMPLETED and report.ended_by is EndedBy.CALLER:
        call.end(Ending.CALLER)
    return Way("next", applet.next) if report.outcome is Outcome.COMPLETED else failed


def throttled(call: OneCall) -> None:
    """The account has no room for a stream."""
    call.tell(Kind.STREAM, Party.EXOTEL, Party.SERVER, "no stream", THROTTLED)
    call.facts.streamed(StreamFacts("", "failed", 0, "NA", detailed_status=THROTTLED))


async def _talk(call: OneCall, name: str, applet: Voicebot) -> CallReport:
    """The stream, with its talk; all of it is written down."""
    held = call.talks[0] if call.talks else call.silent
    telling = Telling(call)
    plan = stream_plan(call, applet.url, held.compiled.steps)
    began = call.now_ms
    _tell_question(call, plan, name)
    scribe = Scribe(held.ears, held.note, telling.event, telling.said)
    report = await scribe.attend(call.around.exotel, plan, call.over)
    if not plan.is_static:
        asked = Asked(What.ANSWER, began, report.answer_ms, report.answer_status, name)
        call.book.asked.append(asked)
    if report.outcome is Outcome.NOT_ANSWERED:
        _tell_answer(call, report.answer_status, report.answer_ms)
    streamed = report.outcome not in _WITHOUT_STREAM
    if streamed and call.talks:
        call.talks.popleft()
    keep(call, telling, report)
    call.book.streams.append(report)
    call.book.findings.append(held.findings(report) if streamed else ())
    return report


def stream_plan(call: OneCall, url: str, steps: tuple[Step, ...]) -> CallPlan:
    """A stream as the flow's ``[stream]`` has it.

    Raises:
        PlanError: Values do not go together, or the URL is none.
    """
    table = call.flow.stream
    return CallPlan(
        url=call.at_server(url),
        script=steps,
        caller=call.flow.call.caller,
        called=call.flow.call.to,
        outgoing=call.flow.call.direction == "outgoing",
        encoding=Encoding(table.encoding),
        sample_rate=table.sample_rate,
        frame_ms=table.frame_ms,
        dialect=Dialect(
            keys=Keys(table.keys),
            text_numbers=table.text_numbers,
            ids=Ids(table.ids),
            media_encoding=table.media_encoding,
        ),
        custom_parameters=table.parameters,
        auth_token=call.around.auth_token,
        parameters=call.facts.passthru_parameters(),
        call_sid=call.call_sid,
        sends_stop=table.sends_stop,
        stop_reason=table.stop_reason,
        marks_after_clear=table.marks_after_clear,
        patience=Patience(table.bot_done_ms, table.patience_seconds * 1000),
        limits=Limits(call_s=max(0.01, call.seconds_left), stream_s=table.limit_seconds),
        line=call.take_line(),
    )


@dataclass(slots=True)
class Telling:
    """Tells a stream's events while it goes on.

    Attributes:
        call: Whose.
        began_ms: When its start event was sent; before, when it was asked for.
    """

    call: OneCall
    began_ms: float = 0.0

    def __post_init__(self) -> None:
        self.began_ms = self.call.now_ms

    def event(self, event: events.Event) -> None:
        """The stream's listener."""
        match event:
            case events.StreamOpened():
                self.began_ms = self.call.now_ms
            case events.RuleBroken(violation):
                self.call.broken(violation.rule, violation.detail)
            case events.Answered(ms, refused):
                _tell_answer(self.call, 302 if refused else 200, ms)
            case _:
                pass

    def said(self, said: Said) -> None:
        """Told each turn."""
        if self.call.around.said is not None:
            self.call.around.said(said)


def keep(call: OneCall, telling: Telling, report: CallReport) -> None:
    """Write down what happened in a stream. Its violations were, while it went on."""
    for note in report.notes:
        call.book.note(note)
    for entry in entries_of(replace(report, violations=(), violation_counts=()), telling.began_ms):
        call.write(entry)


def _tell_question(call: OneCall, plan: CallPlan, name: str) -> None:
    secret = call.around.auth_token
    if plan.is_static:
        call.tell(
            Kind.STREAM, Party.EXOTEL, Party.SERVER, f"opens {shown_url(plan.url, secret)}", name
        )
    else:
        label = f"GET {shown_url(plan.answer_url, secret)}"
        call.tell(Kind.REQUEST, Party.EXOTEL, Party.SERVER, label, name)


def _tell_answer(call: OneCall, status: int | None, ms: float | None) -> None:
    told = "no answer" if ms is None else f"{status} after {ms:.0f} ms"
    call.tell(Kind.ANSWER, Party.SERVER, Party.EXOTEL, told)
