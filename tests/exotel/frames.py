"""Text frames as Exotel sends them, to be varied by the tests."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

from exobridge.exotel.messages import BadFrameError, Event, MediaFormat, Started, decode

CONNECTED = '{"event":"connected"}'
START = (
    '{"event":"start","sequence_number":"1","stream_sid":"S","start":{"stream_sid":"S",'
    '"call_sid":"C","leg_sid":"L","account_sid":"A","from":"09900000001","to":"08040000000",'
    '"custom_parameters":{"k":"v"},"media_format":{"encoding":"base64","sample_rate":"8000",'
    '"bit_rate":"128kbps"}}}'
)
MEDIA = (
    '{"event":"media","sequence_number":"3","stream_sid":"S",'
    '"media":{"chunk":"2","timestamp":"20","payload":"AAEC"}}'
)
DTMF = (
    '{"event":"dtmf","sequence_number":"7","stream_sid":"S","dtmf":{"digit":"5","duration":"100"}}'
)
MARK = '{"event":"mark","sequence_number":"15","stream_sid":"S","mark":{"name":"turn-3-end"}}'
STOP = (
    '{"event":"stop","sequence_number":"20","stream_sid":"S",'
    '"stop":{"call_sid":"C","account_sid":"A","reason":"callended"}}'
)

STARTED = Started(
    stream_sid="S",
    call_sid="C",
    account_sid="A",
    from_number="09900000001",
    to_number="08040000000",
    custom_parameters={"k": "v"},
    media_format=MediaFormat("base64", 8000, 128_000),
)
"""What ``START`` says."""

ALL = (CONNECTED, START, MEDIA, DTMF, MARK, STOP)
"""One of each, as documented."""


def frame(event: str, **fields: Any) -> str:
    """An event with these fields."""
    return json.dumps({"event": event, **fields})


def start(inner: dict[str, Any], **outer: Any) -> str:
    """A ``start`` with these fields inside, and those outside."""
    return frame("start", start=inner, **outer)


def media(payload: bytes = b"\x01\x02", *, sid: str = "S", **fields: Any) -> str:
    """The caller's audio."""
    inner = {"payload": base64.b64encode(payload).decode(), **fields}
    return frame("media", stream_sid=sid, media=inner)


def outcome(text: str | bytes) -> Event | None:
    """The event, or ``None`` for a bad frame. Any other exception gets out."""
    try:
        return decode(text)
    except BadFrameError:
        return None


def camel(text: str) -> str:
    """The same frame with every key but the custom parameters' in camel case."""
    return json.dumps(_camel(json.loads(text)))


def _camel(value: object) -> object:
    if not isinstance(value, dict):
        return value
    fields: dict[str, object] = {}
    for key, item in cast(dict[str, object], value).items():
        first, *rest = key.split("_")
        name = first + "".join(word.capitalize() for word in rest)
        fields[name] = item if key == "custom_parameters" else _camel(item)
    return fields
