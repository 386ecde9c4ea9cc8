"""Each rule of a flow's webhooks fires against an answer that breaks it, alone; none against a
right one; and no rule is without a server that breaks it."""

from __future__ import annotations

import asyncio
import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from exobridge.simulator import Rule
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.report import FlowReport
from exobridge.simulator.rules import Severity
from exobridge.simulator.timeline import Kind
from tests.simulator import wrong_servers
from tests.simulator.flows.ground import Ground, ground, told, walked
from tests.simulator.wrong_webhooks import RIGHT, WRONG, Asked

AT_ONCE = 8


async def place(asked: Asked, server: Ground) -> FlowReport:
    """One call through the flow, on a server of its own."""
    tables: dict[str, Any] = {"flow": {"start": "first"}, "server": {"url": server.url}}
    for path, given in asked.answers.items():
        body = given.body
        if isinstance(body, dict):
            body = json.loads(json.dumps(body).replace("{url}", server.url))
        server.set(f"/{path}", replace(given, body=body))
    flow = Flow.model_validate(tables | tomllib.loads(asked.flow))
    return await walked(flow, waits=asked.waits)


async def each(of: dict[Any, Asked]) -> dict[Any, FlowReport]:
    """Some at a time: more would keep each other waiting, which is a rule too."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(asked: Asked) -> FlowReport:
        async with at_once, ground() as server:
            return await place(asked, server)

    return dict(zip(of, await asyncio.gather(*map(one, of.values())), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wrong() -> dict[Rule, FlowReport]:
    """A call with each of the wrong answers."""
    return await each(WRONG)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def right() -> dict[str, FlowReport]:
    """A call with each of the right ones."""
    return await each(RIGHT)


def test_every_rule_has_a_server_that_breaks_it() -> None:
    """Those of a call or those of a flow, and no rule both."""
    assert {*wrong_servers.WRONG, *WRONG} == set(Rule)
    assert not wrong_servers.WRONG.keys() & WRONG


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_answer_is_told_its_rule(wrong: dict[Rule, FlowReport], rule: Rule) -> None:
    """The rule fires, no other does, and it spoils the call if it is an error."""
    report = wrong[rule]
    assert {violation.rule for violation in report.violations} == {rule}
    assert set(told(report, Kind.VIOLATION)) == {str(rule)}
    assert report.went_well is (rule.severity is Severity.WARNING)
    assert all(violation.at_ms > 0 for violation in report.violations)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_is_told_nothing(right: dict[str, FlowReport], name: str) -> None:
    """No rule fires, and the call went well."""
    report = right[name]
    assert report.violations == ()
    assert report.problems == ()
    assert report.asked
