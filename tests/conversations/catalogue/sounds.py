"""Sounds without words: while the bot talks, and while nobody does."""

from __future__ import annotations

from tests.conversations.acts import After, Into, Kind, MyTurn, Sound
from tests.conversations.catalogue.interruptions import QUESTION
from tests.conversations.scenario import Group, Scenario, grouped

FIVE_MINUTES = 300_000.0
PATIENT = {"limits": {"idle_seconds": 600}}


def _while_it_talks(name: str, says: str, *sounds: Sound) -> Scenario:
    return Scenario(name, says, (QUESTION, *sounds), turns=1)


def _for_long(kind: Kind, turns: int) -> Scenario:
    name = kind.name.lower()
    sound = Sound(kind, (20_000.0, 40_000.0), MyTurn(), first_ms=FIVE_MINUTES)
    says = f"{name}, and nobody talks; five minutes of it in the first variant"
    return Scenario(f"only-{name}", says, (sound,), template=PATIENT, turns=turns)


SCENARIOS = grouped(
    Group.NOISES,
    _while_it_talks("cough", "a cough", Sound(Kind.COUGH, (150, 400), Into(1500))),
    _while_it_talks(
        "coughs",
        "three coughs",
        Sound(Kind.COUGH, (150, 300), Into(1200)),
        Sound(Kind.COUGH, (150, 300), After(300)),
        Sound(Kind.COUGH, (150, 300), After(300)),
    ),
    _while_it_talks(
        "clicks",
        "clicks on the line",
        Sound(Kind.CLICK, (20, 60), Into(800)),
        Sound(Kind.CLICK, (20, 60), After(700)),
        Sound(Kind.CLICK, (20, 60), After(700)),
    ),
    _while_it_talks("bang", "something falls", Sound(Kind.BANG, (100, 500), Into(1500))),
    _while_it_talks("noise-behind", "a noisy street", Sound(Kind.NOISE, (4000, 6000), Into(300))),
    _while_it_talks("music-behind", "a radio", Sound(Kind.MUSIC, (4000, 6000), Into(300))),
    _for_long(Kind.SILENCE, 0),
    _for_long(Kind.NOISE, 0),
    _for_long(Kind.MUSIC, 1),
)
