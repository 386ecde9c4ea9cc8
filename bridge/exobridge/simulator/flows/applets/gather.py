"""Gather: asks for keys. Where it has branches it is an IVR menu.

The caller hears the prompt out, and then presses what ``[caller].presses`` has for this applet: the
first entry where it is entered first, and so on.
"""

from __future__ import annotations

from exobridge.simulator.caller import DIGIT_MS
from exobridge.simulator.flows.applets.greeting import text_at
from exobridge.simulator.flows.model import Gather
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.timeline import Kind, Party


async def gather(call: OneCall, name: str, applet: Gather) -> Way:
    """Where the flow goes on."""
    text = (await text_at(call, name, applet.url) or "") if applet.url else applet.text
    await call.speak(text)
    pressed = await _pressed(call, name, applet)
    digits = pressed.removesuffix(applet.finish_key) if applet.finish_key else pressed
    call.facts.gathered(digits)
    if not digits:
        return Way("on_timeout", applet.on_timeout)
    if digits in applet.branches:
        return Way("branches", applet.branches[digits])
    return Way("next", applet.next)


async def _pressed(call: OneCall, name: str, applet: Gather) -> str:
    """The keys that arrive, the one that finishes included."""
    times = call.book.path.count(name)
    entries = call.flow.caller.presses.get(name, [])
    keys = entries[times - 1] if times <= len(entries) else ""
    pressed = ""
    for key in keys:
        if not await call.wait(DIGIT_MS / 1000):
            return pressed
        call.tell(Kind.PHONE, Party.CALLER, Party.EXOTEL, f"presses {key}")
        pressed += key
        if key == applet.finish_key or len(pressed) == applet.max_digits:
            return pressed
    await call.wait(applet.timeout_seconds)
    return pressed
