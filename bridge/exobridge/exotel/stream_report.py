"""What Exotel tells of a stream in the webhook that follows a Voicebot or Stream applet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from exobridge.exotel.given import Given
from exobridge.exotel.redaction import redact
from exobridge.exotel.words import read_seconds, read_status

MAX_ERROR = 256
"""Longest description of an error kept, in characters."""

Ender = Literal["caller", "bot", "network", ""]

_ENDERS: Mapping[str, Ender] = {
    "user": "caller",
    "caller": "caller",
    "bot": "bot",
    # Exotel's own; what this server ends, Exotel sees as the bot's doing.
    "system": "network",
}
_NOTHING = ("na", "n/a", "none")
_KEYS = (
    "streamsid",
    "status",
    "duration",
    "recordingurl",
    "disconnectedby",
    "error",
    "detailedstatus",
)


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream, as Exotel saw it. Texts are empty where nothing is told.

    Attributes:
        stream_sid: Also empty if the stream never came about.
        status: ``completed``, ``failed`` or ``canceled``; another word as it came.
        seconds: How long it lasted.
        recording_url: As it came; it may hold credentials.
        disconnected_by: Who ended it, in the words of the record
            (:class:`~exobridge.call.events.EndedBy`).
        error: What went wrong, e.g. ``3009 failed to establish ws conn``.
        detailed_status: More of it, e.g. ``Streaming_call_throttled``.
    """

    stream_sid: str = ""
    status: str = ""
    seconds: int | None = None
    recording_url: str = field(default="", repr=False)
    disconnected_by: Ender = ""
    error: str = ""
    detailed_status: str = ""


def read_stream_report(given: Given) -> StreamReport | None:
    """The report, of any of its three shapes; ``None``: there is none.

    They are ``Stream[StreamSID]`` and so on; one parameter ``Stream`` holding JSON with these keys;
    and the keys in lower case by themselves, told by ``streamsid`` among them.
    """
    report = _report(given.members("stream"))
    if report == StreamReport() and given.text("streamsid"):
        report = _report({name: given.text(name) for name in _KEYS})
    return None if report == StreamReport() else report


def _report(members: Mapping[str, str]) -> StreamReport:
    told = {name: text for name, text in members.items() if text.lower() not in _NOTHING}
    return StreamReport(
        stream_sid=told.get("streamsid", "")[:128],
        status=read_status(told.get("status", "")),
        seconds=read_seconds(told.get("duration", "")),
        recording_url=told.get("recordingurl", ""),
        disconnected_by=_ENDERS.get(told.get("disconnectedby", "").lower(), ""),
        error=redact(told.get("error", ""))[:MAX_ERROR],
        detailed_status=redact(told.get("detailedstatus", ""))[:MAX_ERROR],
    )
