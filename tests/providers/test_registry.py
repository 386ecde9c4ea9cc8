"""Providers by name."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from exobridge_providers.base import DialogueProvider
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.realtime.echo import Echo
from exobridge_providers.registry import BASES, BUILT_IN, Kind, create, names, provider_class
from exobridge_providers.testing.fakes import FakeStt


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in Kind for name in BUILT_IN[kind]]
)
def test_every_built_in_name_leads_to_a_class_of_its_kind(kind: Kind, name: str) -> None:
    """No string in the table is out of date."""
    assert issubclass(provider_class(kind, name), BASES[kind])
    assert name in names(kind)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    """The cure stands in the message."""
    with pytest.raises(ProviderConfigError, match=r"'acme'; known: .*moonshine"):
        create(Kind.STT, "acme", {})


def test_a_missing_package_is_told_with_the_command_that_installs_it() -> None:
    """In a process that has no faster-whisper, nor hibari."""
    code = (
        "import sys; sys.modules['faster_whisper'] = sys.modules['hibari'] = None\n"
        "from exobridge_providers.registry import Kind, provider_class\n"
        "for kind, name in ((Kind.STT, 'whisper'), (Kind.TTS, 'hibari')):\n"
        "    try:\n        provider_class(kind, name)\n"
        "    except Exception as error:\n        print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    whisper, hibari = result.stdout.splitlines()
    assert "(pip install 'exobridge[local,whisper]')" in whisper
    assert "(pip install 'exobridge[local]')" in hibari


def test_options_are_validated_and_not_repeated() -> None:
    """The message names the option and the reason, not the value."""
    with pytest.raises(ProviderConfigError, match="delay_ms: Input should be") as caught:
        create(Kind.REALTIME, "echo", {"delay_ms": "sk-secret"})
    assert "sk-secret" not in str(caught.value)
    with pytest.raises(ProviderConfigError, match="delay: Extra inputs are not permitted"):
        create(Kind.REALTIME, "echo", {"delay": 1})


def test_a_class_can_be_named_by_its_module() -> None:
    """A bot of one's own needs no package."""
    provider = create(Kind.STT, "exobridge_providers.testing.fakes:FakeStt", {"script": ["hello"]})
    assert isinstance(provider, FakeStt)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_module_xyz:Bot", "cannot be imported: No module named 'no_such_module_xyz'"),
        ("exobridge_providers.base:NoSuchClass", "is not where its name says"),
        (":Bot", "is not where its name says"),
        ("exobridge_providers.realtime.echo:Echo", "is no subclass of DialogueProvider"),
        ("exobridge_providers.base:AnyOptions", "is no subclass of DialogueProvider"),
    ],
)
def test_a_wrong_module_name_is_a_config_error(name: str, reason: str) -> None:
    """Each says what is wrong with it."""
    with pytest.raises(ProviderConfigError, match=reason):
        provider_class(Kind.DIALOGUE, name)


def test_a_provider_is_made_with_default_options() -> None:
    """An empty table is enough where every option has a default."""
    assert isinstance(create(Kind.REALTIME, "echo", {}), Echo)
    assert issubclass(provider_class(Kind.DIALOGUE, "scripted"), DialogueProvider)


def _install(folder: Path, package: str, group: str, entry: str) -> None:
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{entry}\n")
    importlib.invalidate_caches()


ECHO = "exobridge_providers.realtime.echo:Echo"


def test_a_name_offered_by_two_packages_is_refused_with_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them would be taken is nobody's guess."""
    for package in ("one", "two"):
        (tmp_path / package).mkdir()
        _install(tmp_path / package, f"acme-{package}", "exobridge.realtime", f"acme = {ECHO}")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "one"), *sys.path])
    assert isinstance(create(Kind.REALTIME, "acme", {}), Echo)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "two"), *sys.path])
    with pytest.raises(ProviderConfigError, match="acme-one, acme-two"):
        create(Kind.REALTIME, "acme", {})


def test_a_package_cannot_take_a_built_in_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``echo`` stays the one in the tree."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    _install(tmp_path, "acme", "exobridge.realtime", "echo = exobridge_providers.base:Provider")
    assert isinstance(create(Kind.REALTIME, "echo", {}), Echo)
    assert names(Kind.REALTIME) == ["echo"]
