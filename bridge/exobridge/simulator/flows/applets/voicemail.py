"""Voicemail: records the caller, who then hangs up or goes on with the flow."""

from __future__ import annotations

from exobridge.simulator.flows.model import Voicemail
from exobridge.simulator.flows.one_call import OneCall, Way
from exobridge.simulator.timeline import Kind, Party


async def voicemail(call: OneCall, applet: Voicemail) -> Way:
    """Where the flow goes on."""
    began = call.now_ms
    await call.wait(min(applet.seconds, applet.max_seconds))
    call.tell(Kind.SPEECH, Party.CALLER, Party.EXOTEL, "leaves a message", since_ms=began)
    account = call.around.account
    call.facts.left_voicemail("" if account is None else account.recording_url(call.call_sid))
    return Way("next", applet.next)
