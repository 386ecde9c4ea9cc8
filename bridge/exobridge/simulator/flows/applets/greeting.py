"""Greeting: speaks a text, or the text that a URL answers."""

from __future__ import annotations

from exobridge.simulator.flows.asking import Question, ask
from exobridge.simulator.flows.model import Greeting
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.flows.report import What
from exobridge.simulator.rules import Rule

TIMEOUT_S = 10.0


async def greeting(call: OneCall, name: str, applet: Greeting) -> Way:
    """Where the flow goes on."""
    text = applet.text
    if applet.url:
        answered = await text_at(call, name, applet.url, applet.timeout_seconds)
        if answered is None:
            to = applet.next if applet.on_error is None else applet.on_error
            return Way("on_error", to)
        text = answered
    await call.speak(text)
    return Way("next", applet.next)


async def text_at(call: OneCall, name: str, url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """The text that a URL answers; ``None`` if it answers none that can be spoken."""
    question = Question(
        what=What.GREETING,
        url=url,
        timeout_s=timeout_s,
        timeout=Rule.GREETING_TIMEOUT,
        parameters=call.facts.passthru_parameters(),
        applet=name,
    )
    reply = await ask(call, question)
    if reply.status is None:
        return None
    if reply.status != 200:
        call.broken(Rule.GREETING_STATUS, f"status {reply.status}")
        return None
    if reply.kind != "text/plain":
        call.broken(Rule.GREETING_TYPE, repr(reply.kind[:40]))
    text = (reply.text or "").strip()
    if not any(character.isalnum() for character in text):
        call.broken(Rule.GREETING_TEXT, reply.size)
        return None
    return text
