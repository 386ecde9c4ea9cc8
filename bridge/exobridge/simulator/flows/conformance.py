"""A flow for a server of which nothing is known but where it is asked. Pure.

One short call: the server is asked whom to dial, in whichever contract it answers, and whoever it
names is busy; then its bot greets, a key is pressed, the caller says something, speaks into the
answer, and hangs up; then the end is told, twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from exobridge.simulator.flows.fields import ANY
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.plan import ANSWER_PATH
from exobridge.simulator.speech import VOICE

PASSTHRU_PATH = "/exotel/passthru"
DIAL_UP_PATH = "/exotel/dial-up"
CALLBACK_PATH = "/exotel/callback/status"

PASSTHRU, DIAL, BOT, END = "passthru", "dial", "bot", "end"
"""The applets, in the order in which they are entered."""
KEY = "1"
LINE = "Hello, can you hear me?"
INTERRUPTION = "Sorry, one moment please."
PATIENCE_SECONDS = 8
PAUSE_MS = 1500
INTO_MS = 400
CALL_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the server is asked; empty: it is not.

    Attributes:
        answer: For the stream: ``http(s)`` is asked for its URL, ``ws(s)`` is its URL.
        passthru: By a Passthru applet.
        dial_up: Whom to dial.
        callback: What became of the call.
    """

    answer: str = ""
    passthru: str = ""
    dial_up: str = ""
    callback: str = ""

    @classmethod
    def at(cls, url: str) -> Urls:
        """Of a server of which one URL is known: the stream alone; without a path, where
        ``exobridge call`` asks."""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.path in ("", "/"):
            return cls(answer=urlunsplit(parts._replace(path=ANSWER_PATH)))
        return cls(answer=url)

    def __bool__(self) -> bool:
        return any((self.answer, self.passthru, self.dial_up, self.callback))

    @property
    def with_usual(self) -> Urls:
        """With the usual paths for what is not given, on the answer's server. They may not be
        there."""
        parts = urlsplit(self.answer)
        if parts.scheme not in ("http", "https"):
            return self
        if parts.path != ANSWER_PATH and not parts.path.startswith(f"{ANSWER_PATH}/"):
            return self

        def usual(path: str) -> str:
            # What stands behind the usual path is its secret, and each of them has it there.
            behind = parts.path.removeprefix(ANSWER_PATH)
            return urlunsplit(parts._replace(path=f"{path}{behind}"))

        return replace(
            self,
            passthru=self.passthru or usual(PASSTHRU_PATH),
            dial_up=self.dial_up or usual(DIAL_UP_PATH),
            callback=self.callback or usual(CALLBACK_PATH),
        )


def can_speak() -> bool:
    """Whether the caller has a voice on this machine."""
    return find_spec(VOICE) is not None


def conformance(urls: Urls, *, speaks: bool) -> Flow:
    """The flow.

    Args:
        urls: What can be asked, at least one of them; absolute, or paths on ``[server]``.
        speaks: Whether there is a voice here: without one the caller only presses a key.
    """
    ways = [name for name, url in _ways(urls) if url] + [END]
    following = dict(pairwise(ways))
    applets: dict[str, Any] = {END: {"type": "hangup"}}
    for name, behind in following.items():
        applets[name] = _applet(name, urls, behind)
    tables: dict[str, Any] = {
        "flow": {
            "start": ways[0],
            "description": "what any server is tried by",
        },
        "call": {"timeout_seconds": CALL_SECONDS},
        "stream": {"patience_seconds": PATIENCE_SECONDS},
        "applet": applets,
    }
    if urls.dial_up:
        tables["agent"] = [{"number": ANY, "does": ["busy"]}]
    if urls.answer:
        tables["talk"] = [{"step": _steps(speaks)}]
    if urls.callback:
        tables["callback"] = {"url": urls.callback, "times": 2, "recording_url": False}
    return Flow.model_validate(tables)


def _ways(urls: Urls) -> list[tuple[str, str]]:
    return [
        (PASSTHRU, urls.passthru),
        (DIAL, urls.dial_up),
        (BOT, urls.answer),
    ]


def _applet(name: str, urls: Urls, behind: str) -> dict[str, Any]:
    if name == PASSTHRU:
        ways = dict.fromkeys(("ok", "other", "on_timeout", "on_error"), behind)
        return {"type": "passthru", "url": urls.passthru, **ways}
    if name == BOT:
        return {"type": "voicebot", "url": urls.answer, "next": behind}
    ways = dict.fromkeys(("after_conversation", "nobody_answers", "not_dialled"), behind)
    return {"type": "connect", "url": urls.dial_up, "contract": "either", **ways}


def _steps(speaks: bool) -> list[dict[str, Any]]:
    """What the caller does. The key wants no answer: not every bot knows keys."""
    press: dict[str, Any] = {"press": KEY}
    if not speaks:
        return [press, {"hang_up": True, "pause_ms": PAUSE_MS}]
    return [
        press,
        {"say": LINE, "pause_ms": PAUSE_MS},
        {"say": INTERRUPTION, "after_ms": INTO_MS},
        {"hang_up": True},
    ]
