"""Skylark's text-to-speech: its protocol, and what every provider promises."""

from __future__ import annotations

import asyncio
import json

import pytest

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone
from exobridge_providers.errors import ProviderAuthError
from exobridge_providers.registry import Kind
from exobridge_providers.skeleton.tts.skylark_exobridge.fake import CASE
from exobridge_providers.skeleton.tts.skylark_exobridge.tts import SkylarkOptions, SkylarkProtocol
from exobridge_providers.testing.conformance import CHECKS, Check, run_check


def protocol(language: str = "hi-IN") -> SkylarkProtocol:
    """That of a connection at 8 kHz."""
    return SkylarkProtocol(SkylarkOptions(), TtsConfig(pcm16(8000), language), "the-key")


def test_the_address_has_the_vendors_spelling_of_a_language() -> None:
    """And the key in a header, never in the URL."""
    address = protocol("or-IN").address()
    assert "language=od&" in address.target
    assert "the-key" not in address.target
    assert address.headers["Authorization"] == "Bearer the-key"


def test_an_utterance_is_text_and_its_end() -> None:
    """Each message names the context."""
    known = protocol()
    sent = [json.loads(each) for each in (*known.text("u1", "namaste"), *known.end("u1"))]
    assert sent == [{"type": "text", "id": "u1", "text": "namaste"}, {"type": "end", "id": "u1"}]


def test_messages_become_events() -> None:
    """What is not known is passed over."""
    known = protocol()
    audio = {"type": "audio", "id": "u1", "audio": "AAEC"}
    assert list(known.take(audio)) == [TtsAudio("u1", b"\x00\x01\x02")]
    assert list(known.take({"type": "done", "id": "u1"})) == [TtsDone("u1")]
    assert list(known.take({"type": "news of next year"})) == []


def test_an_error_says_whose_fault_it_is_and_never_the_key() -> None:
    """401 is the key's."""
    with pytest.raises(ProviderAuthError) as told:
        list(protocol().take({"type": "error", "status": 401, "message": "no the-key"}))
    assert "the-key" not in str(told.value)


@pytest.mark.parametrize("check", CHECKS[Kind.TTS], ids=lambda check: check.name)
def test_it_keeps_the_promise(check: Check) -> None:
    """What exobridge asks of every plugin, with the fake in the vendor's place."""
    asyncio.run(run_check(CASE, check))
