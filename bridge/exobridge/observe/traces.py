"""A trace for each call, made of its facts, and sent by OTLP.

::

    call                                  from its webhook to its end
    ├── POST /exotel/answer               the webhook
    └── stream                            one for each of the call's streams
        ├── caller turn
        └── bot turn                      from the caller's last voice to the answer's last word
            └── eot, stt, dialogue, tts, send

Every span is made when its facts are complete, with their times. The ids of the trace, of the
call's span and of the streams' follow from Exotel's own ids, so that a webhook and a stream which
different processes have served are in one trace, and children can go out before their parents.

Phone numbers are masked, and what was said is left out. Only imported where traces are wanted: it
needs the extra ``otel``.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from opentelemetry.trace import SpanKind

from exobridge.call.events import CallEvent, EventKind, Role, Turn
from exobridge.call.facts import Usage
from exobridge.call.state import Call, Outcome, apply
from exobridge.numbers import mask
from exobridge.observe.metrics import REMEMBERED, STAGES
from exobridge.observe.spans import FLUSH_SECONDS, Attributes, Spans, span_id
from exobridge.observe.watch import Webhook


@dataclass(slots=True)
class _Seen:
    """What is known of one call.

    Attributes:
        began_at: When its webhook came, or its first stream.
        call: Made of the events of its streams.
        is_told: Its own span has been made; it comes once, also if the call comes back.
    """

    began_at: datetime
    call: Call | None = None
    facts: Attributes = field(default_factory=dict[str, str | int | float | bool])
    streams: dict[str, datetime] = field(default_factory=dict[str, datetime])
    is_told: bool = False


class Traces:
    """A :class:`~exobridge.observe.watch.Watcher` that makes spans.

    Args:
        flush_seconds: See :class:`~exobridge.observe.spans.Spans`.
    """

    def __init__(self, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._spans = Spans(flush_seconds)
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    async def aclose(self) -> None:
        """Send what waits, within a limit, and stop."""
        await self._spans.aclose()

    # -------------------------------------------------------------- what is told

    def webhook(self, webhook: Webhook) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.webhook`."""
        if not webhook.call_sid:
            return
        begun_at = webhook.ended_at - timedelta(seconds=webhook.seconds)
        seen = self._of_call(webhook.call_sid, begun_at)
        seen.began_at = min(seen.began_at, begun_at)
        self._spans.make(
            f"{webhook.method} {webhook.endpoint}",
            webhook.call_sid,
            begun_at,
            webhook.ended_at,
            parent=span_id(webhook.call_sid),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": webhook.method,
                "http.route": webhook.endpoint,
                "http.response.status_code": webhook.status,
                "exobridge.outcome": webhook.outcome,
            },
            error=webhook.outcome if webhook.status >= 500 else "",
        )
        if webhook.outcome.startswith("refuse"):
            self._tell(webhook.call_sid, seen, webhook.ended_at, Outcome.REFUSED, webhook.outcome)

    def event(self, event: CallEvent) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.event`."""
        seen = self._of_call(event.call_sid, event.at)
        match event.kind:
            case EventKind.ANSWER | EventKind.STREAM_STARTED:
                seen.facts |= _facts(event)
            case EventKind.NO_STREAM:
                self._tell(event.call_sid, seen, event.at, Outcome.ABANDONED, "no stream came")
            case _:
                pass
        stream_sid = event.data.get("stream_sid")
        if isinstance(stream_sid, str) and event.kind is not EventKind.PASSTHRU:
            self._of_stream(seen, event, stream_sid)

    def turn(self, turn: Turn) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.turn`."""
        seen = self._seen.get(turn.call_sid)
        began_at = seen.streams.get(turn.stream_sid) if seen else None
        if began_at is None:
            return
        start_at, end_at = (
            began_at + timedelta(milliseconds=ms) for ms in (turn.start_ms, turn.end_ms)
        )
        stages = _stages(turn) if turn.role is Role.BOT else []
        asked_at = start_at - timedelta(milliseconds=sum(ms for _, ms in stages))
        span = self._spans.make(
            f"{turn.role} turn",
            turn.call_sid,
            asked_at,
            end_at,
            parent=span_id(turn.call_sid, turn.stream_sid),
            attributes={
                "exobridge.turn.number": turn.number,
                "exobridge.turn.interrupted": turn.interrupted,
                "exobridge.turn.language": turn.language,
            },
        )
        at = asked_at
        for stage, ms in stages:
            over_at = at + timedelta(milliseconds=ms)
            self._spans.make(stage, turn.call_sid, at, over_at, parent=span)
            at = over_at

    # -------------------------------------------------------------- calls and streams

    def _of_call(self, call_sid: str, at: datetime) -> _Seen:
        seen = self._seen.get(call_sid)
        if seen is None:
            seen = self._seen[call_sid] = _Seen(at)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return seen

    def _of_stream(self, seen: _Seen, event: CallEvent, stream_sid: str) -> None:
        call = seen.call = apply(seen.call, event)
        match event.kind:
            case EventKind.STREAM_STARTED:
                seen.streams[stream_sid] = event.at
            case EventKind.STREAM_ENDED:
                began_at = seen.streams.pop(stream_sid, event.at)
                self._stream_span(call, event, stream_sid, began_at)
            case _:
                pass
        if call.outcome is not None:
            self._tell(event.call_sid, seen, event.at, call.outcome, call.end_reason)

    def _stream_span(
        self, call: Call, event: CallEvent, stream_sid: str, began_at: datetime
    ) -> None:
        (stream,) = (stream for stream in call.facts.streams if stream.stream_sid == stream_sid)
        usage = stream.end.usage if stream.end else Usage()
        ended_by, reason = str(event.data["ended_by"]), str(event.data["reason"])
        attributes: Attributes = {
            "exobridge.stream_sid": stream_sid,
            "exobridge.encoding": call.encoding,
            "exobridge.sample_rate": call.sample_rate or 0,
            "exobridge.ended_by": ended_by,
            "exobridge.end_reason": reason,
            "exobridge.usage.stt_seconds": usage.stt_seconds,
            "exobridge.usage.tts_characters": usage.tts_characters,
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
        }
        self._spans.make(
            "stream",
            event.call_sid,
            began_at,
            event.at,
            parent=span_id(event.call_sid),
            span_id=span_id(event.call_sid, stream_sid),
            attributes=attributes,
            error=reason if ended_by in ("server", "network") else "",
        )

    def _tell(
        self, call_sid: str, seen: _Seen, at: datetime, outcome: Outcome, reason: str
    ) -> None:
        """Make the span of the call itself."""
        if seen.is_told:
            return
        seen.is_told = True
        went_wrong = outcome in (Outcome.FAILED, Outcome.LOST, Outcome.ABANDONED)
        self._spans.make(
            "call",
            call_sid,
            seen.began_at,
            at,
            span_id=span_id(call_sid),
            attributes={
                "exobridge.call_sid": call_sid,
                **seen.facts,
                "exobridge.outcome": str(outcome),
                "exobridge.end_reason": reason,
            },
            error=reason if went_wrong else "",
        )
        seen.call = None
        seen.facts.clear()


def _facts(event: CallEvent) -> Attributes:
    """What the event says of the call, its numbers masked."""
    texts = {name: event.data.get(name) for name in ("template", "direction", "caller", "called")}
    return {
        f"exobridge.{name}": mask(text) if name in ("caller", "called") else text
        for name, text in texts.items()
        if isinstance(text, str) and text
    }


def _stages(turn: Turn) -> list[tuple[str, float]]:
    """Those that were measured, up to the first audio that was sent, which is where a turn starts;
    one that sent none starts where its audio was asked for."""
    names = STAGES if turn.send_ms is not None else STAGES[:3]
    measured = [(name, cast("float | None", getattr(turn, f"{name}_ms"))) for name in names]
    return [(name, max(0.0, ms)) for name, ms in measured if ms is not None]
