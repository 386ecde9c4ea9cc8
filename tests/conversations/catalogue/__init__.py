"""All scenarios, by name."""

from __future__ import annotations

from tests.conversations.catalogue import backchannels, faults, interruptions, keys, sounds, turns
from tests.conversations.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for room in (interruptions, backchannels, sounds, turns, keys, faults)
    for scenario in room.SCENARIOS
}
