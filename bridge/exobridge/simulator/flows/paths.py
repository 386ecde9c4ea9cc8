"""The paths out of each applet, by the names that Exotel's documents give them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exobridge.simulator.flows.model import Applet, Connect, Flow, Gather, Passthru


@dataclass(frozen=True, slots=True)
class Transition:
    """A path out of a type of applet.

    Attributes:
        key: In the file.
        name: What Exotel calls it.
        when: When it is taken.
    """

    key: str
    name: str
    when: str


TRANSITIONS: dict[str, tuple[Transition, ...]] = {
    "passthru": (
        Transition("ok", "200", 'when the server answers 200; always, with `mode = "async"`'),
        Transition("other", "302", "when it answers 302"),
        Transition("on_timeout", "On Timeout", "when it does not answer in `timeout_seconds`"),
        Transition("on_error", "On Error", "when it answers anything else, or cannot be reached"),
    ),
    "voicebot": (
        Transition("next", "next applet", "when the bot closes the stream"),
        Transition("on_error", "On Error", "when no stream comes about or it breaks"),
    ),
    "stream": (Transition("next", "next applet", "at once"),),
    "greeting": (
        Transition("next", "next applet", "when it has been spoken"),
        Transition("on_error", "On Error", "when the URL gives no text"),
    ),
    "gather": (
        Transition("next", "next applet", "when keys were pressed that have no branch"),
        Transition("on_timeout", "On Timeout", "when no key was pressed"),
    ),
    "connect": (
        Transition(
            "after_conversation",
            "after the conversation ends",
            "when an agent has talked; if it is empty the call ends",
        ),
        Transition("nobody_answers", "nobody answers", "when nobody who was dialled has"),
        Transition(
            "not_dialled",
            "we didn't dial anyone",
            "when there was nobody to be dialled; if it is empty, `nobody_answers` is taken",
        ),
    ),
    "voicemail": (Transition("next", "next applet", "when the caller was recorded"),),
    "hangup": (),
}


@dataclass(frozen=True, slots=True)
class FlowPath:
    """A path out of an applet of a flow.

    Attributes:
        key: In the file: ``next``, or ``branches.1``.
        name: What Exotel calls it.
        to: The applet that it leads to; empty: it is not connected.
    """

    key: str
    name: str
    to: str


def paths(applet: Applet) -> Iterator[FlowPath]:
    """The paths that can be taken out of an applet; those that lead nowhere too."""
    for each in TRANSITIONS[applet.type]:
        to: str | None = getattr(applet, each.key)
        if to is not None and _can_be_taken(applet, each.key):
            yield FlowPath(each.key, each.name, to)
    match applet:
        case Passthru():
            for body, to in applet.bodies.items():
                yield FlowPath(f"bodies.{body}", f"the answer {body}", to)
        case Gather():
            for keys, to in applet.branches.items():
                yield FlowPath(f"branches.{keys}", f"the keys {keys}", to)
        case _:
            pass


def name_of(applet: Applet, key: str) -> str:
    """What Exotel calls a path; the key itself where it has no name for it."""
    return next((each.name for each in TRANSITIONS[applet.type] if each.key == key), key)


def _can_be_taken(applet: Applet, key: str) -> bool:
    match applet:
        case Passthru(mode="async"):
            return key == "ok"
        case Connect(numbers=[_, *_]):
            return key != "not_dialled"
        case Connect(not_dialled="", nobody_answers=instead) if instead:
            return key != "not_dialled"  # Exotel then takes the other
        case _:
            return True


def reachable(flow: Flow) -> set[str]:
    """The applets that some path leads to from the start."""
    found: set[str] = set()
    waiting = [flow.flow.start]
    while waiting:
        name = waiting.pop()
        if name in flow.applet and name not in found:
            found.add(name)
            waiting += [path.to for path in paths(flow.applet[name])]
    return found
