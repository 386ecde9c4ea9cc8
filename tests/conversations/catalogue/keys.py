"""Callers who press keys."""

from __future__ import annotations

from exobridge_providers.base import CollectDigits
from tests.conversations.acts import After, Into, Kind, MyTurn, Press, Sound, say
from tests.conversations.catalogue.interruptions import QUESTION
from tests.conversations.scenario import GIFT, PARCEL, Group, Reply, Scenario, grouped

LONG_S = 60.0
"""Longer than a caller waits for an answer: something else has to end the keys."""


def _asked(max_digits: int, terminator: str, timeout_s: float) -> tuple[Reply, ...]:
    """A reply that asks for keys, and two to go on with."""
    rules = CollectDigits(max_digits, terminator, timeout_s)
    return (Reply("Please key in the number of your order.", collect=rules), PARCEL, GIFT)


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
    Scenario(
        "collect-length",
        "the bot asks for four keys, and has them, # as one of them",
        (QUESTION, Press("47#1"), say("and the gift box please")),
        replies=_asked(4, "", LONG_S),
        turns=3,
        keys=("47#1",),
    ),
    Scenario(
        "collect-end",
        "the bot asks for keys that end with *, and is not given all that may be",
        (QUESTION, Press("4711*"), say("and the gift box please")),
        replies=_asked(10, "*", LONG_S),
        turns=3,
        keys=("4711",),
    ),
    Scenario(
        "collect-pause",
        "the bot asks for keys, and waits longer than usual for the next",
        (QUESTION, Press("47"), Press("11", After(2200)), say("and the gift box please")),
        replies=_asked(10, "#", 3.5),
        turns=3,
        keys=("4711",),
    ),
    Scenario(
        "collect-nothing",
        "the bot asks for keys, none are pressed, and it goes on",
        (QUESTION, Sound(Kind.SILENCE, (5000, 5500), MyTurn(100)), say("and the gift box please")),
        replies=_asked(4, "#", 3.0),
        turns=3,
        keys=("",),
    ),
    Scenario(
        "collect-early",
        "the bot asks for keys, and they are pressed before it has finished",
        (QUESTION, Press("47#1", Into(1200)), say("and the gift box please")),
        replies=_asked(4, "", LONG_S),
        turns=3,
        keys=("47#1",),
    ),
    Scenario(
        "collect-and-words",
        "the bot asks for keys, and they are pressed while the caller speaks",
        (QUESTION, say("let me see *4711 it is on my letter here"), say("and the gift box please")),
        replies=_asked(4, "", LONG_S),
        turns=3,
        keys=("4711",),
    ),
    Scenario(
        "collect-and-only-words",
        "the bot asks for keys, and the caller says the number",
        (QUESTION, say("it is four seven one one"), say("and the gift box please")),
        replies=_asked(4, "#", 8.0),
        turns=3,
    ),
)
