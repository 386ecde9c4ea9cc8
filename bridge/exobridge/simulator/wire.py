"""The words on the stream, from Exotel to the bot.

Pure. They can be varied as widely as they have been seen to vary: :class:`Dialect`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from exobridge_codecs.formats import AudioFormat, Encoding

_CAMEL = {
    "stream_sid": "streamSid",
    "call_sid": "callSid",
    "leg_sid": "legSid",
    "account_sid": "accountSid",
    "sequence_number": "sequenceNumber",
    "custom_parameters": "customParameters",
    "media_format": "mediaFormat",
    "sample_rate": "sampleRate",
    "bit_rate": "bitRate",
}


class Keys(StrEnum):
    """How keys are spelled: ``stream_sid`` or ``streamSid``."""

    SNAKE = "snake"
    CAMEL = "camel"


class Ids(StrEnum):
    """Where the start event carries its ids."""

    BOTH = "both"
    TOP = "top"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the same facts are written. The defaults are what live calls show.

    Attributes:
        keys: Spelling of the keys.
        text_numbers: Numbers are strings, ``"8000"``; else JSON numbers.
        ids: Where ``start`` has its ids.
        media_encoding: ``media_format.encoding``; live it says ``base64``, whatever the audio is.
    """

    keys: Keys = Keys.SNAKE
    text_numbers: bool = True
    ids: Ids = Ids.BOTH
    media_encoding: str = "base64"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls whom, and under which ids; all opaque text."""

    call_sid: str
    stream_sid: str
    account_sid: str
    leg_sid: str
    caller: str
    called: str


def bit_rate(audio: AudioFormat) -> str:
    """``media_format.bit_rate`` as Exotel writes it: ``128kbps`` for PCM16 at 8 kHz."""
    return f"{audio.sample_rate * audio.sample_bytes * 8 // 1000}kbps"


def stream_format(encoding: Encoding, sample_rate: int) -> AudioFormat:
    """The audio of a stream: PCM16 at the rate asked for; μ-law knows 8000 Hz alone."""
    return AudioFormat(encoding, 8000 if encoding is Encoding.MULAW else sample_rate)


class FrameWriter:
    """Builds the frames of one stream, each one JSON text; numbers them in the order built.

    Attributes:
        audio: The stream's format.
    """

    def __init__(self, audio: AudioFormat, identity: Identity, dialect: Dialect) -> None:
        self.audio = audio
        self._identity = identity
        self._dialect = dialect
        self._sequence = 0
        self._chunk = 0
        quote = '"' if dialect.text_numbers else ""
        # Media frames are most of what is sent: all of one that never changes is joined once.
        self._media = (
            f'{{"event":"media","{self._key("sequence_number")}":{quote}',
            f'{quote},"{self._key("stream_sid")}":{json.dumps(identity.stream_sid)},'
            f'"media":{{"chunk":{quote}',
            f'{quote},"timestamp":{quote}',
            f'{quote},"payload":"',
        )

    @property
    def chunks(self) -> int:
        """Media frames built."""
        return self._chunk

    def connected(self) -> str:
        """The first frame; it has no number."""
        return json.dumps({"event": "connected"})

    def start(self, custom_parameters: Mapping[str, str]) -> str:
        """The start event."""
        who, ids = self._identity, self._dialect.ids
        inside: dict[str, Any] = {
            "from": who.caller,
            "to": who.called,
            "custom_parameters": dict(custom_parameters),
            "media_format": {
                "encoding": self._dialect.media_encoding,
                "sample_rate": self._number(self.audio.sample_rate),
                "bit_rate": bit_rate(self.audio),
            },
        }
        named = {
            "stream_sid": who.stream_sid,
            "call_sid": who.call_sid,
            "leg_sid": who.leg_sid,
            "account_sid": who.account_sid,
        }
        if ids is not Ids.TOP:
            inside = named | inside
        top: dict[str, Any] = {}
        if ids is Ids.BOTH:
            top = {"stream_sid": who.stream_sid}
        elif ids is Ids.TOP:
            top = dict(named)
        return self._event("start", {**top, "start": inside})

    def media(self, payload: str, timestamp_ms: int) -> str:
        """A chunk of the caller's audio: base64, and when it began, in ms since the start event."""
        self._sequence += 1
        self._chunk += 1
        sequence, chunk, timestamp, tail = self._media
        return (
            f"{sequence}{self._sequence}{chunk}{self._chunk}{timestamp}{timestamp_ms}"
            f'{tail}{payload}"}}}}'
        )

    def dtmf(self, digit: str, duration_ms: int = 100) -> str:
        """A key was pressed."""
        body = {"digit": digit, "duration": self._number(duration_ms)}
        return self._event("dtmf", {**self._sid(), "dtmf": body})

    def mark(self, name: str) -> str:
        """Everything the bot sent before this mark has been played."""
        return self._event("mark", {**self._sid(), "mark": {"name": name}})

    def stop(self, reason: str) -> str:
        """The stream is over."""
        who = self._identity
        body = {"call_sid": who.call_sid, "account_sid": who.account_sid, "reason": reason}
        return self._event("stop", {**self._sid(), "stop": body})

    def _event(self, event: str, body: Mapping[str, Any]) -> str:
        self._sequence += 1
        frame = {"event": event, "sequence_number": self._number(self._sequence), **body}
        return json.dumps(self._spelled(frame), separators=(",", ":"))

    def _sid(self) -> dict[str, str]:
        return {"stream_sid": self._identity.stream_sid}

    def _number(self, value: int) -> str | int:
        return str(value) if self._dialect.text_numbers else value

    def _key(self, key: str) -> str:
        return _CAMEL.get(key, key) if self._dialect.keys is Keys.CAMEL else key

    def _spelled(self, frame: Mapping[str, Any]) -> dict[str, Any]:
        return {
            # The names of custom parameters are the user's, not Exotel's.
            self._key(key): self._spelled(cast(dict[str, Any], value))
            if isinstance(value, dict) and key != "custom_parameters"
            else value
            for key, value in frame.items()
        }
