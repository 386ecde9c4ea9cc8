"""Callers who press keys."""

from __future__ import annotations

from tests.conversations.acts import Into, MyTurn, Press, say
from tests.conversations.catalogue.interruptions import QUESTION
from tests.conversations.scenario import Group, Scenario, grouped

SCENARIOS = grouped(
    Group.KEYS,
    Scenario("keys", "ended with #", (Press("4711#"),), turns=1, keys=("4711",)),
    Scenario("keys-without-end", "ended by a pause", (Press("4711"),), turns=1, keys=("4711",)),
    Scenario(
        "keys-into-an-answer",
        "while the bot talks",
        (QUESTION, Press("42#", Into(1800))),
        turns=2,
        keys=("42",),
    ),
    Scenario(
        "keys-and-words",
        "keys, and then words",
        (Press("15#"), say("where is my parcel")),
        turns=2,
        keys=("15",),
    ),
    Scenario("one-key", "a menu's choice", (Press("2", MyTurn(700)),), turns=1, keys=("2",)),
)
