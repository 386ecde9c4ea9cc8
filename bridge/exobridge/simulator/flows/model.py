"""The tables of a flow. ``docs/reference/flows.md`` explains each key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from exobridge.simulator.scripts.model import (
    CallExpect,
    PhoneKeys,
    Phrases,
    ScriptStep,
    SpeechTable,
    Words,
)
from exobridge.templates.table import Table

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""Of an applet."""
Next = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$")]
"""The applet that a path leads to; empty: it is not connected, and the call is dropped there."""
Url = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
"""Absolute, or a path on the server under test."""
Seconds = Annotated[float, Field(ge=0, le=14_400)]
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{3,15}$")]
Doing = Literal["answers", "busy", "silent", "rejects", "hangs-up", "fails"]
CallbackEvent = Literal["terminal", "answered"]


def _answers() -> list[Doing]:
    return ["answers"]


def _terminal() -> list[CallbackEvent]:
    return ["terminal"]


class FlowTable(Table):
    """``[flow]``."""

    start: Name
    app_id: str = ""
    description: str = Field(default="", max_length=500)


class CallTable(Table):
    """``[call]``: who calls whom. The command line's options replace these."""

    caller: Number = Field(default="09811122233", alias="from")
    to: Number = "08047112233"
    direction: Literal["incoming", "outgoing"] = "incoming"
    custom_field: str = Field(default="", max_length=128)
    timeout_seconds: float = Field(default=300, ge=1, le=14_400)


class ServerTable(Table):
    """``[server]``: who is tried."""

    url: Url = "http://127.0.0.1:8080"


class StreamTable(Table):
    """``[stream]``: how the media side writes and plays."""

    encoding: Literal["pcm16", "mulaw"] = "pcm16"
    sample_rate: Literal[8000, 16000, 24000] | None = None
    frame_ms: int = Field(default=20, ge=10, le=1000)
    keys: Literal["snake", "camel"] = "snake"
    text_numbers: bool = True
    ids: Literal["both", "top", "inside"] = "both"
    media_encoding: str = Field(default="base64", max_length=60)
    parameters: dict[str, str] = Field(default_factory=dict[str, str])
    marks_after_clear: bool = True
    sends_stop: bool = True
    stop_reason: str = Field(default="callended", max_length=60)
    limit_seconds: float = Field(default=3600, gt=0, le=3600)
    patience_seconds: float = Field(default=15, ge=1, le=600)
    bot_done_ms: int = Field(default=700, ge=100, le=10_000)


class HangUpTable(Table):
    """``hangs_up`` of the caller: during which applet, and how long after it was entered."""

    during: Name
    after_seconds: Seconds = 0


class CallerTable(Table):
    """``[caller]``: what the caller does besides talking to the bot."""

    presses: dict[Name, list[PhoneKeys]] = Field(default_factory=dict[str, list[PhoneKeys]])
    hangs_up: HangUpTable | None = None


class Talk(Table):
    """``[[talk]]``: what the caller does in each stream of the call, in order. In a stream that has
    none the caller listens until the bot has finished, and goes on listening until it hangs up."""

    step: list[ScriptStep] = Field(min_length=1, max_length=500)
    expect: CallExpect = Field(default_factory=CallExpect)


class Passthru(Table):
    """Asks the server what to do (``sync``), or tells it what happened (``async``)."""

    type: Literal["passthru"]
    url: Url
    mode: Literal["sync", "async"] = "sync"
    method: Literal["GET", "POST"] = "GET"
    ok: Next = ""
    other: Next = ""
    bodies: dict[str, Next] = Field(default_factory=dict[str, str])
    on_timeout: Next = ""
    on_error: Next = ""
    timeout_seconds: float = Field(default=15, gt=0, le=60)


class Voicebot(Table):
    """Opens a stream in both directions, to a static or a dynamic URL."""

    type: Literal["voicebot"]
    url: Url
    next: Next = ""
    on_error: Next | None = None
    """``None``: as ``next``."""


class Stream(Table):
    """Sends the caller's audio to a server, which is not heard; the flow goes on at once."""

    type: Literal["stream"]
    url: Url
    action: Literal["start", "stop"] = "start"
    next: Next = ""


class Greeting(Table):
    """Speaks a text, or the text that a URL answers."""

    type: Literal["greeting"]
    text: str = Field(default="", max_length=2000)
    url: Url = ""
    timeout_seconds: float = Field(default=10, gt=0, le=60)
    next: Next = ""
    on_error: Next | None = None


