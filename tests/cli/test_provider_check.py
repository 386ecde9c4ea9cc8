"""``exobridge provider check``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge_codecs.wav import write_wav
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import case
from exobridge_providers.testing.conformance import CHECKS
from exobridge_providers.testing.fake_vendor import KEY_VARIABLE, FakeVendor
from exobridge_providers.testing.faults import Fault, FaultKind
from exobridge_providers.testing.letters import spoken

SKELETON = "exobridge_providers.skeleton.stt.skylark_exobridge.stt:SkylarkStt"


def check(*arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit status, standard output and error."""
    result = CliRunner().invoke(app, ["provider", "check", *arguments], env=variables)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a plugin that keeps no promise, and one without a fake of its vendor."""
    info = tmp_path / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[exobridge.stt]\nmute = tests.cli.broken_provider:MuteStt\nlonely = {SKELETON}\n"
        f"lost = {SKELETON}\nraises = raising:Stt\nspoilt = {SKELETON}\n"
        "[exobridge.fakes.stt]\nlost = not_there:CASE\n"
        "spoilt = raising:CASE\n"
    )
    (tmp_path / "raising.py").write_text("raise ValueError('a text of its own')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plugin_that_keeps_its_promises_is_0() -> None:
    """Each check is a line, and the last line counts them."""
    status, out, _ = check("echo")
    assert status == 0
    assert "✓ contract" in out
    assert out.strip().endswith("1 passed")


@pytest.mark.usefixtures("installed")
def test_a_broken_promise_is_1_and_told() -> None:
    """By the check's name, what it promises and what was seen; in JSON likewise."""
    status, out, _ = check("mute")
    assert status == 1
    assert "✗ contract: failed" in out
    assert "promised: it keeps the contract" in out
    assert "broken promise: a format that is not declared is refused" in out
    status, out, err = check("mute", "--json")
    [report] = json.loads(out)
    assert (status, report["passed"], report["name"]) == (1, False, "mute")
    assert report["results"][0]["outcome"] == "failed"
    assert "✗ contract" in err


@pytest.mark.usefixtures("installed")
def test_a_plugin_without_a_fake_of_its_vendor_is_skipped_and_so_1() -> None:
    """Nothing was seen of it: that is no pass."""
    status, out, _ = check("lonely", "--json")
    [report] = json.loads(out)
    assert (status, report["passed"]) == (1, False)
    assert {each["outcome"] for each in report["results"]} == {"skipped"}
    assert len(report["results"]) == len(CHECKS[Kind.STT])
    assert "brings no fake" in report["results"][0]["words"]


@pytest.mark.usefixtures("installed")
def test_why_nothing_was_checked_is_said_once() -> None:
    """With the cure, and not for each check again."""
    status, out, _ = check("lonely")
    assert status == 1
    assert out.count("brings no fake") == 1
    assert "exobridge.fakes.stt" in out
    assert len(out.splitlines()) < 10


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("asked", [["raises"], ["raises", "--live"], ["spoilt"]], ids=" ".join)
def test_a_module_that_raises_is_told_by_the_type(asked: list[str]) -> None:
    """A line, exit status 2, and nothing of the exception's text, which may hold anything."""
    status, out, err = check(*asked)
    assert (status, out) == (2, "")
    assert "(ValueError)" in err
    assert "a text of its own" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("installed")
def test_a_fake_that_cannot_be_imported_is_2() -> None:
    """Whose it is, and why."""
    status, out, err = check("lost")
    assert (status, out) == (2, "")
    assert "the fake of 'lost' cannot be had: No module named 'not_there'" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "there is none; known: "),
        (["deepgram", "--kind", "vad"], "known: silero"),
        (["deepgram", "--text", "hello"], "needs --live"),
        (["deepgram", "--option", "model"], "write key=value"),
        (["silero", "--live"], "is for stt and tts"),
        (["espeak", "--option", "colour=red"], "colour"),
        (["deepgram", "--option", "colour=red"], "colour"),
        (["deepgram", "--option", "chunk_ms=20"], "'deepgram': chunk_ms: there is no such key"),
        (["deepgram", "--option", "chunk_ms=20"], "give --kind"),
        (["deepgram", "--live", "--option", "chunk_ms=20"], "give --kind"),
        (["webhook"], "url: is missing; give it with --option url="),
        (["deepgram", "--kind", "stt", "--option", "modle=x"], "did you mean model?"),
        (["deepgram", "--kind", "stt", "--option", "chunk_ms=x"], "--option chunk_ms="),
        (["depgram"], "did you mean deepgram?"),
        (["deepgram", "--live", "--kind", "stt", "--voice", "x"], "is for tts alone"),
        (["deepgram", "--live", "--kind", "stt", "--ear", "none"], "is for tts alone"),
        (["deepgram", "--live", "--kind", "tts", "--audio", "x.wav"], "is for stt alone"),
        (["deepgram", "--live", "--ear", "monshine"], "did you mean moonshine?"),
        (["deepgram", "--kind", "bogus"], "'--kind': 'bogus' is not one of"),
    ],
)
def test_misuse_is_2(arguments: list[str], words: str) -> None:
    """With what to write instead."""
    status, out, err = check(*arguments)
    assert (status, out) == (2, "")
    assert words in " ".join(err.replace("│", "").split())


