"""The Connect applet: how it asks whom to dial, what it may be told, and what it tells meanwhile.

Two contracts (Exotel's documents of the Connect applet): "Dial Whom" wants plain text, numbers in
E.164, comma-separated, within 10 s; the programmable Connect wants JSON, within 5 s. Where an
answer is not as it should be, Exotel asks its fallback URL or dials nobody; so nothing is written
that is not within the documented bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

from exobridge.exotel.given import read_given
from exobridge.exotel.passthru import read_call_sid
from exobridge.numbers import normalise

MAX_RING_SECONDS = 60
MAX_TALK_SECONDS = 4500
MAX_PARALLEL = 10
DEFAULT_RING_SECONDS = 30

EVENT_TYPES = ("Dial", "Ringing", "Answered", "Terminal")
"""What a dial event may tell; any subset comes."""


class Contract(StrEnum):
    """What an answer has to look like."""

    JSON = "json"
    TEXT = "text"


def contract(
    *, version: str, formats: Iterable[str], accept: str, forced: str = "auto"
) -> Contract:
    """Which contract a request wants.

    Args:
        version: Its header ``Exotel-Version``.
        formats: What stands for ``format`` in its query and its path; ``json`` or anything.
        accept: Its header ``Accept``.
        forced: A template's setting: ``json``, ``text``, or ``auto``.
    """
    if forced in tuple(Contract):
        return Contract(forced)
    asked = {each.strip().lower() for each in formats}
    if "text" in asked and "json" not in asked:
        return Contract.TEXT
    types = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    wants_json = version.strip() or "json" in asked or "application/json" in types
    return Contract.JSON if wants_json else Contract.TEXT


@dataclass(frozen=True, slots=True)
class Whisper:
    """What is played before the two are joined.

    Attributes:
        kind: ``text``: ``value`` is spoken by Exotel. ``audio_url``: it is where a WAV is (8 kHz,
            16 bit, mono), which has to answer 200.
        to: ``callee``: the human only; ``both``: the caller too.
    """

    kind: Literal["text", "audio_url"]
    value: str
    to: Literal["callee", "both"] = "callee"


@dataclass(frozen=True, slots=True)
class Connect:
    """An answer to a Connect applet.

    Attributes:
        numbers: E.164, dialled in this order; empty: nobody is.
        again: Ask again after an attempt that reached nobody. The same set of numbers twice in a
            row ends the attempts.
        outgoing_number: The ExoPhone to call from; empty: the one that was called.
        channels: Of the recording; ``None``: none is made.
        ring_seconds: At most 60.
        talk_seconds: At most 4500.
        music: On hold: ``default``, ``operator``, or the URL of a WAV.
        parallel: How many ring at once, at most 10; 0: one after the other.
        events_url: Where dial events go; empty: nowhere.

    Raises:
        ValueError: A value is beyond Exotel's bounds.
    """

    numbers: tuple[str, ...] = ()
    again: bool = False
    outgoing_number: str = ""
    channels: Literal["single", "dual"] | None = None
    ring_seconds: int = DEFAULT_RING_SECONDS
    talk_seconds: int = 900
    music: str = "default"
    parallel: int = 0
    whisper: Whisper | None = None
    events_url: str = ""

    def __post_init__(self) -> None:
        for number in (*self.numbers, *filter(None, [self.outgoing_number])):
            if normalise(number) != number:
                raise ValueError("a number is not E.164")
        if not 1 <= self.ring_seconds <= MAX_RING_SECONDS:
            raise ValueError(f"ring_seconds is 1 to {MAX_RING_SECONDS}")
        if not 1 <= self.talk_seconds <= MAX_TALK_SECONDS:
            raise ValueError(f"talk_seconds is 1 to {MAX_TALK_SECONDS}")
        if not 0 <= self.parallel <= MAX_PARALLEL:
            raise ValueError(f"parallel is 0 to {MAX_PARALLEL}")
        if self.music not in ("default", "operator") and not _is_url(self.music):
            raise ValueError("music is neither default, operator nor a URL")

    def to_json(self) -> dict[str, Any]:
        """The body of the JSON contract. With nobody to dial only what is mandatory: "We didn't
        dial anyone" follows from an empty list."""
        body: dict[str, Any] = {
            "fetch_after_attempt": self.again,
            "destination": {"numbers": list(self.numbers)},
        }
        if not self.numbers:
            return body
        if self.outgoing_number:
            body["outgoing_phone_number"] = self.outgoing_number
        if self.channels is not None:
            body |= {"record": True, "recording_channels": self.channels}
        body["max_ringing_duration"] = self.ring_seconds
        body["max_conversation_duration"] = self.talk_seconds
        if self.music != "default":
            body["music_on_hold"] = _music(self.music)
        if self.whisper is not None:
            body["start_call_playback"] = {
                "playback_to": self.whisper.to,
                "type": self.whisper.kind,
                "value": self.whisper.value,
            }
        if self.parallel > 1:
            body["parallel_ringing"] = {"activate": True, "max_parallel_attempts": self.parallel}
        if self.events_url:
            body["dial_passthru_event_url"] = self.events_url
        return body

    def to_text(self) -> str:
        """The body of the text contract: numbers only, as it can say nothing else."""
        return ",".join(self.numbers)


def _music(music: str) -> dict[str, str]:
    if music == "operator":
        return {"type": "operator_tone"}
    return {"type": "custom_tone", "value": music}


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname)


@dataclass(frozen=True, slots=True)
class DialEvent:
    """What ``dial_passthru_event_url`` is told.

    Attributes:
        event_type: One of :data:`EVENT_TYPES`; empty: it tells none of them.
        number: Who is dialled, E.164, or as it came.
        status: ``busy`` while the agent is called, ``free`` after, or another word as it came.
        told_at: ``CurrentTime`` as it came.
    """

    call_sid: str
    event_type: str
    number: str
    status: str
    told_at: str


def read_dial_event(pairs: Iterable[tuple[str, str]]) -> DialEvent:
    """Read a request's parameters. The agent's e-mail address is not looked at.

    Raises:
        MissingCallSidError: There is no ``CallSid``.
    """
    given = read_given(pairs)
    told = given.text("EventType").lower()
    number = given.text("DialWhomNumber")
    return DialEvent(
        call_sid=read_call_sid(given),
        event_type=next((each for each in EVENT_TYPES if each.lower() == told), ""),
        number=normalise(number) or number,
        status=given.text("Status").lower(),
        told_at=given.text("CurrentTime"),
    )
