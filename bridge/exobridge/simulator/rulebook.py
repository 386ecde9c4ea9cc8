"""Exotel's rules for a server, each with what says so and what to do about it.

``docs/reference/rules.md`` lists them. Documents are named by the titles that Exotel gives them on
its support pages and on its developer portal. Where they leave a point open, the source says what
the rule stands on instead.
"""

from __future__ import annotations

from enum import StrEnum

_STREAM = "Working with the Stream and Voicebot Applet"
_CONFIGURATION = f"{_STREAM}, Configuration Parameters"
_MESSAGES = f"{_STREAM}, WebSocket Message Protocol"
_CHUNKS = f"{_STREAM}, Chunk Size Requirements"
_GUIDE = "Updated Extension Guide: Working with the Stream and Voicebot Applet"
_SAMPLES = "The sample bots that Exotel publishes"
_PASSTHRU = "Working with Passthru Applet"
_PORTAL = "Developer portal, Passthru applet"
_GREETING = "Developer portal, Greeting applet"
_DIAL_WHOM = "Working with Connect Applet (Dial Whom)"
_DYNAMIC = "Working with Connect Applet (Dynamic URL)"
_CALLBACK = "Outgoing call to connect number to a call flow, StatusCallback"
_PROXY = "Let the server, its proxy and its certificate be reached from the internet."


