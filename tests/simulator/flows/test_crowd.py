"""Many callers at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.flows.crowd import (
    MAX_PROBLEMS,
    OTHER,
    Crowd,
    Percentiles,
    caller,
    figures,
    run,
)
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import Asked, Ending, FlowReport, What
from exobridge.simulator.report import CallReport, Outcome
from exobridge.simulator.rules import Rule, Violation

STREAM = CallReport(
    call_sid="c",
    stream_sid="s",
    encoding="pcm16",
    sample_rate=8000,
    frame_ms=20,
    outcome=Outcome.COMPLETED,
    handshake_ms=3,
    greeting_ms=90,
    voice_to_voice_ms=(500, None, 700),
)
REPORT = FlowReport("c", None, Ending.COMPLETED, 1.0)
FLOW = Flow.model_validate({"flow": {"start": "end"}, "applet": {"end": {"type": "hangup"}}})


def test_percentiles_are_values_that_were_measured() -> None:
    """By the nearest rank: of a hundred the ninetieth smallest is p90."""
    found = Percentiles.of(range(100, 0, -1))
    assert found == Percentiles(100, (50, 90, 95, 99), 100)
    assert Percentiles.of(range(1, 11)) == Percentiles(10, (5, 9, 10, 10), 10)
    assert Percentiles.of([7]) == Percentiles(1, (7, 7, 7, 7), 7)
    assert Percentiles.of([]) is None


def test_figures_are_written_with_one_decimal() -> None:
    """More would be noise."""
    assert Percentiles(2, (1.26, 3.0, 3.04, 3.06), 3.06).to_json() == {
        "count": 2,
        **{"p50": 1.3, "p90": 3.0, "p95": 3.0, "p99": 3.1},
        "max": 3.1,
    }


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_grow_and_none_exceeds_the_most(values: list[float]) -> None:
    """Whatever was measured."""
    found = Percentiles.of(values)
    assert found is not None
    assert list(found.at) == sorted(found.at)
    assert found.at[-1] <= found.most == max(values)
    assert set(found.at) <= set(values)


def test_the_figures_of_a_call_are_those_of_its_streams_and_its_requests() -> None:
    """What was not answered is not measured."""
    report = replace(
        REPORT,
        streams=(STREAM,),
        asked=(
            Asked(What.ANSWER, 0, 12, 200),
            Asked(What.DIAL_UP, 5, None, None),
            Asked(What.DIAL_EVENT, 6, 4, 200),
            Asked(What.CALLBACK, 9, 8, 503),
        ),
    )
    assert figures(report) == [
        ("handshake", 3),
        ("greeting", 90),
        ("voice-to-voice", 500),
        ("voice-to-voice", 700),
        ("answer", 12),
        ("callback", 8),
    ]
    silent = replace(STREAM, handshake_ms=None, greeting_ms=None)
    assert figures(replace(REPORT, streams=(silent,))) == [
        ("voice-to-voice", 500),
        ("voice-to-voice", 700),
    ]


def test_failures_are_counted_by_what_was_wrong_and_not_by_what_was_measured() -> None:
    """The first call that had a problem is its example; those of most calls come first."""
    crowd = Crowd(wanted=3)
    for sid, said in (("a", ["rare"]), ("b", ["late by 7 ms"]), ("c", ["late by 12.5 ms"])):
        crowd.begin()
        crowd.add(replace(REPORT, call_sid=sid, problems=(*said, *said)))
    told = [(each.problem, each.calls, each.example) for each in crowd.failures]
    assert told == [("late by … ms", 2, "b"), ("rare", 1, "a")]
    assert (crowd.done, crowd.well, crowd.went_well) == (3, 0, False)


def test_the_most_at_once_is_the_most_there_ever_were() -> None:
    """Not how many there were in all, nor how many there are."""
    crowd = Crowd(wanted=3)
    crowd.begin()
    crowd.begin()
    crowd.add(REPORT)
    crowd.add(REPORT)
    crowd.begin()
    assert (crowd.begun, crowd.most_at_once) == (3, 2)


def test_a_failure_tells_the_seed_to_repeat_it_by() -> None:
    """Of the call that is its example."""
    crowd = Crowd(wanted=2)
    for seed in (7, 8):
        crowd.add(replace(REPORT, seed=seed, problems=("late",)))
    assert [failure.seed for failure in crowd.failures] == [7]


def test_however_many_problems_there_are_the_crowd_stays_small() -> None:
    """Those beyond the limit are counted together."""
    crowd = Crowd(wanted=1)
    crowd.add(replace(REPORT, problems=tuple(f"problem no. {at}x" for at in range(1500))))
    assert len(crowd.failures) == MAX_PROBLEMS + 1
    assert crowd.failures[0].problem == OTHER
    assert crowd.failures[0].calls == 1500 - MAX_PROBLEMS
    crowd.add(replace(REPORT, problems=("problem no. 0x",)))
    assert [each.calls for each in crowd.failures[:2]] == [1500 - MAX_PROBLEMS, 2]


@pytest.mark.parametrize(
    ("whole", "number", "wanted"),
    [
        ("09811122233", 0, "09811122233"),
        ("09811122233", 3, "09811122236"),
        ("+919811199999", 1, "+919811100000"),
        ("100", 905, "005"),
    ],
)
def test_each_caller_has_a_number_of_their_own(whole: str, number: int, wanted: str) -> None:
    """As long as the flow's, and written as that is."""
    call = FLOW.call.model_copy(update={"caller": whole})
    assert caller(FLOW.model_copy(update={"call": call}), number).call.caller == wanted


async def test_calls_begin_at_their_rate_and_do_not_wait_for_one_another() -> None:
    """All of them are under way before the first is over."""
    over = asyncio.Event()
    begun: list[int] = []

    async def place(number: int) -> FlowReport:
        begun.append(number)
        if len(begun) == 4:
            over.set()
        await over.wait()
        return replace(REPORT, violations=(Violation(Rule.NOT_JSON, 1),))

    crowd = Crowd(wanted=4)
    told: list[int] = []
    await run(crowd, 200, place, lambda crowd: told.append(crowd.done), asyncio.Event())
    assert begun == [0, 1, 2, 3]
    assert (crowd.most_at_once, crowd.well, crowd.went_well) == (4, 4, True)
    assert crowd.violations == {"not-json": 4}
    assert told[-1] == 4


async def test_once_it_is_left_no_more_calls_begin_and_those_under_way_are_counted() -> None:
    """Ctrl-C does not lose what there was."""
    leave = asyncio.Event()

    async def place(number: int) -> FlowReport:
        if number == 1:
            leave.set()
        await leave.wait()
        return REPORT

    crowd = Crowd(wanted=1000)
    await run(crowd, 50, place, lambda crowd: None, leave)
    assert (crowd.begun, crowd.done, crowd.interrupted) == (2, 2, True)
    assert not crowd.went_well


async def test_what_a_call_raises_ends_all() -> None:
    """A voice that is missing is missing for each of them."""

    async def place(number: int) -> FlowReport:
        raise LookupError(number)

    with pytest.raises(ExceptionGroup) as raised:
        await run(Crowd(wanted=2), 1, place, lambda crowd: None, asyncio.Event())
    assert raised.group_contains(LookupError)
