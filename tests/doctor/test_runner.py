"""All checks together: none can break or hold another."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from exobridge.doctor import Finding, Level, Scope, examine
from exobridge.doctor.aside import in_own_loop
from exobridge.doctor.case import Case, Check, blocking
from exobridge.doctor.finding import ok
from exobridge.doctor.runner import run
from exobridge.settings import Settings
from exobridge_providers.testing.fake_chat import MODELS, FakeChat
from tests.doctor.looking import NUMBER, SECRET, levels, of, one
from tests.server import bot, fakes_installed, write_templates

FAST = Scope(fast=True, offline=True)


def silent(what: str) -> None:
    """Nobody looks."""


async def test_a_check_that_fails_or_hangs_is_a_finding_and_the_others_are_told() -> None:
    """Whether it hangs in the loop's way or in a thread."""
    held = threading.Event()

    async def crashes(case: Case) -> list[Finding]:
        raise RuntimeError(f"with {SECRET} in it")

    async def hangs(case: Case) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    def blocks(case: Case) -> list[Finding]:
        held.wait(30)
        return []

    async def works(case: Case) -> list[Finding]:
        return [ok("disk.space", "much")]

    checks = [
        Check("crashing", crashes),
        Check("hanging", hangs, seconds=0.05),
        Check("blocking", blocking(blocks), seconds=0.05),
        Check("working", works),
        Check("waiting", works, needs_templates=True),
    ]
    try:
        findings = await run(checks, Case(Settings.read({})))
    finally:
        held.set()
    assert one(findings, "disk.space").level is Level.OK
    assert one(findings, "doctor.crashed").found.startswith("crashing")
    assert [each.found.partition(":")[0] for each in of(findings, "doctor.late")] == [
        "hanging",
        "blocking",
    ]
    assert one(findings, "doctor.skipped").found.startswith("waiting")
    assert SECRET not in repr(findings)


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  # a fixture
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_here")
async def test_a_healthy_installation_has_nothing_wrong(tmp_path: Path) -> None:
    """With its providers started and heard."""
    with fakes_installed():
        findings = await examine(Scope(offline=True), silent, healthy(tmp_path))
    found = levels(findings)
    assert set(found.values()) <= {Level.OK, Level.INFO}, findings
    for about in ("providers.start", "models.tts", "disk.data"):
        assert found[about] is Level.OK


def healthy(folder: Path) -> dict[str, str]:
    """The environment of a good installation of the fakes."""
    return {
        "EXOBRIDGE_DATA_DIR": str(folder / "data"),
        "EXOBRIDGE_TEMPLATES_DIR": str(write_templates(folder, {"default": bot()})),
        "EXOBRIDGE_SECRET": SECRET,
        "EXOTEL_NUMBERS": f"{NUMBER}=default",
        "MAX_CALLS": "10",
        "EXOBRIDGE_PORT": "0",
        "STT_PROVIDER": "fake",
        "TTS_PROVIDER": "fake",
        "VAD_PROVIDER": "fake",
        "DIALOGUE_PROVIDER": "fake",
    }


@pytest.mark.speech
@pytest.mark.usefixtures("_here")
async def test_the_local_speech_is_started_and_heard(tmp_path: Path) -> None:
    """A sentence is made, understood, and heard as a voice."""
    for package in ("moonshine_voice", "hibari", "onnxruntime"):
        pytest.importorskip(package)
    told: list[str] = []
    environ = {"EXOBRIDGE_PORT": "0", "EXOBRIDGE_DATA_DIR": str(tmp_path / "data")}
    findings = await examine(Scope(offline=True), told.append, environ)
    heard = [each for each in findings if each.group == "models"]
    assert {each.id for each in heard} == {"models.tts", "models.stt", "models.vad"}
    # On a busy machine it may be slow, which is a warning; what fails is an error.
    assert all(each.level in (Level.OK, Level.WARNING) for each in heard), heard
    assert all("real-time factor" in each.found for each in heard)
    assert "starting stt moonshine" in told


@pytest.mark.usefixtures("_here")
async def test_settings_that_are_wrong_hide_nothing_else(tmp_path: Path) -> None:
    """The rest is looked at, in the order of the groups, and no secret is shown."""
    environ = healthy(tmp_path) | {
        "MAX_CALLS": "no number",
        "EXOTEL_API_KEY": f"{SECRET} with a space",
        "EXOBRIDGE_DATA_DIR": str(tmp_path / "a" / "b"),
    }
    (tmp_path / "a").write_text("a file")
    with fakes_installed():
        findings = await examine(FAST, silent, environ)
    found = levels(findings)
    assert found["settings.value"] is Level.ERROR
    assert found["disk.data"] is Level.ERROR
    assert found["templates.load"] is Level.OK
    groups = list(dict.fromkeys(each.group for each in findings))
    assert groups.index("settings") < groups.index("templates") < groups.index("disk")
    assert SECRET not in repr(findings)


@pytest.mark.usefixtures("_here")
async def test_a_provider_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    """Another one that does is told beside it."""
    environ = healthy(tmp_path)
    broken = bot(stt={"provider": "tests.doctor.broken:Broken", "options": None})
    write_templates(tmp_path, {"default": broken})
    with fakes_installed():
        findings = await examine(Scope(offline=True), silent, environ)
    starts = {
        each.found.split()[1].rstrip(":"): each.level for each in of(findings, "providers.start")
    }
    assert starts.pop("tests.doctor.broken:Broken") is Level.ERROR
    assert set(starts.values()) == {Level.OK}
    assert SECRET not in repr(findings)


@pytest.mark.usefixtures("_here")
async def test_offline_starts_nothing_that_asks_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model and an application on this machine are asked, those elsewhere are not; nor is a
    provider that does not say of itself that it needs no network."""
    for name in ("OPENAI_API_KEY", "WEBHOOK_SECRET"):
        monkeypatch.setenv(name, SECRET)
    environ = healthy(tmp_path)
    told: list[str] = []
    async with FakeChat().listening() as chat:
        elsewhere = chat.url.replace("127.0.0.1", "model.invalid")
        dialogue = {
            "provider": "openai,webhook,tests.call.dialogues:EagerDialogue",
            "options": {
                "openai": {"model": "m", "base_url": f"{elsewhere}/v1", "allow_http": True},
                "webhook": {"url": f"{elsewhere}/turn", "allow_http": True},
            },
        }
        own = {"provider": "openai", "options": chat.options}
        both = {"default": bot(dialogue=dialogue), "own": bot(dialogue=own)}
        write_templates(tmp_path, both)
        environ["EXOTEL_NUMBERS"] += ",+919845012346=own"
        with fakes_installed():
            findings = await examine(Scope(offline=True), told.append, environ)
        assert len(chat.of(MODELS)) == 1
    skipped = {each.found.partition(":")[0] for each in of(findings, "doctor.skipped")}
    assert skipped >= {"start of dialogue openai", "start of dialogue webhook"}
    assert "start of dialogue tests.call.dialogues" in skipped
    assert told.count("starting dialogue openai") == 1
    assert "starting dialogue webhook" not in told
    assert levels(findings)["providers.start"] is Level.OK


async def test_a_provider_that_blocks_its_loop_does_not_block_the_checks() -> None:
    """It runs in a loop of its own, which nobody waits for."""
    released = threading.Event()

    async def blocks() -> None:
        released.wait(30)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(in_own_loop(blocks), 0.05)
    assert not released.is_set()
    released.set()
