"""What a provider gives out is what the contract declares, or it is refused."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest

from exobridge.call.failover.formed import check_formed
from exobridge_providers import base
from exobridge_providers.errors import ProviderProtocolError, ProviderUnavailableError

ANYTHING = cast(Any, object())


@pytest.mark.parametrize(
    ("event", "declared"),
    [
        (base.SpeechStarted(), base.SttEvent),
        (base.Partial("so"), base.SttEvent),
        (base.Final("so", language="hi-IN", finalized=True), base.SttEvent),
        (base.SttTrouble(ProviderUnavailableError("no")), base.SttEvent),
        (base.TtsAudio("u", b""), base.TtsEvent),
        (base.TtsAudio("u", cast(Any, bytearray(2))), base.TtsEvent),
        (base.CollectDigits(timeout_seconds=5), base.Action),
        (base.HangUp(), base.Action),
    ],
)
def test_what_is_declared_passes(event: object, declared: object) -> None:
    """Whole numbers are numbers, and any bytes are audio."""
    check_formed(event, get_args(declared), "event", "acme")


@pytest.mark.parametrize(
    ("event", "declared", "why"),
    [
        ("hello", base.Action, "str is no event"),
        (None, base.SttEvent, "NoneType is no event"),
        (base.Say("so"), base.TtsEvent, "Say is no event"),
        (base.Say(ANYTHING), base.Action, "a malformed Say"),
        (base.Final("so", language=ANYTHING), base.SttEvent, "a malformed Final"),
        (base.SttTrouble(cast(Any, "no")), base.SttEvent, "a malformed SttTrouble"),
        (base.TtsAudio("u", cast(Any, "audio")), base.TtsEvent, "a malformed TtsAudio"),
        (base.TtsDone(ANYTHING), base.TtsEvent, "a malformed TtsDone"),
        (base.CollectDigits(timeout_seconds=ANYTHING), base.Action, "a malformed CollectDigits"),
    ],
)
def test_anything_else_is_the_providers_error(event: object, declared: object, why: str) -> None:
    """It names the type, never what it holds, and may pass with another session."""
    with pytest.raises(ProviderProtocolError) as caught:
        check_formed(event, get_args(declared), "event", "acme")
    assert str(caught.value) == why
    assert caught.value.provider == "acme"
    assert caught.value.retryable
