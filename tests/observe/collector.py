"""A collector of OpenTelemetry's, small and real: it takes OTLP over HTTP on a port of its own."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it came.

    Attributes:
        start_ms, end_ms: Since 1970.
    """

    name: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    kind: int
    start_ms: float
    end_ms: float
    attributes: dict[str, str | int | float | bool]
    is_error: bool


@dataclass(slots=True)
class Collector:
    """What it was sent.

    Attributes:
        status: It answers with this.
        hold: Not set: it does not answer.
    """

    url: str = ""
    status: int = 200
    hold: threading.Event = field(default_factory=threading.Event)
    spans: list[Seen] = field(default_factory=list[Seen])
    resources: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    posts: int = 0
    raw: bytes = b""

    def take(self, path: str, body: bytes) -> None:
        """One request's body."""
        assert path == "/v1/traces"
        self.posts += 1
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.resources.append(told)
            for scope in resource.scope_spans:
                self.spans += [_seen(span) for span in scope.spans]

    def under(self, parent: Seen) -> list[Seen]:
        """The spans below one, by their start."""
        found = [
            span
            for span in self.spans
            if (span.trace_id, span.parent_id) == (parent.trace_id, parent.span_id)
        ]
        return sorted(found, key=lambda span: (span.start_ms, span.end_ms))


def _seen(span: Span) -> Seen:
    values: dict[str, str | int | float | bool] = {}
    for each in span.attributes:
        kind = each.value.WhichOneof("value")
        assert kind is not None
        values[each.key] = getattr(each.value, kind)
    return Seen(
        name=span.name,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_span_id,
        kind=span.kind,
        start_ms=span.start_time_unix_nano / 1e6,
        end_ms=span.end_time_unix_nano / 1e6,
        attributes=values,
        is_error=span.status.code == 2,  # STATUS_CODE_ERROR
    )


@contextmanager
def collecting() -> Generator[Collector]:
    """Run one."""
    collector = Collector()
    collector.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            collector.hold.wait(20)
            if collector.status == 200:
                collector.take(self.path, gzip.decompress(body) if packed else body)
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        collector.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
