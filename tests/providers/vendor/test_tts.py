"""What text-to-speech plugins declare, and what their protocols do."""

from __future__ import annotations

import pytest

from exobridge_providers.base import Cancel, TtsConfig, TtsProvider
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.cases import VendorCase, cases
from exobridge_providers.vendor import VendorTts


@pytest.mark.parametrize("case", cases(Kind.TTS), ids=lambda case: case.name)
def test_the_way_of_cancelling_that_is_declared_is_the_protocols(case: VendorCase) -> None:
    """A message, where the protocol has one; else the connection is left, or a request is."""
    provider = create(case.kind, case.name, {})
    assert isinstance(provider, TtsProvider)
    known = provider.capabilities
    if isinstance(provider, VendorTts):
        config = TtsConfig(known.formats[0], case.language)
        protocol = provider.protocol(config, "a key")
        assert known.cancel is (Cancel.MESSAGE if protocol.cancels else Cancel.RECONNECT)
    else:
        assert known.cancel is Cancel.ABORT
