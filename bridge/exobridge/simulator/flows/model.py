"""The tables of a flow. ``docs/reference/flows.md`` explains each key."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from exobridge.simulator.flows.applet_tables import (
    Applet,
    Connect,
    Gather,
    Greeting,
    Hangup,
    Passthru,
    Stream,
    Voicebot,
    Voicemail,
)
from exobridge.simulator.flows.fields import (
    Name,
    Number,
    Phone,
    Presses,
    Seconds,
    ServerUrl,
    Url,
)
from exobridge.simulator.scripts.model import (
    CallExpect,
    Phrases,
    ScriptStep,
    SpeechTable,
    Words,
    check_steps,
)
from exobridge.templates.table import Table
from exobridge.validation import wrong

__all__ = [
    "AccountTable",
    "Agent",
    "Applet",
    "CallTable",
    "CallbackEvent",
    "CallbackTable",
    "CallerTable",
    "Connect",
    "Doing",
    "Flow",
    "FlowExpect",
    "FlowTable",
    "Gather",
    "Greeting",
    "HangUpTable",
    "Hangup",
    "Passthru",
    "RecordingTable",
    "ServeTable",
    "ServerTable",
    "Stream",
    "StreamTable",
    "Talk",
    "Voicebot",
    "Voicemail",
    "WebhooksTable",
]

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
    limit_seconds: float | None = Field(default=None, ge=1, le=14_400)
    """``TimeLimit``: Exotel ends the call then, as it was told to."""
    customer: Literal["answers", "busy", "silent", "rejects", "fails"] = "answers"
    """What the telephone does that an outgoing call is made to."""
    ring_seconds: Seconds = 0
    """How long it rings before that."""
    ring_limit_seconds: float = Field(default=30, gt=0, le=300)
    """``TimeOut``: it rings no longer."""


class ServerTable(Table):
    """``[server]``: who is tried."""

    url: ServerUrl = "http://127.0.0.1:8080"


class WebhooksTable(Table):
    """``[webhooks]``: how Exotel writes the parameters of its requests."""

    times: Literal["mixed", "plain", "rfc", "iso"] = "mixed"
    stream: Literal["brackets", "json", "lower"] = "brackets"
    outgoing: Literal["outbound-dial", "outbound dial", "outgoing"] = "outbound-dial"
    """``Direction`` of an outgoing call."""
    call_from: Literal["CallFrom", "Callfrom"] = "CallFrom"
    """In a Connect applet's requests."""
    nulls: bool = False
    """Empty values are the literal ``null``."""


class StreamTable(Table):
    """``[stream]``: how the media side writes and plays."""

    encoding: Literal["pcm16", "mulaw"] = "pcm16"
    sample_rate: Literal[8000, 16000, 24000] | None = None
    frame_ms: int = Field(default=20, ge=10, le=1000)
    keys: Literal["snake", "camel"] = "snake"
    text_numbers: bool = True
    ids: Literal["both", "top", "inside"] = "both"
    media_encoding: str = Field(default="base64", max_length=60)
    parameters: dict[str, str] = Field(default_factory=dict[str, str], max_length=3)
    marks_after_clear: bool = True
    sends_stop: bool = True
    stop_reason: str = Field(default="callended", max_length=60)
    limit_seconds: float = Field(default=3600, gt=0, le=3600)
    patience_seconds: float = Field(default=15, ge=1, le=600)
    bot_done_ms: int = Field(default=700, ge=100, le=10_000)

    @model_validator(mode="after")
    def _has_a_rate(self) -> Self:
        if self.encoding == "mulaw" and self.sample_rate not in (None, 8000):
            raise wrong("does not go with mulaw", "Remove it: mulaw has 8000 Hz.", "sample_rate")
        return self


class HangUpTable(Table):
    """``hangs_up`` of the caller: during which applet, and how long after it was entered."""

    during: Name
    after_seconds: Seconds = 0


class CallerTable(Table):
    """``[caller]``: what the caller does besides talking to the bot."""

    presses: dict[Name, list[Presses]] = Field(default_factory=dict[str, list[str]])
    hangs_up: HangUpTable | None = None


class Talk(Table):
    """``[[talk]]``: what the caller does in each stream of the call, in order. In a stream that has
    none the caller listens until the bot has finished, and goes on listening until it hangs up."""

    step: list[ScriptStep] = Field(min_length=1, max_length=500)
    expect: CallExpect = Field(default_factory=CallExpect)

    @model_validator(mode="after")
    def _steps_agree(self) -> Self:
        check_steps(self.step, self.expect)
        return self


class Agent(Table):
    """``[[agent]]``: a phone that can be dialled. ``hangs-up``: answers, and leaves at once."""

    number: Phone
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


class AccountTable(Table):
    """``[account]``: the stand-in account. Of several flows' tables the last one holds."""

    settle_seconds: Seconds = 120
    """How long after a call its end, duration and price are known."""
    connect_seconds: float = Field(default=0, ge=0, le=30)
    """How long a request for a call blocks; the call is placed before."""
    form: Literal["auto", "json", "lower", "xml"] = "auto"
    """``auto``: JSON where the path ends in ``.json``, else XML; ``lower``: keys in lower case."""
    streams: int = Field(default=100, ge=0, le=100_000)
    """The most that may be open at once."""
    calls_per_minute: int = Field(default=200, ge=1, le=100_000)
    exophones: list[Number] = Field(default_factory=list[str], max_length=1000)
    """Besides those that the flows' calls go to."""


class FlowExpect(Table):
    """``[expect]``: what holds for the whole call."""

    path: list[Name] | None = None
    """The applets in the order in which they were entered."""
    dialled: list[Number] | None = None
    ends: Literal["completed", "caller", "dropped", "not-answered", "timeout"] | None = None
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
    webhooks: WebhooksTable = Field(default_factory=WebhooksTable)
    speech: SpeechTable = Field(default_factory=SpeechTable)
    caller: CallerTable = Field(default_factory=CallerTable)
    talk: list[Talk] = Field(default_factory=list[Talk], max_length=20)
    applet: dict[Name, Applet] = Field(min_length=1)
    agent: list[Agent] = Field(default_factory=list[Agent], max_length=100)
    callback: CallbackTable | None = None
    recording: RecordingTable | None = None
    account: AccountTable | None = None
    expect: FlowExpect = Field(default_factory=FlowExpect)
