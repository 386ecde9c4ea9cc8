"""A sample of what ``make batch-trial`` tries: a batch whose server is killed."""

from __future__ import annotations

from pathlib import Path

from tests.outbound.trial import Plan, trial


async def test_a_batch_whose_server_is_killed_calls_everybody_as_its_policy_says(
    tmp_path: Path,
) -> None:
    """Humans, busy lines and silence, the server killed on the way and started again: the account
    has placed exactly the calls of the policy, never two at once to a number, and each result is
    what the account knows."""
    plan = Plan(
        rows=10,
        seed=3,
        kills=1,
        troubles=False,
        pause_seconds=0.5,
        limit_seconds=300,
        hurried=True,
    )
    async with trial(tmp_path, plan) as going:
        assert await going.run() == []
        assert len(going.killed) == 1
        retried = [number for number, count in going.people.asked.items() if count > 1]
        assert retried
