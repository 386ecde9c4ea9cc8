"""The conformance kit over every built-in plugin of text-to-speech that has a vendor."""

from __future__ import annotations

import pytest

from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase, cases
from exobridge_providers.testing.conformance import CHECKS, Check, run_check


@pytest.mark.parametrize("case", cases(Kind.TTS), ids=lambda case: case.name)
@pytest.mark.parametrize("check", CHECKS[Kind.TTS], ids=lambda check: check.name)
async def test_a_plugin_keeps_what_it_promises(case: VendorCase, check: Check) -> None:
    """Each check of the kit."""
    await run_check(case, check)
