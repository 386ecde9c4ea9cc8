"""What a simulated call is to be: who calls, over which line, saying what, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from exobridge.errors import ExobridgeError
from exobridge.simulator.line_faults import NO_FAULTS, LineFaults
from exobridge.simulator.steps import Dtmf, Patience, Step
from exobridge.simulator.wire import Dialect
from exobridge_codecs.formats import Encoding

SAMPLE_RATES = (8000, 16000, 24000)
"""Rates a stream can have, in hertz."""
KEYS = frozenset("0123456789*#ABCD")
"""Keys a caller can press."""
ANSWER_PATH = "/exotel/answer"


class PlanError(ExobridgeError):
    """The plan of a call makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each phase may take, in seconds.

    Attributes:
        answer_s: The answer to the webhook.
        handshake_s: The WebSocket handshake; there are two tries.
        call_s: The whole call; then the caller hangs up.
        linger_s: From ``stop`` to the end of the connection; what still comes in between is
            checked.
        stream_s: The stream; then Exotel ends it: "a stream lasts at most 60 minutes".
    """

    answer_s: float = 10
    handshake_s: float = 10
    call_s: float = 120
    linger_s: float = 0.25
    stream_s: float = 3600


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call.

    Attributes:
        url: ``http(s)://``: asked for the stream's URL; without a path, at ``/exotel/answer``.
            ``ws(s)://``: the stream's URL itself.
        script: What the caller does, in order.
        caller: The caller's number, as Exotel writes it.
        called: The ExoPhone.
        outgoing: The bot's side placed the call: ``caller`` was called, from ``called``.
        encoding: PCM16 or μ-law (which has 8000 Hz alone).
        sample_rate: Hertz; ``None``: what the stream's URL asks for, else 8000.
        frame_ms: Length of the caller's frames, 10 to 1000 ms; odd ones are allowed.
        dialect: How the frames are written.
        custom_parameters: Added to the stream URL's query, as if they stood there.
        auth_token: Set as ``auth_token`` in the webhook's query, over one that is there.
        parameters: What the webhook is told; ``None``: what it is at the beginning of a call.
        call_sid: Exotel's id of the call; empty: a new one.
        sends_stop: Whether ``stop`` is sent before the connection ends; without, it breaks off.
        stop_reason: ``stop.reason`` when the caller hangs up.
        marks_after_clear: Whether ``clear`` returns the marks that wait.
        record: Keep both sides' audio for a recording; without it a call needs less memory.
        patience: When the caller takes it to be their turn.
        limits: How long each phase may take.
        line: What goes wrong between Exotel and the server.

    Raises:
        PlanError: A value is out of range.
    """

    url: str
    script: tuple[Step, ...] = ()
    caller: str = "09811122233"
    called: str = "08047112233"
    outgoing: bool = False
    encoding: Encoding = Encoding.PCM16
    sample_rate: int | None = None
    frame_ms: int = 20
    dialect: Dialect = field(default_factory=Dialect)
    custom_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    auth_token: str = field(default="", repr=False)
    parameters: Mapping[str, str] | None = field(default=None, repr=False)
    call_sid: str = ""
    sends_stop: bool = True
    stop_reason: str = "callended"
    marks_after_clear: bool = True
    record: bool = True
    patience: Patience = field(default_factory=Patience)
    limits: Limits = field(default_factory=Limits)
    line: LineFaults = NO_FAULTS

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise PlanError("the URL must be absolute: http://, https://, ws:// or wss://")
        if self.encoding not in (Encoding.PCM16, Encoding.MULAW):
            raise PlanError("a stream is pcm16 or mulaw")
        if self.sample_rate is not None and self.sample_rate not in SAMPLE_RATES:
            raise PlanError("a stream has 8000, 16000 or 24000 Hz")
        if self.encoding is Encoding.MULAW and self.sample_rate not in (None, 8000):
            raise PlanError("mulaw has 8000 Hz alone")
        if not 10 <= self.frame_ms <= 1000:
            raise PlanError("a frame has 10 to 1000 ms")
        for step in self.script:
            if isinstance(step, Dtmf) and not (step.digits and KEYS.issuperset(step.digits)):
                raise PlanError("keys are 0-9, *, # and A-D, at least one")

    @property
    def is_static(self) -> bool:
        """Whether the stream's URL is known without asking."""
        return urlsplit(self.url).scheme in ("ws", "wss")

    @property
    def answer_url(self) -> str:
        """The webhook that is asked."""
        parts = urlsplit(self.url)
        path = parts.path if parts.path not in ("", "/") else ANSWER_PATH
        return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
