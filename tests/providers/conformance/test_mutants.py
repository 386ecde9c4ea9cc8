"""The kit tells a plugin that is wrong: each of these faults makes a named check fail."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import case
from exobridge_providers.testing.conformance import CHECKS, Check, run_check
from exobridge_providers.vendor import link, tts_session
from tests.providers.conformance import mutants
from tests.providers.conformance.mutants import (
    MutantCase,
    Mutation,
    each_protocol,
    protocol,
    query,
    session,
)

LIMIT_SECONDS = 0.6
"""Longest wait for what a fault keeps from coming."""


@dataclass(frozen=True)
class Mutant:
    """A fault, in whose plugin it is, and the check that finds it."""

    fault: str
    kind: Kind
    vendor: str
    check: str
    mutation: Mutation
    broken: str
    """Of the words of the promise that it breaks."""

    def __str__(self) -> str:
        return f"{self.kind}-{self.vendor}-{self.check}-{self.fault}"


def _stt(check: str, fault: str, mutation: Mutation, broken: str, of: str = "deepgram") -> Mutant:
    return Mutant(fault, Kind.STT, of, check, mutation, broken)


def _tts(check: str, fault: str, mutation: Mutation, broken: str, of: str = "deepgram") -> Mutant:
    return Mutant(fault, Kind.TTS, of, check, mutation, broken)


MUTANTS = [
    _stt("formats", "the wrong rate", query("sample_rate", 16000), "right in pcm16 at 8000"),
    _stt("formats", "the wrong encoding", query("encoding", "linear16"), "right in mulaw"),
    _stt("languages", "the wrong language", query("language", "od-IN"), "rules are kept"),
    _stt(
        "languages",
        "one code of Odia at an endpoint that has the other",
        query("language-code", "or-IN"),
        "rules are kept",
        of="sarvam-legacy",
    ),
    _stt(
        "languages",
        "the vendor's code of a language told as the host's",
        protocol(mutants.ForeignTag),
        "is told as",
    ),
    _stt("two-sentences", "the wrong scheme of the key", mutants.wrong_scheme, "AuthError"),
    _stt("two-sentences", "the key in a log", mutants.logs_its_key, "stand in logs"),
    _stt("two-sentences", "a caller's words in a log", protocol(mutants.LogsWords), "in logs"),
    _stt("vendor-errors", "the key in an error", protocol(mutants.TellsTheKey), "in errors"),
    _stt("last-words", "no flush", protocol(mutants.NoFinalize), "just before finalize"),
    _stt("last-words", "the last chunk not sent", session(mutants.DropsTheRest), "just before"),
    _stt("idle-line", "no keepalive", mutants.no_keepalive, "kept open", of="soniox"),
    _stt("interims", "an interim after its final", protocol(mutants.PartialAfterFinal), "follows"),
    _stt("interims", "no interims", protocol(mutants.NoInterims), "a Partial before its Final"),
    _stt("two-sentences", "interims as finals", protocol(mutants.InterimsAreFinal), "its words"),
    _stt("two-sentences", "frames in the wrong order", session(mutants.SwapsFrames), "its words"),
    _stt("queued", "two answers to one request", session(mutants.AnswersTwice), "answered once"),
    _stt("garbage", "an error of Python's", protocol(mutants.DiesOfGarbage), "garbage is borne"),
    _stt("broken-line", "an error that stays", protocol(mutants.Hopeless), "retryable"),
    _stt("broken-line", "an error nobody is told", session(mutants.SwallowsErrors), "retryable"),
    _stt(
        "vendor-errors",
        "an error that passes for one that stays",
        protocol(mutants.OneKindOfError),
        "is a ProviderAuthError",
        of="soniox",
    ),
    _stt("two-sentences", "a task left behind", session(mutants.LeaksATask), "no task behind"),
    _stt(
        "two-sentences",
        "a connection left open",
        session(mutants.LeavesTheLineOpen),
        "no connection open",
    ),
    _stt("many-streams", "calls that share a line", session(mutants.SharesALine), "its own words"),
    _stt("languages", "Odia of an interim", protocol(mutants.ForeignPartialTag), "is told as"),
    _stt("marked-answers", "all marked", protocol(mutants.MarksAll), "is not told as finalized"),
    _stt("marked-answers", "none marked", protocol(mutants.MarksNone), "in vain"),
    _stt("broken-line", "none marked", protocol(mutants.MarksNone), "in vain"),
    _stt(
        "marked-answers",
        "marks that nobody reads",
        protocol(mutants.AcknowledgesNothing),
        "says acknowledges",
    ),
    _stt("idle-limit", "a wrong limit of idle time", mutants.declares_less, "the vendor's limit"),
    _stt("extra", "extra not sent", mutants.no_extra, "extra is sent"),
    _stt("extra", "extra not sent", mutants.no_extra, "extra is sent", of="soniox"),
    _tts("extra", "extra not sent", mutants.no_extra, "extra is sent"),
    _tts("formats", "the wrong rate", query("sample_rate", 16000), "right in pcm16 at 8000"),
    _tts("formats", "the wrong encoding", query("encoding", "linear16"), "right in mulaw"),
    _tts("order", "the wrong scheme of the key", mutants.wrong_scheme, "AuthError"),
    _tts("order", "the key in a log", mutants.logs_its_key, "stand in logs"),
    _tts("formats", "the bot's words in a log", protocol(mutants.LogsText), "stand in logs"),
    _tts("vendor-errors", "the key in an error", protocol(mutants.TellsTheKeyTts), "in errors"),
    _tts("order", "no flush", protocol(mutants.NoEnd), "ends"),
    _tts("slow-text", "text that is not sent", protocol(mutants.DropsText), "is spoken"),
    _tts("formats", "an end before the end", protocol(mutants.DoneEarly), "words are right"),
    _tts("formats", "audio in the wrong order", protocol(mutants.SwapsAudio), "words are right"),
    _tts("cancel-early", "no message that cancels", protocol(mutants.NoCancel), "its own text"),
    _tts("cancel-early", "cancel ignored", session(mutants.CancelsNothing), "after cancel"),
    _tts(
        "cancel-middle",
        "a vendor that cannot stop is not left",
        each_protocol(lambda right: setattr(right, "cancels", True)),
        "'next' is spoken",
        of="smallest",
    ),
    _tts(
        "cancel-made",
        "names of contexts not looked at",
        protocol(mutants.Nameless),
        "its own text|after cancel",
        of="cartesia",
    ),
    _tts(
        "order",
        "more contexts than the vendor allows",
        each_protocol(lambda right: setattr(right, "contexts", 50)),
        "the session died|rules are kept",
        of="elevenlabs",
    ),
    _tts("closed-idle", "a closed idle line as an error", session(mutants.FailsIdle), "no error"),
    _tts("broken-line", "an error nobody is told", session(mutants.SwallowsErrors), "says why"),
    _tts("order", "a task left behind", session(mutants.LeaksATask), "no task behind"),
    _tts("order", "a connection left open", session(mutants.LeavesTheLineOpen), "connection open"),
]


def _check(kind: Kind, name: str) -> Check:
    return next(check for check in CHECKS[kind] if check.name == name)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
async def test_a_fault_of_a_plugin_is_found(mutant: Mutant) -> None:
    """By the check that is there for it, which says what is wrong."""
    right = case(mutant.kind, mutant.vendor)
    assert right is not None
    wrong = MutantCase.of(right, mutant.mutation)
    with pytest.raises(AssertionError, match=f"broken promise: .*({mutant.broken})"):
        await run_check(wrong, _check(mutant.kind, mutant.check), limit_seconds=LIMIT_SECONDS)


async def test_a_buffer_without_bounds_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a vendor that does not read."""
    monkeypatch.setattr(link, "MAX_UNSENT_BYTES", 1 << 30)
    right = case(Kind.STT, "deepgram")
    assert right is not None
    with pytest.raises(AssertionError, match="does not read is told of"):
        await run_check(right, _check(Kind.STT, "deaf-vendor"))


async def test_audio_taken_in_without_bounds_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody reads."""
    monkeypatch.setattr(tts_session, "MAX_UNREAD", 1 << 30)
    right = case(Kind.TTS, "deepgram")
    assert right is not None
    with pytest.raises(AssertionError, match="of audio that nobody reads"):
        await run_check(right, _check(Kind.TTS, "unread"))
