"""``POST Calls/connect``: what is asked for, judged as Exotel documents each parameter. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, cast
from urllib.parse import SplitResult, unquote, urlsplit

from exobridge.simulator.account.answers import Refusal
from exobridge.simulator.account.placing import PlacedCall
from exobridge.simulator.flows.model import CallbackEvent, CallbackTable

LONGEST_CALL_SECONDS = 14_400
LONGEST_RING_SECONDS = 300
"""Not documented; no telephone rings longer."""
MAX_CUSTOM_FIELD = 128
MAX_STREAM_URL = 600
"""A ``StreamUrl`` is shorter."""
MAX_STREAM_NAME = 32
MAX_URL = 2000

_NUMBER = re.compile(r"\+?[0-9]{10,15}", re.ASCII)
_PLAIN = re.compile(r"[0-9]{1,9}", re.ASCII)
_FLOW_PATHS = (
    re.compile(r"/(?P<sid>[^/]+)/exoml/start_voice/(?P<app>[^/]{1,200})"),
    re.compile(r"/exoml/start(?:_voice)?/(?P<app>[^/]{1,200})"),
)
_EXOTEL_HOST = re.compile(r"(?:[a-z0-9-]+\.)*exotel\.(?:com|in)")
_EVENT_KEY = re.compile(r"StatusCallbackEvents\[[0-9]{0,2}\]", re.ASCII)
_CONTENT_TYPES: Mapping[str, Literal["multipart", "form", "json"]] = {
    "": "multipart",
    "multipart/form-data": "multipart",
    "application/x-www-form-urlencoded": "form",
    "application/json": "json",
}
_EVENTS = ("terminal", "answered")
KNOWN = frozenset(
    {
        "From",
        "To",
        "CallerId",
        "Url",
        "CallType",
        "TimeLimit",
        "TimeOut",
        "StatusCallback",
        "StatusCallbackContentType",
        "CustomField",
        "Record",
        "RecordingChannels",
        "StreamUrl",
        "StreamType",
        "StreamName",
    }
)
"""Parameters that are read; so are ``StatusCallbackEvents[n]``."""


def read_connect(form: Mapping[str, str], sid: str, call_sid: str) -> PlacedCall:
    """The call that a form asks for.

    Args:
        form: Its parameters.
        sid: The account's.
        call_sid: What the call will be known by.

    Raises:
        Refusal: A parameter is missing or out of its bounds; 400, with its name.
    """
    flow_url, stream_url = _text(form, "Url"), _text(form, "StreamUrl")
    if flow_url and stream_url:
        raise _wrong("Url", "and StreamUrl exclude one another")
    if not flow_url and not stream_url:
        raise _wrong("Url", "or StreamUrl is required")
    if _text(form, "To"):
        raise _wrong("To", "is for calls between two numbers, which have no Url and no StreamUrl")
    _one_of(form, "CallType", ("trans",))
    _one_of(form, "StreamType", ("bidirectional",))
    _text(form, "StreamName", MAX_STREAM_NAME)
    return PlacedCall(
        call_sid=call_sid,
        customer=_number(form, "From"),
        exophone=_number(form, "CallerId"),
        app_id=_app_id(flow_url, sid) if flow_url else "",
        stream_url=_stream_url(stream_url) if stream_url else "",
        custom_field=_text(form, "CustomField", MAX_CUSTOM_FIELD),
        limit_seconds=_seconds(form, "TimeLimit", LONGEST_CALL_SECONDS),
        ring_seconds=_seconds(form, "TimeOut", LONGEST_RING_SECONDS),
        record=_one_of(form, "Record", ("true", "false")) == "true",
        channels=cast(
            Literal["single", "dual"],
            _one_of(form, "RecordingChannels", ("single", "dual")) or "single",
        ),
        callback=_callback(form),
        ignored=tuple(name for name in form if not _is_known(name)),
    )


def _is_known(name: str) -> bool:
    return name in KNOWN or _EVENT_KEY.fullmatch(name) is not None


def _wrong(name: str, problem: str) -> Refusal:
    return Refusal(400, f"Invalid parameter: {name} {problem}", 34001)


def _text(form: Mapping[str, str], name: str, longest: int = MAX_URL) -> str:
    text = form.get(name, "").strip()
    if len(text) > longest:
        raise _wrong(name, f"has more than {longest} characters")
    return text


def _one_of(form: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """The word; empty if there is none."""
    word = _text(form, name)
    if word and word not in words:
        raise _wrong(name, f"is {' or '.join(words)}")
    return word


def _number(form: Mapping[str, str], name: str) -> str:
    number = re.sub(r"[ ().-]", "", _text(form, name))
    if not number:
        raise _wrong(name, "is required")
    if not _NUMBER.fullmatch(number):
        raise _wrong(name, "is not a telephone number")
    return number


def _seconds(form: Mapping[str, str], name: str, most: int) -> int | None:
    text = _text(form, name)
    if not text:
        return None
    if not _PLAIN.fullmatch(text) or not 1 <= int(text) <= most:
        raise _wrong(name, f"is 1 to {most} seconds")
    return int(text)


def split_url(url: str, schemes: tuple[str, ...], wrong: Callable[[str], Refusal]) -> SplitResult:
    """An absolute URL's parts.

    Raises:
        Refusal: It is none, or of another scheme.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or re.search(r"[\x00-\x20\x7f]", url):
        raise wrong(f"is no URL with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return urlsplit(url)


def _app_id(url: str, sid: str) -> str:
    parts = split_url(url, ("http", "https"), lambda problem: _wrong("Url", problem))
    found = next(filter(None, (path.fullmatch(parts.path) for path in _FLOW_PATHS)), None)
    if found is None or not _EXOTEL_HOST.fullmatch(parts.hostname or ""):
        raise _wrong("Url", "is http://my.exotel.com/{sid}/exoml/start_voice/{app_id}")
    if unquote(found.groupdict().get("sid") or sid) != sid:
        raise _wrong("Url", "names a flow of another account")
    return unquote(found["app"])


def _stream_url(url: str) -> str:
    if len(url) >= MAX_STREAM_URL:
        raise _wrong("StreamUrl", f"has {MAX_STREAM_URL} characters or more")
    split_url(url, ("wss", "ws"), lambda problem: _wrong("StreamUrl", problem))
    return url


def _callback(form: Mapping[str, str]) -> CallbackTable | None:
    kind = _text(form, "StatusCallbackContentType")
    if kind not in _CONTENT_TYPES:
        raise _wrong("StatusCallbackContentType", "is multipart/form-data or application/json")
    events = [_one_of(form, name, _EVENTS) for name in sorted(form) if _EVENT_KEY.fullmatch(name)]
    url = _text(form, "StatusCallback")
    if not url:
        if any(events):
            raise _wrong("StatusCallback", "is required with StatusCallbackEvents")
        return None
    split_url(url, ("http", "https"), lambda problem: _wrong("StatusCallback", problem))
    told = cast(list[CallbackEvent], list(dict.fromkeys(filter(None, events))))
    return CallbackTable(url=url, content_type=_CONTENT_TYPES[kind], events=told)
