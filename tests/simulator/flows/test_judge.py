"""What happened is held against what a flow expects; without a call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exobridge.simulator.flows.judge import problems
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import Dialled, Ending, FlowReport
from exobridge.simulator.report import CallReport, Outcome
from exobridge.simulator.rules import Rule, Violation
from exobridge.simulator.scripts import Finding
from exobridge.simulator.timeline import Entry, Kind, Party

REPORT = FlowReport("call", None, Ending.COMPLETED, 12.0, path=("bot", "agents", "end"))
TALKED = CallReport("call", "stream", "pcm16", 8000, 20, Outcome.COMPLETED)
DROPPED = replace(
    TALKED,
    outcome=Outcome.DROPPED,
    problems=("the stream was dropped (close code 1011)", "line 1 of the caller got no answer"),
)
APPLETS: dict[str, Any] = {
    "bot": {"type": "voicebot", "url": "/exotel/answer", "next": "agents"},
    "agents": {"type": "connect", "url": "/exotel/dial-up"},
    "end": {"type": "hangup"},
}


def flow(expect: dict[str, Any] | None = None, **tables: Any) -> Flow:
    """A flow that expects this."""
    whole = {"flow": {"start": "bot"}, "applet": APPLETS, "expect": expect or {}, **tables}
    return Flow.model_validate(whole)


def found(expect: dict[str, Any] | None = None, **changes: Any) -> tuple[str, ...]:
    """The problems of a report with these changes."""
    return problems(flow(expect), replace(REPORT, **changes))


def test_a_call_that_came_to_its_end_went_well() -> None:
    """Also one that the caller left; nothing is expected."""
    assert found() == ()
    assert found(ending=Ending.CALLER) == ()


def test_a_dropped_call_is_a_problem_that_names_the_path() -> None:
    """By the name that Exotel gives it."""
    dropped: dict[str, Any] = {"ending": Ending.DROPPED, "unconnected": ("agents", "not_dialled")}
    said = 'the call was dropped: "we didn\'t dial anyone" of applet "agents" leads nowhere'
    assert found(**dropped) == (said,)
    assert found({"ends": "dropped"}, **dropped) == ()
    assert found({"ends": "caller"}, **dropped) == (f'ends = "caller": {said}',)


def test_a_call_that_does_not_end_is_a_problem() -> None:
    """Unless that is expected."""
    said = "the call did not end within 300 s"
    assert found(ending=Ending.TIMEOUT) == (said,)
    assert found({"ends": "timeout"}, ending=Ending.TIMEOUT) == ()
    assert found({"ends": "timeout"}) == ('ends = "timeout": the flow came to its end',)


def test_the_way_is_the_whole_way() -> None:
    """Applets in order, to the last."""
    assert found({"path": ["bot", "agents", "end"]}) == ()
    assert found({"path": ["bot", "agents"]}) == ("path = bot, agents: it was bot, agents, end",)
    assert found({"path": ["bot"]}, path=()) == ("path = bot: it was none",)
    assert found({"path": ["agents", "bot", "end"]}) == (
        "path = agents, bot, end: it was bot, agents, end",
    )


def test_numbers_are_compared_however_they_are_written() -> None:
    """In order; each attempt counts."""
    dialled = (Dialled("+918041112233", "busy"), Dialled("+918041112244", "completed", 2.0))
    assert found({"dialled": ["08041112233", "918041112244"]}, dialled=dialled) == ()
    assert found({"dialled": []}) == ()
    for wrong in (["08041112244"], ["08041112244", "08041112233"]):
        assert found({"dialled": wrong}, dialled=dialled) == (
            f"dialled = {', '.join(wrong)}: it was +918041112233, +918041112244",
        )


def test_a_whisper_is_heard_by_some_agent() -> None:
    """Its words, as a script's."""
    dialled = (Dialled("1", "busy"), Dialled("2", "completed", 2.0, "Wants to return 2 shoes."))
    assert found({"whisper": ["return two shoes"]}, dialled=dialled) == ()
    assert found({"whisper": "boots"}, dialled=dialled) == (
        'whisper = "boots": the agents heard "Wants to return 2 shoes."',
    )
    assert found({"whisper": "boots"}) == ('whisper = "boots": the agents heard nothing',)


@pytest.mark.parametrize(
    ("wanted", "fetched", "said"),
    [
        (True, True, ()),
        (False, False, ()),
        (None, False, ()),
        (True, False, ("recording_fetched = true: it was not fetched within 30 s",)),
        (False, True, ("recording_fetched = false: it was fetched",)),
    ],
)
def test_a_recording_is_fetched_or_not(
    wanted: bool | None, fetched: bool, said: tuple[str, ...]
) -> None:
    """As expected."""
    assert found({"recording_fetched": wanted}, recording_fetched=fetched) == said


def test_a_recording_that_nobody_looked_for_was_not_fetched_and_not_left() -> None:
    """Without an account neither can be said."""
    assert found({"recording_fetched": False}) == (
        "recording_fetched = false: there was no account to fetch it from",
    )


