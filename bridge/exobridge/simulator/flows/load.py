"""Reads flows, and warns of what drops calls on a live line."""

from __future__ import annotations

from pathlib import Path

from exobridge.simulator.flows.checks import disagreements
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.paths import paths, reachable
from exobridge.simulator.toml_file import FileKind

FLOWS = FileKind(
    Flow,
    several="flows",
    reference="See the keys and their ranges in docs/reference/flows.md.",
    lists=frozenset({"talk", "step", "agent"}),
    missing={
        "flow": "Name the applet that a call begins with: [flow] with start in it.",
        "applet": 'A flow has at least one applet, like [applet.bye] with type = "hangup" in it.',
    },
)


def load_flow(path: Path) -> Flow:
    """Read a flow.

    Raises:
        ConfigError: Everything that is wrong with it.
    """
    flow, text = FLOWS.read(path)
    if found := list(disagreements(flow)):
        raise FLOWS.errors(path, text, found)
    return flow


def warnings(flow: Flow) -> tuple[str, ...]:
    """What is allowed, and drops calls or does nothing: paths that are not connected, and applets
    that no path leads to. After a conversation with an agent a call may end."""
    reached = reachable(flow)
    said: list[str] = []
    for name, applet in flow.applet.items():
        if name not in reached:
            said.append(f'applet "{name}" is never reached: no path leads to it')
            continue
        said += [
            f'applet "{name}": "{path.name}" leads nowhere: the call is dropped silently'
            for path in paths(applet)
            if not path.to and path.key != "after_conversation"
        ]
    return tuple(said)
