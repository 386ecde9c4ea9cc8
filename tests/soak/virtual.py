"""A seeded call in virtual time: the real call, from the text frames to the record."""

from __future__ import annotations

from tests.soak.checks import problems
from tests.soak.phone import ScenePhone
from tests.soak.scene import scene
from tests.virtual_call import run_phone


def run(seed: int) -> list[str]:
    """What does not hold of this seed's call."""
    made = scene(seed)
    phone = ScenePhone(made)
    return list(problems(made, phone, run_phone(made.template, phone)))
