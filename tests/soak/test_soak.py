"""A sample of the soak: what holds of calls when things go wrong. ``make soak`` runs a thousand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exobridge.simulator.flows.faults import draw
from exobridge.simulator.flows.load import load_flow, warnings
from tests.soak import sockets, virtual
from tests.soak.__main__ import seeds_of, tell
from tests.soak.checks import once, problems
from tests.soak.phone import ScenePhone
from tests.soak.scene import scene
from tests.soak.tones import BOTS, CALLERS, spoken, understood
from tests.virtual_call import run_phone

MENDED = (136, 157, 508, 996)
"""Seeds that found something: words of a line that was held up were lost, and keys that were
pressed while words were being understood."""


def test_tones_are_understood() -> None:
    """Each word alone and in a row."""
    assert understood(spoken(" ".join((*CALLERS, *BOTS)))) == [*CALLERS, *BOTS]
    assert once(["ant", "ant", "bee", "ant"]) == ["ant", "bee", "ant"]


@pytest.mark.parametrize("seed", [*range(1, 11), *MENDED])
def test_a_call_with_faults_is_recorded_as_it_was(seed: int) -> None:
    """It ends as its line ended, and what was said is written down, once."""
    assert virtual.run(seed) == []


def test_a_seed_gives_the_same_call() -> None:
    """Twice the same turns at the same times, and the same events."""
    first, second = (run_phone(scene(7).template, ScenePhone(scene(7))) for _ in range(2))
    assert first.turns == second.turns
    assert first.events == second.events


def test_what_is_lost_or_added_is_noticed() -> None:
    """A call of which a turn is missing, or one too many is kept, does not pass."""
    made = scene(4)
    phone = ScenePhone(made)
    ran = run_phone(made.template, phone)
    assert list(problems(made, phone, ran)) == []
    turns = list(ran.turns)
    for wrong in (turns[:1], [*turns, turns[-1]], turns[1:]):
        assert list(problems(made, phone, replace(ran, turns=wrong))), wrong


async def test_flows_with_faults_against_a_server(tmp_path: Path) -> None:
    """Over real sockets, a server that goes on serving, and leaves nothing behind."""
    seeds = (1, 2, 5)
    found = await sockets.run(tmp_path, seeds)
    assert {seed: said for seed, said in found.items() if said} == {}
    assert found.keys() == {-1, *seeds}


def test_the_flow_is_a_right_one() -> None:
    """No path of it leads nowhere, and every sort of fault fits it."""
    flow = load_flow(sockets.FLOW)
    assert warnings(flow) == ()
    told = " ".join(" ".join(draw(flow, seed).told) for seed in range(200))
    for word in ("handshake", "odd frames", "reset", "silent", "API", "callback", "agent 1"):
        assert word in told


def test_a_failing_seed_tells_how_to_repeat_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command is printed for each, and all of them count."""
    assert tell({3: ["a word is lost"], 4: [], 10: ["it hangs"]}, {10}) == 2
    told = capsys.readouterr().out
    assert "python -m tests.soak --seeds 3 --virtual" in told
    assert "python -m tests.soak --seeds 10 --sockets" in told
    assert "seed 4" not in told


def test_seeds_are_read() -> None:
    """Spans, numbers and both."""
    assert seeds_of("0..3,7") == [0, 1, 2, 3, 7]
