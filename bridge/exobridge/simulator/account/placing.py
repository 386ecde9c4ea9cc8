"""A call that was asked for by the API, and the flow that it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from exobridge.simulator.flows.model import (
    CallbackTable,
    CallTable,
    Flow,
    FlowTable,
    Hangup,
    RecordingTable,
    Voicebot,
)

LONGEST_STREAM_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call to be placed, as ``Calls/connect`` was asked for it.

    Attributes:
        call_sid: Told to whoever asked.
        customer: ``From``: whom to call.
        exophone: ``CallerId``: from which number.
        app_id: The flow that it takes; empty: it goes straight to ``stream_url``.
        stream_url: Of direct mode; empty in flow mode.
        custom_field: Comes back in every webhook.
        limit_seconds: ``TimeLimit``: the call ends then; ``None``: not told.
        ring_seconds: ``TimeOut``: how long it rings; ``None``: not told.
        record: Whether it is recorded.
        channels: Of the recording.
        callback: Where its end is told, and how; ``None``: nowhere.
        ignored: Parameters that are not documented, and were not read.
    """

    call_sid: str
    customer: str = field(repr=False)
    exophone: str
    app_id: str = ""
    stream_url: str = field(default="", repr=False)
    custom_field: str = field(default="", repr=False)
    limit_seconds: int | None = None
    ring_seconds: int | None = None
    record: bool = False
    channels: Literal["single", "dual"] = "single"
    callback: CallbackTable | None = field(default=None, repr=False)
    ignored: tuple[str, ...] = ()


def direct_flow(placed: PlacedCall) -> Flow:
    """The flow of a call in direct mode: one Voicebot applet, then the end.

    Raises:
        ValueError: The call takes a flow of its own.
    """
    if not placed.stream_url:
        raise ValueError(f"the call takes the flow {placed.app_id!r}")
    flow = Flow(
        flow=FlowTable(start="voicebot", description="a call straight to a bot"),
        call=CallTable(timeout_seconds=LONGEST_STREAM_SECONDS),
        applet={
            "voicebot": Voicebot(type="voicebot", url=placed.stream_url, next="end"),
            "end": Hangup(type="hangup"),
        },
    )
    return placed_flow(flow, placed)


def placed_flow(flow: Flow, placed: PlacedCall) -> Flow:
    """A flow as this call takes it: who is called, what is told back, whether it is recorded.

    A flow's own ``[callback]`` says how late and how often it comes; where it goes, and whether it
    is told at all, is what the call was asked for with.
    """
    told: dict[str, object] = {
        "from": placed.customer,
        "to": placed.exophone,
        "direction": "outgoing",
        "custom_field": placed.custom_field,
    }
    if placed.limit_seconds is not None:
        told["limit_seconds"] = float(placed.limit_seconds)
    if placed.ring_seconds is not None:
        told["ring_limit_seconds"] = float(placed.ring_seconds)
    table = flow.call.model_dump(by_alias=True, exclude_none=True)
    call = CallTable.model_validate({**table, **told})
    recording = flow.recording or (RecordingTable() if placed.record else None)
    update = {"call": call, "callback": _callback(flow, placed), "recording": recording}
    return flow.model_copy(update=update)


def _callback(flow: Flow, placed: PlacedCall) -> CallbackTable | None:
    if placed.callback is None or flow.callback is None:
        return placed.callback
    asked = placed.callback
    return flow.callback.model_copy(
        update={"url": asked.url, "content_type": asked.content_type, "events": asked.events}
    )
