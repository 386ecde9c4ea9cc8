"""Virtual agents: phones that ring, and what they do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exobridge.numbers import normalise
from exobridge.simulator.flows.fields import ANY
from exobridge.simulator.flows.model import Agent, Doing


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a phone does when it is dialled.

    Attributes:
        does: What.
        ring_s: How long it rings before that.
        talk_s: How long the conversation lasts.
        leaves_first: It is the agent who hangs up then; else the caller.
    """

    does: Doing
    ring_s: float = 0.0
    talk_s: float = 0.0
    leaves_first: bool = True


ABSENT = Behaviour("silent")
"""A number that no agent of the flow has: it rings, and nobody comes."""


class Phones:
    """The agents of one call.

    Args:
        agents: As they stand in the flow.
    """

    def __init__(self, agents: Sequence[Agent]) -> None:
        self._agents = {same_phone(agent.number): agent for agent in agents}
        self._dialled: dict[str, int] = {}

    def knows(self, number: str) -> bool:
        """Whether the flow has an agent with this number."""
        return self._agent(number) is not None

    def dial(self, number: str) -> Behaviour:
        """What this phone does now: each time the next of its doings, and the last ever after."""
        phone = same_phone(number)
        agent = self._agent(number)
        if agent is None:
            return ABSENT
        before = self._dialled.get(phone, 0)
        self._dialled[phone] = before + 1
        return Behaviour(
            does=agent.does[min(before, len(agent.does) - 1)],
            ring_s=agent.ring_seconds,
            talk_s=agent.talk_seconds,
            leaves_first=agent.leaves_first,
        )

    def _agent(self, number: str) -> Agent | None:
        return self._agents.get(same_phone(number)) or self._agents.get(same_phone(ANY))


def same_phone(number: str) -> str:
    """A number by which the phone is known however it is written: E.164, or its digits."""
    return normalise(number) or "".join(filter(str.isdigit, number))
