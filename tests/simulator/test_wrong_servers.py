"""Each rule of a call fires against a server that breaks it, alone; none against a right one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from exobridge.simulator import CallPlan, CallReport, Exotel, HangUp, Limits, Patience, Rule, Wait
from exobridge.simulator.rules import Severity
from exobridge.simulator.timeline import Kind, labels
from exobridge.simulator.told import entries_of
from tests.simulator.wrong_servers import RIGHT, WRONG, Server, Wrong

AT_ONCE = 8
LIMITS: dict[str, Any] = {"answer_s": 4, "handshake_s": 4, "call_s": 10, "linger_s": 0.02}
SCRIPT = (Wait(1000), HangUp(wait_for_bot=False))


async def place(server: Server, limits: dict[str, float]) -> CallReport:
    """One call."""
    async with server() as url, Exotel() as exotel:
        return await exotel.call(
            CallPlan(
                url=url,
                script=SCRIPT,
                patience=Patience(bot_done_ms=300, bot_timeout_ms=1500),
                limits=Limits(**{**LIMITS, **limits}),
            )
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reports() -> dict[Rule, CallReport]:
    """A call on each of the wrong servers; some at a time, so that none is late for the others."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(wrong: Wrong) -> CallReport:
        async with at_once:
            return await place(wrong.server, dict(wrong.limits))

    return dict(zip(WRONG, await asyncio.gather(*map(one, WRONG.values())), strict=True))


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_server_is_told_its_rule(reports: dict[Rule, CallReport], rule: Rule) -> None:
    """The rule fires, no other does, and it spoils the call if it is an error."""
    report = reports[rule]
    broken = dict(report.violation_counts)
    assert set(broken) == {rule, *WRONG[rule].also}
    named = [problem for problem in report.problems if f"rule {rule} broken" in problem]
    assert len(named) == (rule.severity is Severity.ERROR)


@pytest.mark.parametrize("rule", WRONG)
def test_a_violation_is_a_part_of_the_story(reports: dict[Rule, CallReport], rule: Rule) -> None:
    """The timeline of the call names the rule once for each violation on record."""
    report = reports[rule]
    told = labels(entries_of(report, 0.0), Kind.VIOLATION)
    assert told.count(str(rule)) == sum(each.rule is rule for each in report.violations) >= 1


def test_missing_numbers_are_told_once(reports: dict[Rule, CallReport]) -> None:
    """Not for each of the chunks that have none."""
    report = reports[Rule.MISSING_NUMBERS]
    assert dict(report.violation_counts) == {Rule.MISSING_NUMBERS: 1}
    assert report.violations[0].detail == "no sequence_number, chunk, timestamp"


@pytest.mark.parametrize("name", RIGHT)
async def test_a_right_server_is_told_nothing(name: str) -> None:
    """No rule fires, and the call went well."""
    report = await place(RIGHT[name], {})
    assert report.violation_counts == ()
    assert report.problems == ()
    assert len(report.bot_turns) >= 1
