"""How the kit is run: what it tells of a plugin, with a fake of its vendor and without."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator

import pytest
import structlog

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.registry import Kind
from exobridge_providers.testing import fakes
from exobridge_providers.testing.cases import BUILT_IN, case
from exobridge_providers.testing.conformance import CHECKS, Check, Result, Stage, run_all, run_check
from exobridge_providers.testing.conformance.stage import letters
from exobridge_providers.testing.conformance.watch import (
    keeps_secrets,
    listening_to_logs,
    nothing_left,
    told_by,
)

FAKES = "exobridge_providers.testing.fakes:Fake"


class NetworkedTts(fakes.FakeTts):
    """It says that it needs a network."""

    offline = False


NETWORKED = f"{__name__}:NetworkedTts"


def test_checks_have_names_of_their_own() -> None:
    """And promises that are sentences without an end."""
    for checks in CHECKS.values():
        names = [check.name for check in checks]
        assert len(names) == len(set(names))
        assert all(check.promise and not check.promise.endswith(".") for check in checks)


@pytest.mark.parametrize("kind", [Kind.STT, Kind.TTS])
def test_every_vendor_has_its_case(kind: Kind) -> None:
    """Of its own kind and name."""
    for name in BUILT_IN[kind]:
        found = case(kind, name)
        assert found is not None
        assert (found.kind, found.name) == (kind, name)


async def test_a_plugin_without_a_network_is_asked_what_can_be_seen_without() -> None:
    """Each result is told as it comes."""
    told: list[Result] = []
    results = await run_all(Kind.TTS, f"{FAKES}Tts", told.append)
    assert told == results
    assert [(each.name, each.outcome) for each in results] == [
        ("contract", "passed"),
        ("several-streams", "passed"),
    ]


async def test_a_fault_is_told_in_words() -> None:
    """Those of the promise that is broken."""
    options = {"otherwise": "hello", "fault": "open"}
    results = await run_all(Kind.STT, f"{FAKES}Stt", options=options, speech=letters)
    contract = results[0]
    assert contract.outcome == "failed"
    assert "keeps the contract of speech-to-text; it raises Provider" in contract.words
    assert contract.seconds > 0


async def test_without_a_spoken_sample_speech_to_text_is_not_judged() -> None:
    """A skipped check is no passed one."""
    results = await run_all(Kind.STT, f"{FAKES}Stt")
    assert {(each.outcome, each.words) for each in results} == {
        ("skipped", "there is no spoken sample")
    }


async def test_a_networked_plugin_without_a_fake_is_not_judged() -> None:
    """All of its checks are skipped."""
    results = await run_all(Kind.TTS, NETWORKED)
    assert len(results) == len(CHECKS[Kind.TTS])
    assert {each.outcome for each in results} == {"skipped"}


@pytest.mark.parametrize("kind", [Kind.VAD, Kind.DIALOGUE, Kind.REALTIME])
async def test_other_kinds_keep_their_contracts(kind: Kind) -> None:
    """Their contract suites are all that there is for them."""

    def loud(audio_format: AudioFormat) -> bytes:
        return letters(audio_format, "quartz violet " * 8)

    results = await run_all(kind, f"{FAKES}{kind.value.capitalize()}", speech=loud)
    assert [(each.name, each.outcome, each.words) for each in results] == [
        ("contract", "passed", "")
    ]


async def test_an_unknown_plugin_cannot_be_checked() -> None:
    """Nor one that does not take its options."""
    with pytest.raises(ProviderConfigError):
        await run_all(Kind.TTS, "nobody")
    with pytest.raises(ProviderConfigError):
        await run_all(Kind.TTS, f"{FAKES}Tts", options={"nothing": 1})


async def test_whatever_a_check_meets_is_a_broken_promise() -> None:
    """Also what is no error of a provider's; and the key goes out of the environment."""

    async def breaks(stage: Stage) -> None:
        raise KeyError(stage.vendor.url)

    right = case(Kind.STT, "deepgram")
    assert right is not None
    check = Check("breaks", "does not break", breaks)
    before = dict(os.environ)
    with pytest.raises(AssertionError, match="a plugin does not break; it raises KeyError"):
        await run_check(right, check)
    assert dict(os.environ) == before


def test_secrets_are_found_wherever_an_error_could_tell_them() -> None:
    """In its words, in its cause's, in what it came from, and in its fields."""
    try:
        try:
            raise KeyError("first-secret")
        except KeyError:
            raise ProviderError("hidden", provider="second-secret") from None
    except ProviderError as error:
        told = told_by(error)
    for secret in ("first-secret", "second-secret"):
        with pytest.raises(AssertionError, match="stand in errors") as found:
            keeps_secrets([told], [secret], "errors")
        assert secret not in str(found.value)
    keeps_secrets([told], ["third-secret"], "errors")


def test_all_that_is_logged_is_heard() -> None:
    """At every level, by either library, with the errors in it; afterwards nothing has changed."""
    level = logging.getLogger().level
    with listening_to_logs() as lines:
        logging.getLogger("any.library").debug("one %s", "two")
        structlog.stdlib.get_logger("ours").debug("three", key="four")
        try:
            raise ValueError("five")
        except ValueError:
            logging.getLogger("any.library").exception("six")
    text = "\n".join(lines)
    for words in ("one two", "three", "four", "five", "six"):
        assert words in text
    assert logging.getLogger().level == level


async def _socket_left() -> AsyncIterator[None]:
    reader, writer = os.pipe()
    yield
    os.close(reader)
    os.close(writer)


async def test_a_file_that_is_left_open_is_found() -> None:
    """And one that is closed is not."""
    left = _socket_left()
    with pytest.raises(AssertionError, match="no file or socket open; left: 2"):
        async with nothing_left(0.05):
            await anext(left)
    async with nothing_left(0.05):
        pass
    async for _ in left:
        pass


async def test_a_task_that_ends_a_little_later_is_not_left() -> None:
    """What is closed may take a moment."""
    async with nothing_left(5):
        task = asyncio.get_running_loop().create_task(asyncio.sleep(0.02))
    assert task.done()
