"""Passthru: asks the server which way to go, or tells it what happened.

``sync``: the caller waits; 200 and 302 choose the branch, and a body may name an applet. ``async``:
told beside the flow, which goes on at once.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from exobridge.simulator.flows.asking import Question, Reply, ask
from exobridge.simulator.flows.model import Passthru
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.flows.report import What
from exobridge.simulator.rules import Rule

MUSIC = "default_tone"
_EXOML = "/exoml/start/"


async def passthru(call: OneCall, name: str, applet: Passthru) -> Way:
    """Where the flow goes on."""
    question = Question(
        what=What.PASSTHRU,
        url=applet.url,
        timeout_s=applet.timeout_seconds,
        timeout=Rule.PASSTHRU_TIMEOUT,
        late=Rule.PASSTHRU_LATE if applet.mode == "sync" else None,
        parameters=call.facts.passthru_parameters(),
        method=applet.method,
        applet=name,
    )
    if applet.mode == "async":
        call.beside(_tell(call, applet, question))
        return Way("ok", applet.ok)
    began = call.now_ms
    reply = await ask(call, question)
    call.hears_music(began, MUSIC)
    return _way(call, applet, reply)


async def _tell(call: OneCall, applet: Passthru, question: Question) -> None:
    """What it answers is judged, and changes nothing."""
    _way(call, applet, await ask(call, question))


def _way(call: OneCall, applet: Passthru, reply: Reply) -> Way:
    match reply.status:
        case None:
            late = reply.why == "timeout"
            return (
                Way("on_timeout", applet.on_timeout) if late else Way("on_error", applet.on_error)
            )
        case 200:
            return _by_body(call, applet, reply)
        case 302:
            return Way("other", applet.other)
        case status:
            call.broken(Rule.PASSTHRU_STATUS, f"status {status}")
            return Way("on_error", applet.on_error)


def _by_body(call: OneCall, applet: Passthru, reply: Reply) -> Way:
    text = None if reply.text is None else reply.text.strip()
    if text is not None and (not text or is_json(text)):
        return Way("ok", applet.ok)
    named = None if text is None else applet_named(text)
    if named in applet.bodies:
        return Way("bodies", applet.bodies[named])
    call.broken(Rule.PASSTHRU_BODY, reply.size)
    return Way("ok", applet.ok)


def is_json(text: str) -> bool:
    """Whether it is a JSON object."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict)


def applet_named(text: str) -> str:
    """``vip-connect``, also where it stands in ``https://my.exotel.com/exoml/start/vip-connect``."""
    try:
        path = urlsplit(text).path
    except ValueError:
        return text
    return path.partition(_EXOML)[2] if _EXOML in path else text