class Gather(Table):
    """Asks for keys: Exotel's Gather, and an IVR menu where ``branches`` has entries."""

    type: Literal["gather"]
    text: str = Field(default="", max_length=2000)
    url: Url = ""
    max_digits: int = Field(default=1, ge=1, le=20)
    finish_key: PhoneKeys | None = None
    timeout_seconds: float = Field(default=5, gt=0, le=60)
    branches: dict[str, Next] = Field(default_factory=dict[str, str])
    next: Next = ""
    on_timeout: Next = ""


class Connect(Table):
    """Dials agents: fixed numbers, or those that the server names."""

    type: Literal["connect"]
    url: Url = ""
    fallback_url: Url = ""
    contract: Literal["json", "text"] = "json"
    numbers: list[Number] = Field(default_factory=list[str])
    fetch_after_attempt: bool = True
    """Of the text contract."""
    after_conversation: Next = ""
    nobody_answers: Next = ""
    not_dialled: Next = ""


class Voicemail(Table):
    """Records the caller."""

    type: Literal["voicemail"]
    max_seconds: float = Field(default=60, gt=0, le=600)
    seconds: Seconds = 1
    """How long the caller speaks."""
    next: Next = ""


class Hangup(Table):
    """Ends the call."""

    type: Literal["hangup"]


Applet = Annotated[
    Passthru | Voicebot | Stream | Greeting | Gather | Connect | Voicemail | Hangup,
    Field(discriminator="type"),
]


class Agent(Table):
    """``[[agent]]``: a phone that can be dialled. ``hangs-up``: answers, and leaves at once."""

    number: Number
    does: list[Doing] = Field(default_factory=_answers, min_length=1)
    """At each call of it, in order; the last for all that follow."""
    ring_seconds: Seconds = 1
    talk_seconds: Seconds = 2
    leaves_first: bool = True


class CallbackTable(Table):
    """``[callback]``: what is told to the server at the end, and how."""

    url: Url = "/exotel/callback/status"
    content_type: Literal["multipart", "form", "json"] = "multipart"
    events: list[CallbackEvent] = Field(default_factory=_terminal)
    delay_seconds: Seconds = 0
    times: int = Field(default=1, ge=0, le=3)
    """0: it never comes."""
    recording_url: bool = True


class RecordingTable(Table):
    """``[recording]``: of the call, on the stand-in account."""

    ready_after_seconds: Seconds = 0
    not_ready: int = Field(default=0, ge=0, le=1000)
    """So many requests are answered 404 first."""
    refused: int = Field(default=0, ge=0, le=1000)
    """So many of the next ones are answered 401."""
    presigned: bool = True


class FlowExpect(Table):
    """``[expect]``: what holds for the whole call."""

    path: list[Name] | None = None
    """The applets in the order in which they were entered."""
    dialled: list[Number] | None = None
    ends: Literal["completed", "caller", "dropped", "timeout"] | None = None
    whisper: Phrases = Field(default_factory=list[str])
    recording_fetched: bool | None = None
    within_seconds: float = Field(default=30, gt=0, le=3600)
    """How long is waited for a recording to be fetched."""
    violations: int | None = Field(default=None, ge=0, le=1000)


class ServeTable(Table):
    """``[serve]``: the settings of the server that ``--serve`` starts."""

    environment: dict[str, str] = Field(default_factory=dict[str, str])
    templates: Words | None = None
    """A folder; its path counts from the file's."""
    kill_after: Literal["stream", "callback"] | None = None
    """It is killed there, and started again."""


class Flow(Table):
    """A whole file."""

    flow: FlowTable
    call: CallTable = Field(default_factory=CallTable)
    server: ServerTable = Field(default_factory=ServerTable)
    serve: ServeTable = Field(default_factory=ServeTable)
    stream: StreamTable = Field(default_factory=StreamTable)
    speech: SpeechTable = Field(default_factory=SpeechTable)
    caller: CallerTable = Field(default_factory=CallerTable)
    talk: list[Talk] = Field(default_factory=list[Talk], max_length=20)
    applet: dict[Name, Applet] = Field(min_length=1)
    agent: list[Agent] = Field(default_factory=list[Agent], max_length=100)
    callback: CallbackTable | None = None
    recording: RecordingTable | None = None
    expect: FlowExpect = Field(default_factory=FlowExpect)
