"""What a server answers a Connect applet: read and judged. Pure.

Sources: Exotel's documents of the Connect applet, its "Dial Whom" URL (plain text) and the
programmable Connect (JSON). The fallback URL is asked on a status that is not 200, no answer in
time, the wrong content type and a missing key; a value that is wrong, or a number that is none,
means that nobody is dialled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from exobridge.simulator.rules import Breach, Rule

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_WRITTEN = re.compile(r"\+?[0-9 ().\-]+")

DEFAULT_RING_S, MAX_RING_S = 30, 60
DEFAULT_TALK_S, MAX_TALK_S = 900, 4500
DEFAULT_PARALLEL, MAX_PARALLEL = 5, 10
MUSIC = ("default_tone", "operator_tone", "custom_tone")
KEYS = (
    "fetch_after_attempt",
    "destination",
    "outgoing_phone_number",
    "record",
    "recording_channels",
    "max_ringing_duration",
    "max_conversation_duration",
    "music_on_hold",
    "start_call_playback",
    "parallel_ringing",
    "dial_passthru_event_url",
)
"""Those that are documented."""


@dataclass(frozen=True, slots=True)
class Playback:
    """What is played before the two are joined: a text, or the audio behind a URL."""

    kind: Literal["text", "audio_url"]
    value: str
    to: Literal["callee", "both"] = "callee"


@dataclass(frozen=True, slots=True)
class DialOrder:
    """Whom to dial, and how.

    Attributes:
        numbers: In order; empty: nobody.
        again: Ask again after an attempt.
        outgoing_number: To dial from; empty: the ExoPhone.
        ring_s: The longest an agent's phone rings.
        talk_s: The longest conversation.
        music: What the caller hears: one of ``MUSIC``.
        music_url: Of a custom tone.
        parallel: How many ring at once; 1: one after the other.
        playback: Before the conversation.
        events_url: Where dial events go; empty: nowhere.
    """

    numbers: tuple[str, ...] = ()
    again: bool = False
    outgoing_number: str = ""
    ring_s: float = DEFAULT_RING_S
    talk_s: float = DEFAULT_TALK_S
    music: str = MUSIC[0]
    music_url: str = ""
    parallel: int = 1
    playback: Playback | None = None
    events_url: str = ""


@dataclass(frozen=True, slots=True)
class DialAnswer:
    """An answer as it was understood.

    Attributes:
        order: ``None``: it cannot be used, and the fallback URL is asked.
        breaches: The rules that it does not keep.
    """

    order: DialOrder | None
    breaches: tuple[Breach, ...] = ()


def read_text(status: int, kind: str, text: str | None, *, again: bool) -> DialAnswer:
    """The text contract: numbers in E.164 with commas between, and nothing else.

    Args:
        status: Of the answer.
        kind: Its content type.
        text: Its body; ``None``: too long, or no text.
        again: Whether the applet asks again after an attempt.
    """
    if status != 200:
        return DialAnswer(None, (Breach(Rule.DIAL_STATUS, f"status {status}"),))
    breaches = _wrong_kind(kind, "text/plain")
    written = [part.strip() for part in (text or "").split(",")]
    if text is None or any(part and not _WRITTEN.fullmatch(part) for part in written):
        return DialAnswer(DialOrder(), (*breaches, Breach(Rule.DIAL_BODY, "no list of numbers")))
    numbers, wrong = _numbers([part for part in written if part])
    return DialAnswer(DialOrder(numbers, again=again), (*breaches, *wrong))


def read_json(status: int, kind: str, text: str | None) -> DialAnswer:
    """The JSON contract of a programmable Connect applet; arguments as above."""
    if status != 200:
        return DialAnswer(None, (Breach(Rule.DIAL_STATUS, f"status {status}"),))
    breaches = _wrong_kind(kind, "application/json")
    if breaches:
        return DialAnswer(None, breaches)
    body = _object(text)
    if body is None:
        return DialAnswer(None, (Breach(Rule.DIAL_BODY, "no JSON object"),))
    given = _Given(body)
    destination = given.table("destination")
    if destination is None or "numbers" not in destination.values:
        return DialAnswer(None, (Breach(Rule.DIAL_BODY, "destination.numbers is missing"),))
    listed = destination.values["numbers"]
    if not isinstance(listed, list):
        wrong = Breach(Rule.DIAL_BODY, "destination.numbers is no list")
        return DialAnswer(DialOrder(), (wrong,))
    numbers, breaches = _numbers(cast(list[object], listed))
    order = _order(given, numbers)
    return DialAnswer(order, (*breaches, *given.breaches))


def _order(given: _Given, numbers: tuple[str, ...]) -> DialOrder:
    for key in sorted(given.values.keys() - set(KEYS)):
        given.wrong(key, "is not documented")
    given.flag("record")
    given.word("recording_channels", ("single", "dual"), "single")
    music, music_url = _music(given.table("music_on_hold"))
    return DialOrder(
        numbers=numbers,
        again=given.flag("fetch_after_attempt"),
        outgoing_number=_outgoing(given),
        ring_s=given.number("max_ringing_duration", DEFAULT_RING_S, MAX_RING_S),
        talk_s=given.number("max_conversation_duration", DEFAULT_TALK_S, MAX_TALK_S),
        music=music,
        music_url=music_url,
        parallel=_parallel(given.table("parallel_ringing")),
        playback=_playback(given.table("start_call_playback")),
        events_url=given.url("dial_passthru_event_url"),
    )


def _outgoing(given: _Given) -> str:
    number = given.text("outgoing_phone_number")
    if number and not E164.fullmatch(number):
        given.wrong("outgoing_phone_number", "is not E.164")
        return ""
    return number


def _music(given: _Given | None) -> tuple[str, str]:
    if given is None:
        return MUSIC[0], ""
    kind = given.word("type", MUSIC, MUSIC[0])
    if kind != "custom_tone":
        return kind, ""
    url = given.url("value", needed=True)
    return (kind, url) if url else (MUSIC[0], "")


def _parallel(given: _Given | None) -> int:
    if given is None:
        return 1
    most = int(given.number("max_parallel_attempts", DEFAULT_PARALLEL, MAX_PARALLEL))
    return most if given.flag("activate") else 1


def _playback(given: _Given | None) -> Playback | None:
    if given is None:
        return None
    to = given.word("playback_to", ("callee", "both"), "callee")
    kind = given.word("type", ("text", "audio_url"), "")
    value = given.url("value", needed=True) if kind == "audio_url" else given.text("value")
    if not kind:
        if "type" not in given.values:
            given.wrong("type", "is missing")
        return None
    if not value.strip():
        if kind == "text":
            given.wrong("value", "is empty")
        return None
    whom: Literal["callee", "both"] = "both" if to == "both" else "callee"
    return Playback("text" if kind == "text" else "audio_url", value, whom)


def _wrong_kind(kind: str, wanted: str) -> tuple[Breach, ...]:
    return () if kind == wanted else (Breach(Rule.DIAL_TYPE, repr(kind[:40])),)


def _numbers(listed: list[Any]) -> tuple[tuple[str, ...], tuple[Breach, ...]]:
    """The numbers; none at all if one of them is none."""
    wrong = sum(not (isinstance(each, str) and E164.fullmatch(each)) for each in listed)
    if wrong:
        return (), (Breach(Rule.DIAL_NUMBERS, f"{wrong} of {len(listed)} are not E.164"),)
    return tuple(listed), ()


def _object(text: str | None) -> dict[str, Any] | None:
    try:
        content: Any = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], content) if isinstance(content, dict) else None


@dataclass(slots=True)
class _Given:
    """The keys of a table; what is wrong with a value is noted, and the default taken."""

    values: Mapping[str, Any]
    breaches: list[Breach] = field(default_factory=list[Breach])
    within: str = ""

    def wrong(self, key: str, problem: str) -> None:
        self.breaches.append(Breach(Rule.DIAL_KEY, f"{self.within}{key[:40]!r} {problem}"))

    def table(self, key: str) -> _Given | None:
        value = self.values.get(key)
        if isinstance(value, dict):
            return _Given(cast(dict[str, Any], value), self.breaches, f"{key}: ")
        if value is not None:
            self.wrong(key, "is no object")
        return None

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, "is neither true nor false")
        return value is True

    def number(self, key: str, default: int, largest: int) -> float:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, "is no number")
        elif not 1 <= value <= largest:
            self.wrong(key, f"is not 1 to {largest}")
        else:
            return float(value)
        return float(default)

    def word(self, key: str, words: tuple[str, ...], default: str) -> str:
        value = self.values.get(key, default)
        if value == default or value in words:
            return str(value)
        self.wrong(key, f"is none of {', '.join(words)}")
        return default

    def text(self, key: str) -> str:
        value = self.values.get(key, "")
        if not isinstance(value, str):
            self.wrong(key, "is no text")
            return ""
        return value.encode("utf-8", "replace").decode()  # JSON can say what no text can

    def url(self, key: str, *, needed: bool = False) -> str:
        """An http URL; empty if there is none."""
        value = self.text(key)
        if not value and not needed:
            return ""
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            self.wrong(key, "is no http:// or https:// URL")
        return value if usable else ""