class Severity(StrEnum):
    """What a violation does to a call: an error spoils it, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


class Rule(StrEnum):
    """The rules, by the name they carry in a report.

    Attributes:
        severity: How bad it is to break it.
        sentence: The rule.
        source: What says so.
        cure: What to do about a violation.
    """

    severity: Severity
    sentence: str
    source: str
    cure: str

    def __new__(cls, name: str, severity: Severity, sentence: str, source: str, cure: str) -> Rule:
        self = str.__new__(cls, name)
        self._value_ = name
        self.severity = severity
        self.sentence = sentence
        self.source = source
        self.cure = cure
        return self

    # ------------------------------------------------------------ the stream's URL

    ANSWER_STATUS = (
        "answer-status",
        _ERROR,
        "An answer is 200 (go on) or 302 (the other branch).",
        _PASSTHRU,
        "Answer 200 with the stream's URL, or 302 where the flow has another branch.",
    )
    ANSWER_TYPE = (
        "answer-type",
        _ERROR,
        "An answer with a stream's URL is application/json.",
        f"{_CONFIGURATION}, URL",
        "Set the header Content-Type: application/json.",
    )
    ANSWER_BODY = (
        "answer-body",
        _ERROR,
        'The body of the answer is {"url": "wss://…"}.',
        f"{_CONFIGURATION}, URL",
        "Answer one JSON object with the key url, and nothing around it.",
    )
    ANSWER_LATE = (
        "answer-late",
        _WARNING,
        "An answer takes less than a second; the caller waits.",
        f"{_PASSTHRU}, Sync",
        "Answer first; look things up once the stream is open.",
    )
    ANSWER_TIMEOUT = (
        "answer-timeout",
        _ERROR,
        "An answer is there within the time limit.",
        f"{_GUIDE}, Timeout Handling",
        "Put a limit on whatever the answer waits for, and answer without it.",
    )
    ANSWER_UNREACHABLE = (
        "answer-unreachable",
        _ERROR,
        "The server can be reached and speaks HTTP.",
        f"{_CONFIGURATION}, URL",
        _PROXY,
    )
    STREAM_URL = (
        "stream-url",
        _ERROR,
        "A stream's URL is absolute, ws:// or wss://.",
        f"{_CONFIGURATION}, URL",
        "Answer the whole URL: wss://, the host that Exotel reaches, and the path.",
    )
    STREAM_URL_LONG = (
        "stream-url-long",
        _ERROR,
        "A stream's URL has fewer than 600 characters.",
        "Connect Voice AI, StreamUrl",
        "Keep long values on the server, under the CallSid, and out of the URL.",
    )
    STREAM_PARAMETERS = (
        "stream-parameters",
        _ERROR,
        "A stream's URL carries at most 3 custom parameters, 256 characters of query in all.",
        f"{_CONFIGURATION}, Custom Parameters",
        "Send at most three short ones; keep the rest on the server, under the CallSid.",
    )
    STREAM_RATE = (
        "stream-rate",
        _ERROR,
        "sample-rate is 8000, 16000 or 24000.",
        f"{_CONFIGURATION}, Sample Rate",
        "Ask for one of the three, or leave the parameter out for 8000.",
    )
    HANDSHAKE = (
        "handshake",
        _ERROR,
        "The WebSocket handshake is completed within 10 s, at the second try at the latest.",
        f"{_GUIDE}, Timeout Handling and Connection Retry",
        "Accept the WebSocket first and do slow work after; a token must stay good for a retry.",
    )

    # ------------------------------------------------------------ the bot's messages

    BINARY_FRAME = (
        "binary-frame",
        _ERROR,
        "Every message is a text frame.",
        _MESSAGES,
        "Send JSON as text; audio goes into media.payload, as base64.",
    )
    FRAME_TOO_LARGE = (
        "frame-too-large",
        _ERROR,
        "A message is smaller than 1 MiB.",
        f"{_CHUNKS}: 100 KB of audio at most, so that no message is near to it",
        "Send audio in chunks of about 100 ms.",
    )
    NOT_JSON = (
        "not-json",
        _ERROR,
        "Every message is one JSON object.",
        _MESSAGES,
        "Write each message with a JSON encoder, one to a frame.",
    )
    MISSING_FIELD = (
        "missing-field",
        _ERROR,
        "A message has the fields of its event, each of the right type.",
        _MESSAGES,
        "Send event and stream_sid, spelled so; media.payload with media, mark.name with mark.",
    )
    UNKNOWN_EVENT = (
        "unknown-event",
        _ERROR,
        "The bot's events are media, mark and clear.",
        _MESSAGES,
        "Send no other; to hang up, close the WebSocket with 1000.",
    )
    WRONG_STREAM_SID = (
        "wrong-stream-sid",
        _ERROR,
        "stream_sid is the one of the start event.",
        _MESSAGES,
        "Keep stream_sid per connection, from its own start event; a second stream has another.",
    )
    BAD_BASE64 = (
        "bad-base64",
        _ERROR,
        "media.payload is base64.",
        f"{_STREAM}, Audio Format",
        "Encode the raw samples with the standard alphabet and padding; no header, no data: URL.",
    )
    CHUNK_EMPTY = (
        "chunk-empty",
        _WARNING,
        "A chunk carries audio.",
        f"{_CHUNKS}, Minimum",
        "Leave out a chunk that has no audio in it.",
    )
    CHUNK_STEP = (
        "chunk-step",
        _ERROR,
        "A chunk is a multiple of 320 bytes; any other leaves a hole of 20 ms.",
        _CHUNKS,
        "Cut audio at multiples of 320 bytes, and fill up the last chunk with silence.",
    )
    CHUNK_TOO_LARGE = (
        "chunk-too-large",
        _ERROR,
        "A chunk has at most 100 000 bytes.",
        f"{_CHUNKS}, Maximum",
        "Send audio in chunks of about 100 ms.",
    )
    BUFFER_FULL = (
        "buffer-full",
        _ERROR,
        "The bot does not send audio without end.",
        "None: Exotel's buffer is not documented; the simulator's holds 300 s",
        "Pace audio by the clock: send what is due, and a little ahead.",
    )
    LEAD_TOO_LONG = (
        "lead-too-long",
        _WARNING,
        "Audio is paced near real time; calls that were sent much at once have been hung up.",
        f"{_SAMPLES}; calls were hung up after about 4 s",
        "Send a chunk of 100 ms every 100 ms, at most some hundred ms ahead.",
    )
    AUDIO_AFTER_STOP = (
        "audio-after-stop",
        _ERROR,
        "No audio is sent after stop.",
        f"{_MESSAGES}, Stop",
        "At stop, cancel the speech that is being made and everything that waits to be sent.",
    )
    CLOSED_BEFORE_PLAYED = (
        "closed-before-played",
        _WARNING,
        "The bot closes the stream once its last words have been played.",
        f"{_MESSAGES}, Mark",
        "Send a mark behind the last words, and close when it comes back.",
    )
    MISSING_NUMBERS = (
        "missing-numbers",
        _WARNING,
        "Media carries sequence_number, chunk and timestamp; some streams end early without.",
        f"{_MESSAGES}, Media; {_SAMPLES[0].lower()}{_SAMPLES[1:]}",
        "Count messages in sequence_number, media in chunk, and milliseconds in timestamp.",
    )

    # ------------------------------------------------------------ Passthru applets

    PASSTHRU_STATUS = (
        "passthru-status",
        _ERROR,
        "A Passthru applet is answered 200 or 302.",
        _PASSTHRU,
        "Answer 200 for one branch and 302 for the other; connect On Error for the day it fails.",
    )
    PASSTHRU_BODY = (
        "passthru-body",
        _ERROR,
        "A Passthru applet's body is empty, JSON, or the name of an applet that is connected.",
        f"{_PORTAL}, unexpected data",
        "Answer without a body, or name an applet of this flow as text/plain.",
    )
    PASSTHRU_LATE = (
        "passthru-late",
        _WARNING,
        "A Passthru applet is answered in a second; the caller waits.",
        f"{_PASSTHRU}, Sync",
        "Answer first and work afterwards, or make the applet async.",
    )
    PASSTHRU_TIMEOUT = (
        "passthru-timeout",
        _ERROR,
        "A Passthru applet is answered within its time limit.",
        f"{_PORTAL}, On Timeout",
        "Put a limit on whatever the answer waits for; connect On Timeout all the same.",
    )

    # ------------------------------------------------------------ Greeting and Gather

    GREETING_STATUS = (
        "greeting-status",
        _ERROR,
        "A Greeting applet's URL answers 200.",
        f"{_GREETING}, text from a URL",
        "Answer 200 with a text that fits every caller when nothing better is known.",
    )
    GREETING_TYPE = (
        "greeting-type",
        _ERROR,
        "A Greeting applet's text is text/plain.",
        f"{_GREETING}, text from a URL",
        "Set the header Content-Type: text/plain; charset=utf-8.",
    )
    GREETING_TEXT = (
        "greeting-text",
        _ERROR,
        "A Greeting applet's URL answers a text that can be spoken.",
        f"{_GREETING}, text from a URL",
        "Answer plain words in UTF-8: not empty, no markup.",
    )
    GREETING_TIMEOUT = (
        "greeting-timeout",
        _ERROR,
        "A Greeting applet's URL answers within its time limit.",
        "None: the limit is not documented; the flow's timeout_seconds is taken",
        "Put a limit on whatever the answer waits for, and answer without it.",
    )

    # ------------------------------------------------------------ Connect applets

    DIAL_STATUS = (
        "dial-status",
        _ERROR,
        "A Connect applet is answered 200.",
        f"{_DIAL_WHOM}; {_DYNAMIC}, Fallback URL",
        "Answer 200; where nobody is to be dialled, with an empty list.",
    )
    DIAL_TYPE = (
        "dial-type",
        _ERROR,
        "A Connect applet is answered text/plain, a programmable one application/json.",
        f"{_DIAL_WHOM}; {_DYNAMIC}, Response",
        "Set the header Content-Type that the applet wants; a header Exotel-Version tells JSON.",
    )
    DIAL_BODY = (
        "dial-body",
        _ERROR,
        "A Connect applet's answer is of its contract, and nothing else.",
        f"{_DIAL_WHOM}; {_DYNAMIC}, Response",
        "Answer numbers and commas alone, or one JSON object with destination.numbers.",
    )
    DIAL_NUMBERS = (
        "dial-numbers",
        _ERROR,
        "Numbers to be dialled are in E.164.",
        f"{_DIAL_WHOM}; {_DYNAMIC}, destination.numbers",
        "Write each number with + and its country code, like +919900000000.",
    )
    DIAL_KEY = (
        "dial-key",
        _ERROR,
        "Each key of a Connect applet's answer is within its bounds.",
        f"{_DYNAMIC}, Response",
        "Send documented keys alone: ring to 60 s, talk to 4500 s, at most 10 at once.",
    )
    DIAL_AUDIO = (
        "dial-audio",
        _ERROR,
        "An audio URL answers 200, with WAV of 8 kHz, 16 bit, mono, or MP3.",
        f"{_DYNAMIC}, start_call_playback and music_on_hold",
        "Convert the file, and ask its URL once yourself before it is put into an answer.",
    )
    DIAL_LATE = (
        "dial-late",
        _WARNING,
        "A Connect applet is answered in a second; the caller waits.",
        "None: no document names a second, but the caller hears nothing else meanwhile",
        "Decide whom to dial before the applet asks.",
    )
    DIAL_TIMEOUT = (
        "dial-timeout",
        _ERROR,
        "A Connect applet is answered in 10 s, a programmable one in 5 s.",
        f"{_DIAL_WHOM}; {_DYNAMIC}, Fallback URL",
        "Put a limit on whatever the answer waits for, and set a fallback URL.",
    )
    DIAL_EVENT_STATUS = (
        "dial-event-status",
        _ERROR,
        "A dial event is answered 200.",
        f"{_DYNAMIC}, dial_passthru_event_url",
        "Take every dial event, also one that is not known, and answer 200 without a body.",
    )

    # ------------------------------------------------------------ the rest

    CALLBACK_STATUS = (
        "callback-status",
        _ERROR,
        "A status callback is answered 200.",
        _CALLBACK,
        "Take multipart, form and JSON alike, keep what came, and answer 200; repeats too.",
    )
    CALLBACK_TIMEOUT = (
        "callback-timeout",
        _ERROR,
        "A status callback is answered within 10 s.",
        "None: the limit is not documented; what is answered late is sent again",
        "Keep what came, answer at once, and work afterwards.",
    )
    WEBHOOK_UNREACHABLE = (
        "webhook-unreachable",
        _ERROR,
        "Each URL of a flow can be reached and speaks HTTP.",
        f"{_PASSTHRU}; {_DYNAMIC}, Fallback URL",
        _PROXY,
    )
