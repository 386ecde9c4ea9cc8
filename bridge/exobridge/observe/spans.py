"""Makes OpenTelemetry's spans of times that have passed, with ids that follow from a call's own.

Only imported where traces are wanted: it needs the extra ``otel``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

FLUSH_SECONDS = 5.0
"""So long the end of a process may wait for a collector that does not answer."""

Attributes = dict[str, str | int | float | bool]


class _Ids(RandomIdGenerator):
    """Ids that are given for the next span, else random ones."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id: int | None = None

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        given, self.span_id = self.span_id, None
        return super().generate_span_id() if given is None else given


class Spans:
    """Sends them off by OTLP. Where to, how many, and how often is told by OpenTelemetry's
    environment variables.

    Args:
        flush_seconds: How long :meth:`aclose` may wait for the last spans to be sent.
    """

    def __init__(self, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._flush_seconds = flush_seconds
        self._ids = _Ids()
        self._exporter: SpanExporter = OTLPSpanExporter()
        self._provider = TracerProvider(
            resource=_resource(), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("exobridge", version("exobridge"))

    async def aclose(self) -> None:
        """Send what waits, within a limit, and stop."""
        sent, loop = asyncio.Event(), asyncio.get_running_loop()
        shut_down: Callable[[], None] = self._provider.shutdown

        def send_the_rest() -> None:
            shut_down()
            with suppress(RuntimeError):  # the loop has been closed in the meantime
                loop.call_soon_threadsafe(sent.set)

        # A thread that the end of the process does not wait for.
        threading.Thread(target=send_the_rest, name="traces", daemon=True).start()
        try:
            async with asyncio.timeout(self._flush_seconds):
                await sent.wait()
        except TimeoutError:
            self._exporter.shutdown()  # so that it does not try again

    def make(
        self,
        name: str,
        call_sid: str,
        begun_at: datetime,
        ended_at: datetime,
        *,
        parent: int | None = None,
        span_id: int | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
        error: str = "",
    ) -> int:
        """Make a span; its id."""
        trace_id = _number(16, call_sid)
        self._ids.trace_id, self._ids.span_id = trace_id, span_id
        span = self._tracer.start_span(
            name,
            Context() if parent is None else self._inside(trace_id, parent),
            kind=kind,
            attributes={**(attributes or {}), **({"error.type": error} if error else {})},
            start_time=_nanoseconds(begun_at),
        )
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(_nanoseconds(max(begun_at, ended_at)))
        return span.get_span_context().span_id

    def _inside(self, trace_id: int, parent: int) -> Context:
        # The call's own span may be made by another process; what the sampler says of its trace is
        # the same everywhere, as it goes by the trace's id.
        decision = self._provider.sampler.should_sample(Context(), trace_id, "call").decision
        flags = TraceFlags.DEFAULT if decision is Decision.DROP else TraceFlags.SAMPLED
        above = SpanContext(trace_id, parent, is_remote=True, trace_flags=TraceFlags(flags))
        return set_span_in_context(NonRecordingSpan(above), Context())


def _resource() -> Resource:
    """The environment's word goes first (``OTEL_SERVICE_NAME``, ``OTEL_RESOURCE_ATTRIBUTES``)."""
    told = Resource.create()
    ours = Resource({SERVICE_NAME: "exobridge", SERVICE_VERSION: version("exobridge")})
    if str(told.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return told.merge(ours)
    return ours.merge(told)


def span_id(call_sid: str, stream_sid: str = "") -> int:
    """The id of a call's span, or of one of its streams'."""
    return _number(8, "span", call_sid, stream_sid)


def _number(size: int, *texts: str) -> int:
    """A number of so many bytes, never 0, that follows from the texts."""
    digest = blake2b("\0".join(texts).encode(), digest_size=size, person=b"exobridge").digest()
    return int.from_bytes(digest) or 1


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000