def test_rules_that_spoil_a_call_do_so_whatever_is_expected() -> None:
    """Each once, with how often; others count where the flow says how many there may be."""
    violations = (
        Violation(Rule.DIAL_KEY, 10.0, "x"),
        Violation(Rule.DIAL_KEY, 20.0, "y"),
        Violation(Rule.DIAL_LATE, 30.0),
    )
    spoilt = f"rule dial-key broken 2 times: {Rule.DIAL_KEY.sentence}"
    assert found(violations=violations) == (spoilt,)
    assert found({"violations": 3}, violations=violations) == (spoilt,)
    assert found({"violations": 2}, violations=violations) == (
        spoilt,
        "violations = 2: there were 3 (dial-key, dial-late)",
    )
    assert found({"violations": 0}, violations=violations[2:]) == (
        "violations = 0: there were 1 (dial-late)",
    )


# ------------------------------------------------------------------ streams


def test_what_went_wrong_in_a_stream_is_told_with_its_number() -> None:
    """But the rules, which are told for the whole call, and the call's own limit."""
    broken = f"rule not-json broken 1 time: {Rule.NOT_JSON.sentence}"
    stream = replace(
        TALKED,
        problems=("line 1 of the caller got no answer", broken),
        violation_counts=((Rule.NOT_JSON, 1),),
    )
    violations = (Violation(Rule.NOT_JSON, 10.0),)
    assert found(streams=(TALKED, stream), violations=violations) == (
        "stream 2: line 1 of the caller got no answer",
        broken,
    )
    late = ("the call did not end within its limit", "line 1 of the caller got no answer")
    timed_out = replace(TALKED, outcome=Outcome.TIMED_OUT, problems=late)
    assert found({"ends": "timeout"}, ending=Ending.TIMEOUT, streams=(timed_out,)) == (
        "stream 1: line 1 of the caller got no answer",
    )


def test_a_refused_stream_leads_the_flow_elsewhere() -> None:
    """Where to is what `path` is for; one that breaks is a problem."""
    refused = replace(
        TALKED, outcome=Outcome.REFUSED, problems=("the server refused the call (302)",)
    )
    assert found(streams=(refused,)) == ()
    assert found(streams=(DROPPED,)) == tuple(f"stream 1: {each}" for each in DROPPED.problems)


def test_a_caller_who_was_to_hang_up_waits_for_no_answer() -> None:
    """In the last stream; it may not break all the same."""
    silent = replace(TALKED, problems=("the bot was never heard",))
    leaving = flow(caller={"hangs_up": {"during": "bot"}})
    left = replace(REPORT, ending=Ending.CALLER, streams=(silent, silent))
    assert problems(leaving, left) == ("stream 1: the bot was never heard",)
    assert problems(leaving, replace(left, streams=(DROPPED,))) == (
        "stream 1: the stream was dropped (close code 1011)",
    )
    for given, report in ((flow(), left), (leaving, replace(left, ending=Ending.COMPLETED))):
        assert problems(given, replace(report, streams=(silent,))) == (
            "stream 1: the bot was never heard",
        )


def test_expectations_of_a_talk_that_did_not_hold_are_problems() -> None:
    """With the stream, the step, and what was found."""
    held = Finding(1, "says", "hello", True, '"Hello."')
    findings = ((held,), (replace(held, held=False, found='"Bye."'), Finding(None, *_ENDS)))
    assert found(streams=(TALKED, TALKED), findings=findings) == (
        'stream 2, step 1: says = hello: "Bye."',
        "stream 2: ends = bot: caller",
    )


_ENDS = ("ends", "bot", False, "caller")


def test_talks_that_were_not_held_are_a_problem() -> None:
    """What they expect was not tried."""
    talks = flow(talk=[{"step": [{"say": line}]} for line in ("x", "y", "z")])
    assert problems(talks, replace(REPORT, unheld=1)) == ("2 of 3 [[talk]] tables had a stream",)


# ------------------------------------------------------------------ faults


def test_where_faults_were_drawn_what_the_flow_expects_does_not_count() -> None:
    """The rules do, and that the call ends."""
    drawn: dict[str, Any] = {"seed": 7, "unheld": 1, "ending": Ending.DROPPED}
    expect = {"path": ["bot"], "violations": 0, "ends": "caller"}
    assert found(expect, **drawn, violations=(Violation(Rule.DIAL_LATE, 1.0),)) == ()
    assert found(expect, **drawn, violations=(Violation(Rule.DIAL_KEY, 1.0),)) == (
        f"rule dial-key broken 1 time: {Rule.DIAL_KEY.sentence}",
    )
    assert found(seed=7, ending=Ending.TIMEOUT) == ("the call did not end within 300 s",)


def test_where_faults_were_drawn_a_stream_breaks_only_if_its_line_did() -> None:
    """Of a line that was made to fail the server can do nothing."""
    fault = Entry(1.0, Party.EXOTEL, Party.SERVER, Kind.FAULT, "connection reset")
    assert found(seed=7, streams=(replace(DROPPED, faults=(fault,)),)) == ()
    dropped = ("stream 1: the stream was dropped (close code 1011)",)
    assert found(seed=7, streams=(DROPPED,)) == dropped
    odd = replace(fault, label="odd frame")
    assert found(seed=7, streams=(replace(DROPPED, faults=(odd,)),)) == dropped
