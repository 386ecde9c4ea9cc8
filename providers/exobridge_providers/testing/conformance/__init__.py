"""The conformance kit: everything that a plugin promises, tried against a fake of its vendor.

Each check has a fake and a plugin of its own, and at its end looks for what was left behind, for
keys and words in logs and errors, and for rules of the vendor's that were broken. ``pytest`` is not
needed::

    @pytest.mark.parametrize("check", CHECKS[Kind.STT], ids=lambda check: check.name)
    async def test_conformance(check: Check) -> None:
        await run_check(CASE, check)
"""

from __future__ import annotations

from exobridge_providers.testing.conformance.check import Check, Result
from exobridge_providers.testing.conformance.checks import CHECKS
from exobridge_providers.testing.conformance.stage import Speech, Stage
from exobridge_providers.testing.conformance.suite import run_all, run_check

__all__ = ["CHECKS", "Check", "Result", "Speech", "Stage", "run_all", "run_check"]
