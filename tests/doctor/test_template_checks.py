"""Templates, numbers and what providers declare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exobridge.doctor import number_checks, provider_checks, template_checks
from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, Level
from exobridge.settings import Settings
from tests.doctor.looking import NUMBER, SECRET, levels, of, one
from tests.server import bot, fakes_installed, write_templates

FAKES = {name: "fake" for name in ("STT_PROVIDER", "TTS_PROVIDER", "VAD_PROVIDER")}


def case(folder: Path, templates: dict[str, str], **variables: str) -> tuple[Case, list[Finding]]:
    """An installation with these templates, and what came of loading them."""
    settings = Settings.read(
        {
            **FAKES,
            "DIALOGUE_PROVIDER": "fake",
            "EXOBRIDGE_TEMPLATES_DIR": str(write_templates(folder, templates)),
            **variables,
        }
    )
    loaded, findings = template_checks.load(settings)
    return Case(settings, loaded), findings


def test_every_wrong_key_of_every_file_is_a_finding(tmp_path: Path) -> None:
    """With the file, the key and its cure; nothing else can be said of templates then."""
    with fakes_installed():
        found, findings = case(tmp_path, {"default": "greetin = 'a'", "b": "language = 3"})
    wrong = of(findings, "templates.load")
    assert len(wrong) == 2
    assert "greeting" in wrong[0].cure
    assert all(each.level is Level.ERROR for each in wrong)
    assert found.templates is None


def test_templates_that_are_not_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of templates lies beside the settings, and no setting names it."""
    write_templates(tmp_path, {"default": bot()})
    monkeypatch.chdir(tmp_path)
    with fakes_installed():
        settings = Settings.read({**FAKES, "DIALOGUE_PROVIDER": "fake"})
        _, findings = template_checks.load(settings)
    assert one(findings, "templates.load").level is Level.WARNING
    assert one(findings, "templates.load").cure == "EXOBRIDGE_TEMPLATES_DIR=./templates"


def test_a_number_without_a_template_is_an_error(tmp_path: Path) -> None:
    """It is told which one is missing."""
    with fakes_installed():
        _, findings = case(tmp_path, {"default": bot()}, EXOTEL_NUMBERS=f"{NUMBER}=nowhere")
    assert "nowhere" in one(findings, "templates.load").found


def test_a_provider_that_is_not_there_is_an_error_with_its_cure(tmp_path: Path) -> None:
    """An unknown module has no package to install; the known ones are told."""
    with fakes_installed():
        text = bot(stt={"provider": "not_there:Stt", "options": None})
        _, findings = case(tmp_path, {"default": text})
    missing = one(findings, "providers.installed")
    assert missing.level is Level.ERROR
    assert "not_there" in missing.found
    assert "moonshine" in missing.cure


def test_what_callers_meet_is_told(tmp_path: Path) -> None:
    """A template without a greeting, one that is closed, one that hands over, one for nobody."""
    closed = {"mon": ["09:00-09:01"], "closed_dates": []}
    with fakes_installed():
        found, _ = case(
            tmp_path,
            {"default": bot(), "mute": bot(greeting=""), "shut": bot(hours=closed), "idle": bot()},
            EXOTEL_NUMBERS=f"{NUMBER}=mute,+919845012346=shut,+919845012347=default",
        )
        findings = template_checks.look(found)
    greetings = {each.found.split()[0]: each.level for each in of(findings, "templates.greeting")}
    assert greetings == {"default": Level.OK, "mute": Level.WARNING, "shut": Level.OK}
    assert "idle" in one(findings, "templates.unused").found
    assert len(of(findings, "templates.hours")) == 3


def test_the_shipped_template_hands_over() -> None:
    """To its reception."""
    pytest.importorskip("moonshine_voice")
    settings = Settings.read({})
    loaded, _ = template_checks.load(settings)
    assert of(template_checks.look(Case(settings, loaded)), "templates.transfer")


BYE: dict[str, Any] = {"name": "bye", "phrases": ["transfer"], "reply": "Bye."}
MODEL = {"model": "m"}


@pytest.mark.parametrize(
    ("provider", "options", "who"),
    [
        ("fake", {}, ""),
        ("openai", MODEL, "openai"),
        ("openai", {**MODEL, "actions": ["hang_up", "send_dtmf"]}, ""),
        ("python", {"handler": "a:b"}, "python"),
        ("webhook", {"url": "https://a.example"}, "webhook"),
        ("scripted", {"intents": [{**BYE, "hang_up": True}]}, ""),
        ("scripted", {"intents": [{**BYE, "transfer": "desk"}]}, "scripted"),
        ("fake,openai,python", {"openai": MODEL, "python": {"handler": "a:b"}}, "openai, python"),
    ],
)
def test_a_transfer_is_told(
    provider: str, options: dict[str, Any], who: str, tmp_path: Path
) -> None:
    """Whichever of the dialogues may ask for it, by its options or by their defaults."""
    with fakes_installed():
        text = bot(dialogue={"provider": provider, "options": options})
        found, _ = case(tmp_path, {"default": text})
        findings = of(template_checks.look(found), "templates.transfer")
    assert [each.found for each in findings] == (
        [f"default may hand callers to a human ({who})"] if who else []
    )


