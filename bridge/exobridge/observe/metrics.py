"""What becomes of the facts in metrics: how calls and turns went, counted as they are told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Histogram

from exobridge.call.events import JSON, CallEvent, Decision, EventKind, Role, Turn
from exobridge.call.facts import usage_told
from exobridge.call.state import Call, Outcome, apply
from exobridge.observe import catalogue
from exobridge.observe.catalogue import Metric
from exobridge.observe.watch import Webhook

REMEMBERED = 10_000
"""Calls of which something is remembered that may never be asked for: their stream may come to
another process."""

COUNTED = tuple(
    outcome
    for outcome in Outcome
    if outcome not in (Outcome.UNANSWERED, Outcome.LEFT_ON_HOLD, Outcome.UNKNOWN)
)
"""Outcomes that are known when the last stream ends, or never had one. What becomes of a caller who
was handed on is told later, mostly to another process."""

_NEVER_TAKEN = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.CANCELED)

_OF_STREAMS = (
    EventKind.STREAM_STARTED,
    EventKind.STREAM_FORMAT,
    EventKind.TRANSFER_REQUESTED,
    EventKind.STREAM_ENDED,
    EventKind.STREAM_LOST,
)

STAGES = ("eot", "stt", "dialogue", "tts", "send")


class FactMetrics:
    """A :class:`~exobridge.observe.watch.Watcher` that counts.

    Args:
        registry: What it counts in.
        templates: Names of those in use; their counters begin at 0, so that the first call shows
            as an increase.
        reasons: Why calls are turned away; likewise.
    """

    def __init__(
        self, registry: CollectorRegistry, templates: Iterable[str], reasons: Iterable[str]
    ) -> None:
        self._webhooks = _histogram(catalogue.WEBHOOK_SECONDS, registry)
        self._asked = _counter(catalogue.CALLS_ASKED, registry)
        self._refused = _counter(catalogue.CALLS_REFUSED, registry)
        self._started = _counter(catalogue.CALLS_STARTED, registry)
        self._ended = _counter(catalogue.CALLS_ENDED, registry)
        self._lasted = _histogram(catalogue.CALL_SECONDS, registry)
        self._transfers = _counter(catalogue.TRANSFERS, registry)
        self._turns = _counter(catalogue.TURNS, registry)
        self._stages = _histogram(catalogue.TURN_STAGE_SECONDS, registry)
        self._voice_to_voice = _histogram(catalogue.VOICE_TO_VOICE_SECONDS, registry)
        self._stt_seconds = _counter(catalogue.STT_SECONDS, registry)
        self._tts_characters = _counter(catalogue.TTS_CHARACTERS, registry)
        self._tokens = _counter(catalogue.DIALOGUE_TOKENS, registry)
        self._realtime = _counter(catalogue.REALTIME_SECONDS, registry)
        self._open: dict[str, Call] = {}
        self._answered: OrderedDict[str, str] = OrderedDict()
        for template in {*templates, ""}:
            for outcome in COUNTED:
                self._ended.labels(outcome, template)
        for reason in reasons:
            self._refused.labels(reason)

    # -------------------------------------------------------------- what is told

    def webhook(self, webhook: Webhook) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.webhook`."""
        # Reasons are counted with the calls.
        outcome = webhook.outcome.replace("bad request", "bad-request").partition(" ")[0]
        self._webhooks.labels(webhook.endpoint, outcome).observe(webhook.seconds)

    def turn(self, turn: Turn) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.turn`."""
        self._turns.labels(turn.role).inc()
        if turn.role is not Role.BOT or turn.dialogue_ms is None:
            return  # no answer to the caller: a greeting, a question to a silent line
        stages_ms = [cast("float | None", getattr(turn, f"{stage}_ms")) for stage in STAGES]
        measured = [(s, ms) for s, ms in zip(STAGES, stages_ms, strict=True) if ms is not None]
        for stage, ms in measured:
            self._stages.labels(stage).observe(max(0.0, ms) / 1000)
        if len(measured) == len(STAGES):
            self._voice_to_voice.observe(max(0.0, sum(ms for _, ms in measured)) / 1000)

    def event(self, event: CallEvent) -> None:
        """As :meth:`exobridge.observe.watch.Watcher.event`."""
        match event.kind:
            case EventKind.ANSWER:
                self._answer(event)
            case EventKind.NO_STREAM:
                template = self._answered.pop(event.call_sid, "")
                self._ended.labels(Outcome.ABANDONED, template).inc()
            case EventKind.STREAM_LOST if event.call_sid not in self._open:
                self._ended.labels(Outcome.LOST, "").inc()  # of a process that is gone
            case EventKind.STATUS if _text(event, "status") in _NEVER_TAKEN:
                template = self._answered.pop(event.call_sid, "")
                self._ended.labels(_text(event, "status"), template).inc()
            case kind if kind in _OF_STREAMS:
                self._of_stream(event)
            case _:
                pass

    # -------------------------------------------------------------- calls

    def _answer(self, event: CallEvent) -> None:
        decision, template = _text(event, "decision"), _text(event, "template")
        self._asked.labels(decision, template).inc()
        if reason := _text(event, "reason"):
            self._refused.labels(reason).inc()
        if decision == Decision.REFUSE:
            self._ended.labels(Outcome.REFUSED, template).inc()
            return
        self._answered[event.call_sid] = template
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def _of_stream(self, event: CallEvent) -> None:
        """The call's outcome is found by the same rules as in the record, from the streams that
        are open in this process and those that were open beside them."""
        call = self._open[event.call_sid] = apply(self._open.get(event.call_sid), event)
        match event.kind:
            case EventKind.STREAM_STARTED:
                self._answered.pop(event.call_sid, None)
                self._started.labels(call.template).inc()
            case EventKind.TRANSFER_REQUESTED:
                self._transfers.labels(call.template).inc()
            case EventKind.STREAM_ENDED:
                self._stream_ended(call, event)
            case _:
                pass
        if call.outcome is not None:
            self._ended.labels(call.outcome, call.template).inc()
            del self._open[event.call_sid]

    def _stream_ended(self, call: Call, event: CallEvent) -> None:
        began = _began(call, _text(event, "stream_sid"))
        if began is not None:
            self._lasted.labels(call.template).observe((event.at - began).total_seconds())
        for kind, told in usage_told(event):
            self._used(kind, told)

    def _used(self, kind: str, told: Mapping[str, JSON]) -> None:
        provider = str(told.get("provider", ""))

        def number(name: str) -> float:
            value = told.get(name)
            return float(value) if isinstance(value, int | float) else 0.0

        match kind:
            case "stt":
                self._stt_seconds.labels(provider).inc(number("seconds"))
            case "tts":
                self._tts_characters.labels(provider).inc(number("characters"))
            case "dialogue":
                self._tokens.labels(provider, "input").inc(number("input_tokens"))
                self._tokens.labels(provider, "output").inc(number("output_tokens"))
            case "realtime":
                self._realtime.labels(provider, "heard").inc(number("heard_seconds"))
                self._realtime.labels(provider, "spoken").inc(number("spoken_seconds"))
            case _:
                pass


def _began(call: Call, stream_sid: str) -> datetime | None:
    starts = [s.start.at for s in call.facts.streams if s.stream_sid == stream_sid and s.start]
    return starts[0] if starts else None


def _text(event: CallEvent, name: str) -> str:
    value = event.data.get(name)
    return value if isinstance(value, str) else ""


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name, metric.meaning, metric.labels, registry=registry)


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    return Histogram(
        metric.name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets
    )
