"""What is drawn from a seed: always the same, in every flow right, and told in words."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.flows.dice import Dice
from exobridge.simulator.flows.faults import Drawn, draw
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.line_faults import LineFaults, Try

FULL: dict[str, Any] = {
    "flow": {"start": "bot"},
    "applet": {
        "bot": {"type": "voicebot", "url": "/exotel/answer", "next": "desk"},
        "desk": {"type": "connect", "url": "/exotel/dial-up"},
    },
    "agent": [{"number": "+918041112233"}],
    "callback": {},
    "recording": {},
}
SEEDS = range(200)


def flow(**changes: Any) -> Flow:
    """A flow in which everything can go wrong, or with something else."""
    given_ = {**FULL, **changes}
    return Flow.model_validate({key: value for key, value in given_.items() if value is not None})


def all_drawn() -> list[Drawn]:
    """What many seeds give."""
    return [draw(flow(), seed) for seed in SEEDS]


def test_these_seeds_give_this() -> None:
    """On every machine and every Python: a seed in a bug report means something."""
    assert [draw(flow(), seed).told for seed in GOLDEN] == list(GOLDEN.values())


def test_what_is_drawn_is_what_is_told() -> None:
    """Faults of the line stand together, and each value is the one in its sentence."""
    assert draw(flow(), 1).line == LineFaults(seed=1, tries=(Try.UNREACHED,), late_marks_ms=2839)
    callback = draw(flow(), 17).flow.callback
    assert callback is not None
    assert (callback.times, callback.delay_seconds) == (3, 0.803)
    leaving = [(each.flow.caller.hangs_up, each.told) for each in all_drawn()]
    said = [
        (f"the caller hangs up {leave.after_seconds:.1f} s after", told)
        for leave, told in leaving
        if leave is not None
    ]
    assert said
    assert all(any(begin in sentence for sentence in told) for begin, told in said)


def test_odd_frames_come_in_the_order_of_their_times() -> None:
    """Whoever sends them looks at the next one alone."""
    for drawn in all_drawn():
        times = [frame.at_ms for frame in drawn.line.odd_frames]
        assert times == sorted(times)


def test_chance_is_the_same_everywhere() -> None:
    """The draws themselves, to the last one."""
    dice = Dice(7)
    assert [dice.whole(1, 6) for _ in range(8)] == [2, 1, 4, 1, 4, 3, 1, 4]
    assert "".join(dice.pick("abcdef") for _ in range(8)) == "acaaceab"
    assert dice.some("abc", 9) == ["b", "c", "a"]
    assert [dice.chance(0.5) for _ in range(4)] == [True, False, True, False]


@given(st.integers())
def test_a_seed_gives_the_same_twice(seed: int) -> None:
    """Whatever the number, and the flow that is given is left as it was."""
    given_ = flow()
    before = given_.model_copy(deep=True)
    assert draw(given_, seed) == draw(given_, seed)
    assert given_ == before


@given(st.integers())
def test_a_drawn_flow_is_a_flow(seed: int) -> None:
    """Every value that was drawn is one that a file may have."""
    drawn = draw(flow(), seed)
    assert (
        Flow.model_validate(drawn.flow.model_dump(by_alias=True, exclude_unset=True)) == drawn.flow
    )
    assert drawn.told


def test_everything_can_go_wrong() -> None:
    """Many seeds draw each fault of the line, and each table that can change."""
    drawn = all_drawn()
    never = {
        each.name
        for each in fields(LineFaults)
        if all(getattr(one.line, each.name) == getattr(LineFaults(), each.name) for one in drawn)
    }
    assert never == {"half_open_for_ms"}
    for table in ("stream", "webhooks", "callback", "recording", "caller", "agent"):
        assert len({repr(getattr(each.flow, table)) for each in drawn}) > 1
    assert {fault.status for each in drawn for fault in each.api} >= {401, 402, 403, 404, 429, 503}
    assert {fault.how for each in drawn for fault in each.api} == {"", "hang", "reset", "cut"}


def test_what_is_not_there_does_not_go_wrong() -> None:
    """Without agents, callback and recording nothing of them is drawn, nor added."""
    bare = flow(agent=None, callback=None, recording=None)
    for seed in SEEDS:
        drawn = draw(bare, seed)
        assert (drawn.flow.agent, drawn.flow.callback, drawn.flow.recording) == ([], None, None)
        assert not any(word in " ".join(drawn.told) for word in ("agent", "callback", "recording"))


def test_a_flow_without_streams_has_no_faults_of_lines() -> None:
    """There is no line that they could happen on."""
    applets = {"desk": {"type": "connect", "url": "/exotel/dial-up"}}
    silent = flow(flow={"start": "desk"}, applet=applets)
    for seed in SEEDS:
        assert replace(draw(silent, seed).line, seed=0) == LineFaults()


@pytest.mark.parametrize("seed", [0, -1, 10**30])
def test_any_number_is_a_seed(seed: int) -> None:
    """Small, negative, long."""
    assert draw(flow(), seed).seed == seed


GOLDEN = {
    1: (
        "keys are camel case, numbers numbers, ids both",
        "webhooks write times mixed, the stream as brackets, what is not there empty",
        "the status callback is form",
        "the first handshake is not delivered, the second goes well",
        "marks come back 2839 ms late",
        "the first requests to the API meet: 401, 401, 500",
    ),
    17: (
        "the caller's frames are 37 ms long",
        "keys are camel case, numbers numbers, ids both",
        'stop gives "stopped" as its reason',
        "webhooks write times plain, the stream as json, what is not there null",
        "the status callback is form",
        "the status callback comes three times, 803 ms late",
    ),
}
