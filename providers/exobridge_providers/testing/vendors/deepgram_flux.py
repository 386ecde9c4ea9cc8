"""Deepgram's ``/v2/listen``, as documented: what it looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.fake_vendor import FakeVendor, VendorConnection
from exobridge_providers.testing.faults import VendorError
from exobridge_providers.testing.recogniser import Began, Interim, Recogniser
from exobridge_providers.testing.vendors.deepgram_nova import (
    CODES,
    audio_format,
    known_only,
    token_of,
)

PATH = "/v2/listen"
MODELS = ("flux-general-en", "flux-general-multi")
HINTS = {"de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru"}
RANGES = {
    "eot_threshold": (0.5, 1.0),
    "eager_eot_threshold": (0.3, 0.9),
    "eot_timeout_ms": (500.0, 60_000.0),
}
SWITCHES = {"numerals", "profanity_filter", "mip_opt_out"}
LISTS = {"keyterm", "language_hint", "tag"}
KNOWN = {"model", "encoding", "sample_rate", "redact", *RANGES, *SWITCHES, *LISTS}

EAGER_MS = 60.0
"""Quiet after which a turn is probably over, in milliseconds of audio."""
END_MS = 100.0
"""Quiet after which it is over, unless it clearly goes on."""
GOES_ON = ("and", "um")
"""Last words of a turn that clearly goes on."""


class Turns:
    """The turns of one connection, as its audio comes."""

    def __init__(self, vendor: FakeDeepgramFlux, connection: VendorConnection) -> None:
        self._vendor = vendor
        self._connection = connection
        self._format = self._asked()
        self._ear = Recogniser(self._format, end_ms=None)
        self._limits = {name: connection.parameter(name) for name in RANGES}
        self._open = self._eager = False
        self._text = ""
        self._index = 0

    def _asked(self) -> AudioFormat:
        connection = self._connection
        known_only(connection, KNOWN)
        model = connection.parameter("model")
        if model not in MODELS:
            connection.violation(f"model {model!r}")
        hints = set(connection.query.get("language_hint", ()))
        if hints and (model != MODELS[1] or hints - HINTS):
            connection.violation(f"language_hint {sorted(hints)} for {model!r}")
        for name, (low, high) in RANGES.items():
            value = connection.parameter(name)
            if value is not None and not low <= float(value) <= high:
                connection.violation(f"{name} is {value!r}")
        if connection.parameter("redact") not in (None, "numbers", "aggressive_numbers"):
            connection.violation(f"redact is {connection.parameter('redact')!r}")
        for name in SWITCHES & set(connection.query):
            if connection.parameter(name) not in ("true", "false"):
                connection.violation(f"{name} is {connection.parameter(name)!r}")
        eager = float(connection.parameter("eager_eot_threshold") or 0)
        if eager > float(connection.parameter("eot_threshold") or 0.7):
            connection.violation("eager_eot_threshold is above eot_threshold")
        return audio_format(connection, ("8000", "16000", "24000", "44100", "48000"))

    def hear(self, audio: bytes) -> None:
        """More audio."""
        if not audio:
            self._connection.violation("an empty message of audio")
        step = 10 * self._format.bytes_per_ms
        for at in range(0, len(audio), step):
            self._hear_step(audio[at : at + step])

    def _hear_step(self, audio: bytes) -> None:
        for heard in self._ear.hear(audio):
            match heard:
                case Began():
                    self._open = True
                    self._tell("StartOfTurn", self._vendor.interim_seconds)
                case Interim(text):
                    self._go_on()
                    self._text = text
                    self._tell("Update", self._vendor.interim_seconds)
                case _:
                    pass
        if self._open:
            self._look()

    def _go_on(self) -> None:
        if self._eager:
            self._eager = False
            self._tell("TurnResumed")

    def _look(self) -> None:
        quiet, sure = self._ear.quiet_ms, self._limits["eot_threshold"] != "1.0"
        if quiet < EAGER_MS:
            return
        whole = sure and not self._ear.text.endswith(GOES_ON)
        if self._limits["eager_eot_threshold"] and whole and not self._eager:
            self._eager = True
            self._text = self._ear.text
            self._tell("EagerEndOfTurn", self._vendor.final_seconds / 2)
        if whole and quiet >= END_MS:
            self.end("model")
        elif quiet >= float(self._limits["eot_timeout_ms"] or 5000):
            self.end("timeout")

    def end(self, trigger: str) -> None:
        """The turn is over, or there is none."""
        if not self._open and not self._ear.text:
            if not self._vendor.warns:
                return
            words = {"code": "FORCE_END_TURN_NO_ACTIVE_TURN", "description": "ignored"}
            self._connection.send({"type": "Warning", **words}, self._vendor.final_seconds)
            return
        self._text = self._ear.flush()
        self._tell("EndOfTurn", self._vendor.final_seconds, trigger=trigger)
        self._open = self._eager = False
        self._text = ""
        self._index += 1

    def _tell(self, event: str, after: float = 0.0, **more: str) -> None:
        languages = (
            {"languages": ["en"]} if self._connection.parameter("model") == MODELS[1] else {}
        )
        message: dict[str, Any] = {
            "type": "TurnInfo",
            "request_id": "fake",
            "event": event,
            "turn_index": self._index,
            "transcript": self._text,
            "words": [],
            "end_of_turn_confidence": 0.5,
        }
        self._connection.send({**message, **languages, **more}, after)


class FakeDeepgramFlux(FakeVendor):
    """A turn ends after a short silence in the audio, one that clearly goes on after
    ``eot_timeout_ms`` of it. Unrealistic in that it is sure of the rest, and that an ``Update``
    comes with each word, and never without.

    Attributes:
        warns: It says that there is no turn to end; its pages disagree.
    """

    paths = (PATH,)
    idle_seconds = 10.0
    warns = True

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """In the header."""
        return token_of(headers)

    async def serve(self, connection: VendorConnection) -> None:
        """Turns, of the audio that comes."""
        turns = Turns(self, connection)
        connection.send({"type": "Connected", "request_id": "fake", "sequence_id": 0})
        while True:
            message = await connection.receive()
            if isinstance(message, bytes):
                turns.hear(message)
                continue
            match connection.json(message).get("type"):
                case "ForceEndTurn":
                    turns.end("manual")
                case "CloseStream":
                    await connection.close(1000)
                case other:
                    connection.violation(f"there is no message of type {other!r}")

    def error_messages(self, error: VendorError) -> Sequence[Mapping[str, Any] | str]:
        """Of an open stream."""
        return ({"type": "Error", "code": CODES[error], "description": f"of {self.key}"},)

    def idle_close(self) -> tuple[int, str]:
        """As the other endpoint's; its own pages do not tell."""
        return 1011, "NET-0001"


CASE = VendorCase(
    Kind.STT,
    "deepgram-flux",
    FakeDeepgramFlux,
    PATH,
    options={"keepalive_seconds": 0.02, "connect_seconds": 1},
)
