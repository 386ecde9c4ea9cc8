"""What has to agree across the tables of a flow. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from exobridge.simulator.flows.agents import same_phone
from exobridge.simulator.flows.model import Flow, Gather, Voicebot
from exobridge.simulator.flows.paths import TRANSITIONS
from exobridge.validation import Problem

_OUTGOING = {"custom_field", "customer", "ring_seconds", "ring_limit_seconds"}
"""Keys of ``[call]`` that belong to outgoing calls."""


def disagreements(flow: Flow) -> Iterator[Problem]:
    """Everything that does not go together."""
    yield from _names(flow)
    yield from _caller(flow)
    yield from _agents(flow)
    yield from _what_is_not_there(flow)


def _names(flow: Flow) -> Iterator[Problem]:
    """Applets that are named, and are not there."""
    yield from _named(flow, flow.flow.start, "flow", "start")
    for name, applet in flow.applet.items():
        for transition in TRANSITIONS[applet.type]:
            to: str | None = getattr(applet, transition.key)
            yield from _named(flow, to, "applet", name, transition.key)
        for table in ("bodies", "branches"):
            branches: dict[str, str] = getattr(applet, table, {})
            for key, to in branches.items():
                yield from _named(flow, to, "applet", name, table, key)
    for index, name in enumerate(flow.expect.path or []):
        yield from _named(flow, name, "expect", "path", index)


def _named(flow: Flow, name: str | None, *path: str | int) -> Iterator[Problem]:
    if name and name not in flow.applet:
        near = difflib.get_close_matches(name, flow.applet, n=1)
        known = f"Known here: {', '.join(flow.applet)}."
        cure = f"Did you mean {near[0]}?" if near else known
        yield Problem(path, "names no applet of this file", cure)


def _caller(flow: Flow) -> Iterator[Problem]:
    caller = flow.caller
    if caller.hangs_up is not None:
        yield from _named(flow, caller.hangs_up.during, "caller", "hangs_up", "during")
    for name in caller.presses:
        path = ("caller", "presses", name)
        yield from _named(flow, name, *path)
        if name in flow.applet and not isinstance(flow.applet[name], Gather):
            cure = "In a stream the caller presses keys with press of a [[talk]]'s step."
            yield Problem(path, "is no Gather applet", cure)


def _agents(flow: Flow) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, agent in enumerate(flow.agent):
        first = seen.setdefault(same_phone(agent.number), index)
        if first != index:
            problem = f"is the phone of agent {first + 1}"
            cure = "Make one table of the two: does is a list, one entry for each call."
            yield Problem(("agent", index, "number"), problem, cure)


def _what_is_not_there(flow: Flow) -> Iterator[Problem]:
    """Keys about something that the flow does not have."""
    if flow.call.direction == "incoming":
        for key in sorted(_OUTGOING & flow.call.model_fields_set):
            cure = 'Remove it, or set direction = "outgoing": it is of calls placed by API alone.'
            yield Problem(("call", key), "does not go with an incoming call", cure)
    has_voicebot = any(isinstance(each, Voicebot) for each in flow.applet.values())
    if flow.talk and not has_voicebot:
        yield Problem(("talk", 0), "is never held", "Add an applet of type voicebot.")
    if flow.serve.kill_after == "stream" and not has_voicebot:
        problem = "never happens: there is no stream"
        yield Problem(("serve", "kill_after"), problem, "Add an applet of type voicebot.")
    if flow.serve.kill_after == "callback" and flow.callback is None:
        problem = "never happens: there is no callback"
        yield Problem(("serve", "kill_after"), problem, "Add a table [callback].")
    if flow.expect.recording_fetched is not None and flow.recording is None:
        problem = "needs a recording"
        yield Problem(("expect", "recording_fetched"), problem, "Add a table [recording].")
