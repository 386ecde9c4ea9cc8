"""Skylark's speech-to-text: its protocol, and what every provider promises."""

from __future__ import annotations

import asyncio

import pytest

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import Final, Partial, SttConfig
from exobridge_providers.errors import ProviderAuthError
from exobridge_providers.registry import Kind
from exobridge_providers.skeleton.stt.skylark_exobridge.fake import CASE
from exobridge_providers.skeleton.stt.skylark_exobridge.stt import SkylarkOptions, SkylarkProtocol
from exobridge_providers.testing.conformance import CHECKS, Check, run_check


def protocol(language: str = "hi-IN") -> SkylarkProtocol:
    """That of a session at 8 kHz."""
    return SkylarkProtocol(SkylarkOptions(), SttConfig(pcm16(8000), language), "the-key")


def test_the_address_has_the_vendors_spelling_of_a_language() -> None:
    """And the key in a header, never in the URL."""
    address = protocol("or-IN").address()
    assert "language=od&" in address.target
    assert "the-key" not in address.target
    assert address.headers["Authorization"] == "Bearer the-key"


def test_messages_become_events() -> None:
    """Languages are written as templates write them; what is not known is passed over."""
    known = protocol()
    partial = {"type": "partial", "text": "namas", "language": "hi"}
    final = {"type": "final", "text": "namaste", "language": "od", "answers_finalize": True}
    assert list(known.take(partial)) == [Partial("namas", "hi-IN")]
    assert list(known.take(final)) == [Final("namaste", "or-IN", finalized=True)]
    assert list(known.take({"type": "news of next year"})) == []


def test_an_error_says_whose_fault_it_is_and_never_the_key() -> None:
    """401 is the key's."""
    with pytest.raises(ProviderAuthError) as told:
        list(protocol().take({"type": "error", "status": 401, "message": "no the-key"}))
    assert "the-key" not in str(told.value)


@pytest.mark.parametrize("check", CHECKS[Kind.STT], ids=lambda check: check.name)
def test_it_keeps_the_promise(check: Check) -> None:
    """What exobridge asks of every plugin, with the fake in the vendor's place."""
    asyncio.run(run_check(CASE, check))
