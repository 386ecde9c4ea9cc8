"""What came of one call through a flow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from exobridge.simulator.report import CallReport
from exobridge.simulator.rules import Severity, Violation
from exobridge.simulator.scripts.judge import Finding
from exobridge.simulator.timeline import Entry


class Ending(StrEnum):
    """How the call ended."""

    COMPLETED = "completed"
    """The flow came to its end: a Hangup applet, or a conversation that was over."""
    CALLER = "caller"
    """The caller hung up."""
    DROPPED = "dropped"
    """A path led nowhere: on a live line the caller hears nothing more."""
    NOT_ANSWERED = "not-answered"
    """The customer of an outgoing call did not answer."""
    TIMEOUT = "timeout"
    """It did not end within its limit."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """One attempt of a Connect applet.

    Attributes:
        number: Whom.
        status: ``completed``, ``busy``, ``no-answer``, ``failed`` or ``canceled``.
        seconds: Of conversation.
        whisper: What the agent heard before: the text, or ``audio 1.2 s``.
    """

    number: str
    status: str
    seconds: float = 0.0
    whisper: str = ""


class What(StrEnum):
    """What a request is for."""

    ANSWER = "answer"
    PASSTHRU = "passthru"
    GREETING = "greeting"
    DIAL_UP = "dial-up"
    AUDIO = "audio"
    """For an agent's ear, or on hold."""
    DIAL_EVENT = "dial-event"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the server.

    Attributes:
        what: What for.
        at_ms: When, in ms since the run began.
        ms: From the request to the end of the answer; ``None``: none came.
        status: Of the answer; ``None``: none came.
        where: The applet; empty for what belongs to none.
    """

    what: What
    at_ms: float
    ms: float | None
    status: int | None
    where: str = ""


@dataclass(frozen=True, slots=True)
class FlowReport:
    """Everything that was seen of a call.

    Attributes:
        call_sid: Exotel's id of the call.
        seed: What faults were drawn from; ``None``: there were none.
        ending: How it ended.
        seconds: From its first request to its end.
        path: The applets, in the order in which they were entered.
        streams: What was measured in each stream, in order.
        dialled: Each attempt to reach an agent, in order.
        asked: Each request to the server, in order.
        violations: The rules that the server did not keep; ``at_ms`` since the run began.
        timeline: What each side did.
        problems: Why the call did not go well, as sentences; empty if it did.
        notes: What the reader should know, as sentences.
        findings: For each stream, what became of its talk's expectations, in order.
        unconnected: Of a call that was dropped: the applet, and the key of its path.
        unheld: How many of the flow's talks had no stream.
        recording_fetched: Whether the server fetched the recording; ``None``: it was not to be.
    """

    call_sid: str
    seed: int | None
    ending: Ending
    seconds: float
    path: tuple[str, ...] = ()
    streams: tuple[CallReport, ...] = ()
    dialled: tuple[Dialled, ...] = ()
    asked: tuple[Asked, ...] = ()
    violations: tuple[Violation, ...] = ()
    timeline: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[tuple[Finding, ...], ...] = ()
    unconnected: tuple[str, str] | None = None
    unheld: int = 0
    recording_fetched: bool | None = None

    @property
    def went_well(self) -> bool:
        """Whether everything held that the flow expects, and no rule was broken badly."""
        return not self.problems

    @property
    def errors(self) -> tuple[Violation, ...]:
        """The violations that spoil a call."""
        return tuple(each for each in self.violations if each.severity is Severity.ERROR)

    def without_audio(self) -> FlowReport:
        """The report without what was heard in its streams, which is most of its size."""
        streams = tuple(replace(each, tracks=None) for each in self.streams)
        return replace(self, streams=streams)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values. Keys are only ever added; times have one decimal."""
        return {
            "call_sid": self.call_sid,
            "seed": self.seed,
            "ending": str(self.ending),
            "seconds": round(self.seconds, 1),
            "went_well": self.went_well,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "path": list(self.path),
            "dialled": [
                {
                    "number": each.number,
                    "status": each.status,
                    "seconds": round(each.seconds, 1),
                    "whisper": each.whisper,
                }
                for each in self.dialled
            ],
            "unconnected": None if self.unconnected is None else list(self.unconnected),
            "unheld_talks": self.unheld,
            "recording_fetched": self.recording_fetched,
            "asked": [
                {
                    "what": str(each.what),
                    "at_ms": round(each.at_ms, 1),
                    "ms": None if each.ms is None else round(each.ms, 1),
                    "status": each.status,
                    "where": each.where,
                }
                for each in self.asked
            ],
            "violations": [
                {
                    "rule": str(each.rule),
                    "severity": str(each.severity),
                    "at_ms": round(each.at_ms, 1),
                    "detail": each.detail,
                    "sentence": each.sentence,
                }
                for each in self.violations
            ],
            "expectations": [[each.to_json() for each in talk] for talk in self.findings],
            "streams": [each.to_json() for each in self.streams],
            "timeline": [each.to_json() for each in self.timeline],
        }