def test_a_language_that_a_provider_does_not_know_is_an_error(tmp_path: Path) -> None:
    """It would refuse each call; the fakes know English alone, or any."""
    pytest.importorskip("hibari")
    with fakes_installed():
        text = bot(language="hi-IN", tts={"provider": "hibari", "options": None})
        found, _ = case(tmp_path, {"default": text})
        findings = provider_checks.look(found)
    wrong = [each for each in of(findings, "providers.language") if each.level is Level.ERROR]
    assert [each.found.startswith("tts hibari does not know hi-IN") for each in wrong] == [True]
    assert "language = " in wrong[0].cure


def test_a_language_that_another_provider_knows_is_a_warning(tmp_path: Path) -> None:
    """Calls go to that one; if none of several knows it, it is an error."""
    for spare, level in (("hi", Level.WARNING), ("ta", Level.ERROR)):
        options = {"ms_per_char": None, "fake": {"languages": ["en"]}}
        tts = {"provider": "fake,spare", "options": {**options, "spare": {"languages": [spare]}}}
        with fakes_installed():
            found, _ = case(tmp_path, {"default": bot(language="hi-IN", tts=tts)})
            findings = provider_checks.look(found)
        ours = [each for each in findings if each.found.startswith("tts fake ")]
        assert levels(ours)["providers.language"] is level


def test_a_rate_that_has_to_be_changed_is_told(tmp_path: Path) -> None:
    """At the line's rate it is ok, else worth knowing."""
    pytest.importorskip("moonshine_voice")
    stt = {"provider": "moonshine", "options": None}
    with fakes_installed():
        for rate, level in ((8000, Level.OK), (24000, Level.INFO)):
            text = bot(stt=stt, stream={"sample_rate": rate})
            found, _ = case(tmp_path, {"default": text})
            rates = of(provider_checks.look(found), "providers.rate")
            [moonshine] = [each for each in rates if "moonshine" in each.found]
            assert moonshine.level is level


def test_numbers_are_listed_masked_and_foreign_ones_told() -> None:
    """No number stands there in full."""
    abroad = "+14155552671"
    settings = Settings.read({"EXOTEL_NUMBERS": f"{NUMBER}=default,{abroad}=demo"})
    findings = number_checks.look(Case(settings))
    text = " ".join(each.found for each in findings)
    assert NUMBER[3:] not in text
    assert abroad[2:] not in text
    assert levels(findings) == {"numbers.list": Level.OK, "numbers.foreign": Level.INFO}
    unset = number_checks.look(Case(Settings.read({})))
    assert levels(unset) == {"numbers.list": Level.INFO}


@pytest.mark.parametrize(
    ("recording", "level"),
    [
        ({"own": True}, Level.WARNING),
        ({"own": True, "consent": "This call is recorded."}, Level.OK),
        ({"consent": "This call is recorded."}, None),
        ({}, None),
    ],
)
def test_a_recording_that_nobody_is_told_of_is_told(
    tmp_path: Path, recording: dict[str, Any], level: Level | None
) -> None:
    """Callers have a right to know."""
    with fakes_installed():
        looked_at, _ = case(tmp_path, {"default": bot(recording=recording)})
        found = of(template_checks.look(looked_at), "templates.recording")
    assert [each.level for each in found] == ([] if level is None else [level])


def test_a_vendor_whose_key_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each variable is named, that of the options too; a key that is there is not shown."""
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    monkeypatch.setenv("OUR_KEY", SECRET)
    stt = '[stt]\nprovider = "deepgram"\n'
    tts = '[tts]\nprovider = "deepgram"\noptions = {api_key_env = "OUR_KEY"}\n'
    with fakes_installed():
        found, _ = case(tmp_path, {"default": stt + tts})
        findings = list(provider_checks.look(found))
    there, missing = sorted(of(findings, "providers.key"), key=lambda each: each.level.weight)
    assert missing.level is Level.ERROR
    assert "stt deepgram has no key" in missing.found
    assert "DEEPGRAM_API_KEY=" in missing.cure
    assert (there.level, "OUR_KEY" in there.found) == (Level.OK, True)
    assert SECRET not in repr(findings)
