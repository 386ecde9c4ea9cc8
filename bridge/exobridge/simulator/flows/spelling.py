"""How Exotel's requests are written: times, empty values, the report on a stream. Pure.

Exotel's documents show each of them in more than one form; ``[webhooks]`` of a flow chooses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from exobridge.simulator.answer import IST
from exobridge.simulator.report import CallReport, EndedBy, Outcome

NO_END = "1970-01-01 05:30:00"
"""``EndTime`` of a Passthru applet, always, in every form."""
NOT_ESTABLISHED = "3009 failed to establish ws conn"
"""``Error`` of a stream that could not be opened."""

TimeForm = Literal["mixed", "plain", "rfc", "iso"]
StreamForm = Literal["brackets", "json", "lower"]

_ENDERS: dict[EndedBy | None, Literal["user", "bot", "NA"]] = {
    EndedBy.BOT: "bot",
    EndedBy.LIMIT: "NA",
}
_PLAIN = "%Y-%m-%d %H:%M:%S"
_RFC = "%a, %d %b %Y %H:%M:%S"
_MEMBER = re.compile(r"\[([^\[\]]+)\]")


def written_time(at: datetime, form: TimeForm, *, created: bool = False) -> str:
    """An aware time, in IST.

    Args:
        at: The time.
        form: ``plain`` is ``2022-02-23 12:31:58``, ``rfc`` is ``Wed, 23 Feb 2022 12:31:59``,
            ``iso`` is ``2024-01-15T10:30:00+05:30``; ``mixed`` is plain, and rfc for ``Created``.
        created: It is ``Created``.
    """
    local = at.astimezone(IST)
    if form == "iso":
        return local.isoformat(timespec="seconds")
    return local.strftime(_RFC if form == "rfc" or (form == "mixed" and created) else _PLAIN)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A stream as Exotel saw it.

    Attributes:
        stream_sid: Exotel's id of it.
        status: ``completed``, ``failed`` or ``cancelled``.
        seconds: How long it lasted.
        disconnected_by: ``user``, ``bot`` or ``NA``.
        error: What went wrong; empty: nothing did.
        detailed_status: More of it, e.g. ``Streaming_call_throttled``.
        stream_url: It may hold credentials.
        recording_url: Of the stream; empty: there is none.
    """

    stream_sid: str
    status: Literal["completed", "failed", "cancelled"] = "completed"
    seconds: float = 0.0
    disconnected_by: Literal["user", "bot", "NA"] = "user"
    error: str = ""
    detailed_status: str = ""
    stream_url: str = ""
    recording_url: str = ""

    @classmethod
    def of(cls, report: CallReport, stream_url: str = "") -> StreamFacts:
        """What is told of a stream that was measured.

        Documented are the values; which ending has which is inferred: a stream that could not be
        opened has failed, and nobody disconnected it; one that broke has failed by the bot.
        """
        if report.outcome in (Outcome.COMPLETED, Outcome.TIMED_OUT):
            return cls(
                stream_sid=report.stream_sid,
                seconds=report.duration_ms / 1000,
                disconnected_by=_ENDERS.get(report.ended_by, "user"),
                stream_url=stream_url,
            )
        broke = report.outcome is Outcome.DROPPED
        return cls(
            stream_sid=report.stream_sid,
            status="failed",
            seconds=report.duration_ms / 1000,
            disconnected_by="bot" if broke else "NA",
            error="" if broke else NOT_ESTABLISHED,
            stream_url=stream_url,
        )

    def parameters(self, form: StreamForm) -> dict[str, str]:
        """As a Passthru applet sends it.

        Args:
            form: ``brackets`` is ``Stream[StreamSID]`` and so on, ``json`` one parameter
                ``Stream``, ``lower`` the keys by themselves in lower case, where the caller is
                ``caller`` and nobody is ``system``.
        """
        told = {
            "StreamSID": self.stream_sid,
            "Status": self.status,
            "Duration": str(int(self.seconds)),
            "RecordingUrl": self.recording_url,
            "StreamUrl": self.stream_url,
            "DisconnectedBy": self.disconnected_by,
            "Error": self.error,
            "DetailedStatus": self.detailed_status,
        }
        match form:
            case "brackets":
                return {f"Stream[{name}]": value for name, value in told.items()}
            case "json":
                return {"Stream": json.dumps(told)}
            case "lower":
                ended = {"user": "caller", "NA": "system"}
                told["DisconnectedBy"] = ended.get(self.disconnected_by, self.disconnected_by)
                return {name.lower(): value for name, value in told.items()}


def with_nulls(parameters: Mapping[str, str]) -> dict[str, str]:
    """Empty values as the literal ``null``."""
    return {name: value or "null" for name, value in parameters.items()}


def nested(parameters: Mapping[str, str]) -> dict[str, Any]:
    """``Legs[0][Status]`` as ``{"Legs": [{"Status": …}]}``: the parameters as a JSON object."""
    top: dict[str, Any] = {}
    for name, value in parameters.items():
        members = _MEMBER.findall(name)
        if len(members) != 2 or not members[0].isdecimal():
            top[name] = value
            continue
        entries: list[dict[str, str]] = top.setdefault(name.partition("[")[0], [])
        index = int(members[0])
        entries += [{} for _ in range(index + 1 - len(entries))]
        entries[index][members[1]] = value
    return top
