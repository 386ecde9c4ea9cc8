"""What a server must keep to, and the record of what it did not.

A violation is data: it is written down with its time and the rule's sentence, and the call goes
on, as Exotel's would.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MIN_CHUNK_STEP = 320
"""Bytes of which a chunk's size must be a multiple."""
MAX_CHUNK_BYTES = 100_000
"""Bytes of the largest chunk Exotel takes."""
MAX_LEAD_MS = 4000
"""Unplayed audio, in milliseconds, past which calls have been seen to be hung up."""
STOP_GRACE_MS = 100
"""How long after ``stop`` a frame may still have been on its way, in milliseconds."""


class Severity(StrEnum):
    """What a violation does to a call: an error spoils it, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Rule(StrEnum):
    """The rules, by the name they carry in a report."""

    ANSWER_STATUS = "answer-status"
    ANSWER_TYPE = "answer-type"
    ANSWER_BODY = "answer-body"
    ANSWER_LATE = "answer-late"
    ANSWER_TIMEOUT = "answer-timeout"
    ANSWER_UNREACHABLE = "answer-unreachable"
    STREAM_URL = "stream-url"
    STREAM_URL_LONG = "stream-url-long"
    STREAM_PARAMETERS = "stream-parameters"
    STREAM_RATE = "stream-rate"
    HANDSHAKE = "handshake"
    BINARY_FRAME = "binary-frame"
    FRAME_TOO_LARGE = "frame-too-large"
    NOT_JSON = "not-json"
    MISSING_FIELD = "missing-field"
    UNKNOWN_EVENT = "unknown-event"
    WRONG_STREAM_SID = "wrong-stream-sid"
    BAD_BASE64 = "bad-base64"
    CHUNK_STEP = "chunk-step"
    CHUNK_TOO_LARGE = "chunk-too-large"
    BUFFER_FULL = "buffer-full"
    LEAD_TOO_LONG = "lead-too-long"
    AUDIO_AFTER_STOP = "audio-after-stop"
    CLOSED_BEFORE_PLAYED = "closed-before-played"
    MISSING_NUMBERS = "missing-numbers"
    PASSTHRU_STATUS = "passthru-status"
    PASSTHRU_BODY = "passthru-body"
    PASSTHRU_LATE = "passthru-late"
    PASSTHRU_TIMEOUT = "passthru-timeout"
    GREETING_STATUS = "greeting-status"
    GREETING_TYPE = "greeting-type"
    GREETING_TEXT = "greeting-text"
    GREETING_TIMEOUT = "greeting-timeout"
    DIAL_STATUS = "dial-status"
    DIAL_TYPE = "dial-type"
    DIAL_BODY = "dial-body"
    DIAL_NUMBERS = "dial-numbers"
    DIAL_KEY = "dial-key"
    DIAL_AUDIO = "dial-audio"
    DIAL_LATE = "dial-late"
    DIAL_TIMEOUT = "dial-timeout"
    DIAL_EVENT_STATUS = "dial-event-status"
    CALLBACK_STATUS = "callback-status"
    CALLBACK_TIMEOUT = "callback-timeout"
    WEBHOOK_UNREACHABLE = "webhook-unreachable"


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

SENTENCES: dict[Rule, tuple[Severity, str]] = {
    Rule.ANSWER_STATUS: (_ERROR, "An answer is 200 (go on) or 302 (the other branch)."),
    Rule.ANSWER_TYPE: (_ERROR, "An answer with a stream's URL is application/json."),
    Rule.ANSWER_BODY: (_ERROR, 'The body of the answer is {"url": "wss://…"}.'),
    Rule.ANSWER_LATE: (_WARNING, "An answer takes less than a second; the caller waits."),
    Rule.ANSWER_TIMEOUT: (_ERROR, "An answer is there within the time limit."),
    Rule.ANSWER_UNREACHABLE: (_ERROR, "The server can be reached and speaks HTTP."),
    Rule.STREAM_URL: (_ERROR, "A stream's URL is absolute, ws:// or wss://."),
    Rule.STREAM_URL_LONG: (_ERROR, "A stream's URL has fewer than 600 characters."),
    Rule.STREAM_PARAMETERS: (
        _ERROR,
        "A stream's URL carries at most 3 custom parameters, 256 characters of query in all.",
    ),
    Rule.STREAM_RATE: (_ERROR, "sample-rate is 8000, 16000 or 24000."),
    Rule.HANDSHAKE: (
        _ERROR,
        "The WebSocket handshake is completed within 10 s, at the second try at the latest.",
    ),
    Rule.BINARY_FRAME: (_ERROR, "Every message is a text frame."),
    Rule.FRAME_TOO_LARGE: (_ERROR, "A message is smaller than 1 MiB."),
    Rule.NOT_JSON: (_ERROR, "Every message is one JSON object."),
    Rule.MISSING_FIELD: (_ERROR, "A message has the fields of its event, each of the right type."),
    Rule.UNKNOWN_EVENT: (_ERROR, "The bot's events are media, mark and clear."),
    Rule.WRONG_STREAM_SID: (_ERROR, "stream_sid is the one of the start event."),
    Rule.BAD_BASE64: (_ERROR, "media.payload is base64."),
    Rule.CHUNK_STEP: (
        _ERROR,
        "A chunk is a multiple of 320 bytes; any other leaves a hole of 20 ms.",
    ),
    Rule.CHUNK_TOO_LARGE: (_ERROR, "A chunk has at most 100 000 bytes."),
    Rule.BUFFER_FULL: (_ERROR, "The bot does not send audio without end."),
    Rule.LEAD_TOO_LONG: (
        _WARNING,
        "Audio is paced near real time; calls that were sent much at once have been hung up.",
    ),
    Rule.AUDIO_AFTER_STOP: (_ERROR, "Nothing is sent after stop."),
    Rule.CLOSED_BEFORE_PLAYED: (
        _WARNING,
        "The bot closes the stream once its last words have been played.",
    ),
    Rule.MISSING_NUMBERS: (
        _WARNING,
        "Media carries sequence_number, chunk and timestamp; some streams end early without.",
    ),
    Rule.PASSTHRU_STATUS: (_ERROR, "A Passthru applet is answered 200 or 302."),
    Rule.PASSTHRU_BODY: (
        _ERROR,
        "A Passthru applet's body is empty, JSON, or the name of an applet that is connected.",
    ),
    Rule.PASSTHRU_LATE: (_WARNING, "A Passthru applet is answered in a second; the caller waits."),
    Rule.PASSTHRU_TIMEOUT: (_ERROR, "A Passthru applet is answered within its time limit."),
    Rule.GREETING_STATUS: (_ERROR, "A Greeting applet's URL answers 200."),
    Rule.GREETING_TYPE: (_ERROR, "A Greeting applet's text is text/plain."),
    Rule.GREETING_TEXT: (_ERROR, "A Greeting applet's URL answers a text that can be spoken."),
    Rule.GREETING_TIMEOUT: (_ERROR, "A Greeting applet's URL answers within its time limit."),
    Rule.DIAL_STATUS: (_ERROR, "A Connect applet is answered 200."),
    Rule.DIAL_TYPE: (
        _ERROR,
        "A Connect applet is answered text/plain, a programmable one application/json.",
    ),
    Rule.DIAL_BODY: (_ERROR, "A Connect applet's answer is of its contract, and nothing else."),
    Rule.DIAL_NUMBERS: (_ERROR, "Numbers to be dialled are given, in E.164."),
    Rule.DIAL_KEY: (_ERROR, "Each key of a Connect applet's answer is within its bounds."),
    Rule.DIAL_AUDIO: (_ERROR, "An audio URL answers 200, with WAV of 8 kHz, 16 bit, mono, or MP3."),
    Rule.DIAL_LATE: (_WARNING, "A Connect applet is answered in a second; the caller waits."),
    Rule.DIAL_TIMEOUT: (
        _ERROR,
        "A Connect applet is answered in 10 s, a programmable one in 5 s.",
    ),
    Rule.DIAL_EVENT_STATUS: (_ERROR, "A dial event is answered 200."),
    Rule.CALLBACK_STATUS: (_ERROR, "A status callback is answered 200."),
    Rule.CALLBACK_TIMEOUT: (_ERROR, "A status callback is answered within 10 s."),
    Rule.WEBHOOK_UNREACHABLE: (_ERROR, "Each URL of a flow can be reached and speaks HTTP."),
}
"""How bad each rule's violation is, and the rule as a sentence."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that was not kept.

    Attributes:
        rule: Which.
        detail: What was seen, short; no audio, no token, no number.
    """

    rule: Rule
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A breach and its time.

    Attributes:
        rule: Which rule.
        at_ms: Milliseconds since the start event; 0 for what came before it.
        detail: As in :class:`Breach`.
    """

    rule: Rule
    at_ms: float
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it spoils the call."""
        return SENTENCES[self.rule][0]

    @property
    def sentence(self) -> str:
        """The rule."""
        return SENTENCES[self.rule][1]


class ViolationLog:
    """The violations of one call: the first ``per_rule`` of each rule, and counts of all.

    Whatever the server sends, the log stays small.
    """

    def __init__(self, per_rule: int = 10) -> None:
        self._per_rule = per_rule
        self._counts: dict[Rule, int] = {}
        self._kept: list[Violation] = []

    def add(self, breach: Breach, at_ms: float) -> Violation | None:
        """Write a breach down; ``None`` if it was only counted."""
        count = self._counts[breach.rule] = self._counts.get(breach.rule, 0) + 1
        if count > self._per_rule:
            return None
        violation = Violation(breach.rule, at_ms, breach.detail)
        self._kept.append(violation)
        return violation

    @property
    def kept(self) -> tuple[Violation, ...]:
        """The violations written down, in order."""
        return tuple(self._kept)

    @property
    def counts(self) -> dict[Rule, int]:
        """How often each rule was broken."""
        return dict(self._counts)
