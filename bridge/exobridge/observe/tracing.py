"""Whether traces are wanted: by OpenTelemetry's own environment variables.

Without them nothing of OpenTelemetry is imported, and it need not be installed.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec

from exobridge.errors import ConfigError
from exobridge.observe.watch import Watcher

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Either of these switches traces on; the first goes before the second."""

PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"


def traces_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces.

    Raises:
        ConfigError: It does, and they cannot be made.
    """
    endpoint = next((name for name in ENDPOINTS if environ.get(name)), None)
    is_off = (
        environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
        or environ.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    )
    if endpoint is None or is_off:
        return False
    protocol = next((name for name in PROTOCOLS if environ.get(name)), None)
    if protocol is not None and environ[protocol] != PROTOCOL:
        raise ConfigError(
            protocol,
            "names a protocol that exobridge does not speak",
            f"Set it to {PROTOCOL}, or unset it, and let {endpoint} be the collector's port for "
            "HTTP, which is 4318 as a rule.",
        )
    if not _is_installed():
        raise ConfigError(
            endpoint,
            "asks for traces, and what makes them is not installed",
            "Install it with: pip install 'exobridge[otel]', or unset the variable.",
        )
    return True


def _is_installed() -> bool:
    try:  # looked for, not imported: whoever only asks shall not carry it
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


@asynccontextmanager
async def open_traces() -> AsyncGenerator[Watcher | None]:
    """What makes the traces, if they are wanted; at the end they are sent off.

    Raises:
        ConfigError: They are wanted and cannot be made.
    """
    if not traces_wanted(os.environ):
        yield None
        return
    from exobridge.observe.traces import Traces

    traces = Traces()
    try:
        yield traces
    finally:
        await traces.aclose()