# ------------------------------------------------------------------ the vendor itself


async def live(
    kind: Kind, name: str, *arguments: str, faults: tuple[Fault, ...] = ()
) -> tuple[int, dict[str, Any], FakeVendor]:
    """Exit status and report, with the fake in the vendor's place."""
    known = case(kind, name)
    assert known is not None
    async with known.fake().listening() as vendor:
        vendor.faults += faults
        vendor.final_seconds = vendor.first_audio_seconds = 0.05
        status, out, err = await asyncio.to_thread(
            check,
            *(name, "--kind", kind, "--live", "--json"),
            *("--option", f"url={vendor.url}{known.path}"),
            *("--option", f"api_key_env={KEY_VARIABLE}"),
            *arguments,
            **{KEY_VARIABLE: vendor.key},
        )
        assert vendor.key not in out + err
        [report] = json.loads(out)
        return status, report, vendor


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A sentence as the fakes understand it, with silence around it."""
    file = tmp_path / "sentence.wav"
    quiet = bytes(2 * 8000 // 2)
    write_wav(file, 8000, quiet + spoken("quartz violet", 8000) + quiet)
    return file


async def test_live_speech_to_text_is_timed_and_its_words_are_compared(recording: Path) -> None:
    """At the pace of a call; the silence around the recording does not count."""
    arguments = ("--audio", str(recording), "--text", "quartz violin")
    status, report, vendor = await live(Kind.STT, "deepgram", *arguments)
    assert (status, report["passed"], report["problem"]) == (0, True, "")
    assert (report["heard"], report["word_error"]) == ("quartz violet", 0.5)
    times = report["times"]
    assert times["interims"] > 0
    assert times["connect_ms"] > 0
    assert times["first_interim_ms"] > 0
    assert times["final_ms"] >= 50
    assert times["asked_ms"] > 0
    assert vendor.violations == []
    assert vendor.open_connections == 0


async def test_live_text_to_speech_is_timed() -> None:
    """From the text to the first audio, and how fast it is made; nobody need write it down."""
    status, report, vendor = await live(Kind.TTS, "deepgram", "--ear", "none")
    assert (status, report["heard"], report["word_error"]) == (0, None, None)
    times = report["times"]
    assert 50 <= times["first_audio_ms"] <= times["done_ms"]
    assert times["real_time_factor"] == pytest.approx(
        times["done_ms"] / times["audio_ms"], abs=0.01
    )
    assert vendor.violations == []
    assert vendor.open_connections == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(FaultKind.REFUSE, status=401), "refused the key"),
        (Fault(FaultKind.REFUSE, status=503), "not available"),
        (Fault(FaultKind.DROP_OUT), "the line to deepgram broke"),
        (Fault(FaultKind.ERROR), "deepgram"),
    ],
    ids=["key", "down", "broken", "error"],
)
async def test_what_goes_wrong_live_is_told_without_the_key(
    fault: Fault, words: str, recording: Path
) -> None:
    """The exit status is 1."""
    arguments = ("--audio", str(recording))
    status, report, _ = await live(Kind.STT, "deepgram", *arguments, faults=(fault,))
    assert (status, report["passed"]) == (1, False)
    assert words in report["problem"]


def test_live_without_a_key_names_the_variable() -> None:
    """And nobody is asked."""
    status, out, _ = check("deepgram", "--kind", "tts", "--live", DEEPGRAM_API_KEY="")
    assert status == 1
    assert "the environment variable DEEPGRAM_API_KEY" in out
