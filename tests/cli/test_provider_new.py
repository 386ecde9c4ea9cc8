"""``exobridge provider new``, and the packages that it writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exobridge.cli.main import app
from exobridge_providers.registry import Kind
from exobridge_providers.skeleton import KINDS, package_of

SOME = "not promise or contract or formats or cancel-late or wrong-key"
"""Of the kit's checks a few: the tutorial's test runs all of them over the same plugin."""


def new(*arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and error."""
    result = CliRunner().invoke(app, ["provider", "new", *arguments])
    return result.exit_code, result.stdout, result.stderr


def python(*arguments: str, cwd: Path, path: Path) -> str:
    """What an interpreter prints that finds what is installed at ``path``."""
    both = os.pathsep.join(filter(None, [str(path), os.environ.get("PYTHONPATH", "")]))
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": both},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_new_package_is_installed_and_its_tests_pass(tmp_path: Path) -> None:
    """One of each kind, as their author would; nothing is fetched from a network."""
    installed, folders = tmp_path / "installed", [tmp_path / kind for kind in KINDS]
    for kind, folder in zip(KINDS, folders, strict=True):
        assert new(f"my-{kind}", "--kind", kind, "--into", str(folder))[0] == 0
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(installed)]
    python(*pip, *offline, *map(str, folders), cwd=tmp_path, path=installed)
    tests = [str(folder / "tests") for folder in folders]
    pytest_ = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    out = python(*pytest_, "-k", SOME, *tests, cwd=tmp_path, path=installed)
    assert " passed" in out
    assert "skipped" not in out


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_put_everywhere(kind: str) -> None:
    """As a module, a class, a variable and a name of templates; nothing of the skeleton is left."""
    files = package_of(kind, "my-vendor")
    module = files[f"my_vendor_exobridge/{kind}.py"]
    for words in ("class MyVendorOptions", '"MY_VENDOR_API_KEY"', 'NAME = "my-vendor"'):
        assert words in module
    assert f'my-vendor = "my_vendor_exobridge.{kind}:MyVendor' in files["pyproject.toml"]
    for path, text in files.items():
        assert "skylark" not in f"{path}{text}".lower()
        assert "skeleton" not in text
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder that holds something is left as it is; an empty one will do."""
    into = tmp_path / "there"
    into.mkdir()
    assert new("acme", "--kind", "stt", "--into", str(into))[0] == 0
    (into / "README.md").write_text("mine")
    status, out, err = new("acme", "--kind", "tts", "--into", str(into))
    assert (status, out) == (2, "")
    assert "is there already" in " ".join(err.replace("│", "").split())
    assert (into / "README.md").read_text() == "mine"
    assert not (into / "acme_exobridge" / "tts.py").exists()


def test_a_folder_that_cannot_be_made_is_2(tmp_path: Path) -> None:
    """In one line."""
    (tmp_path / "file").write_text("in the way")
    status, out, err = new("acme", "--kind", "stt", "--into", str(tmp_path / "file" / "acme"))
    assert (status, out) == (2, "")
    [line] = err.splitlines()
    assert "cannot be written" in line


def test_all_is_written_before_any_of_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that is gone after the first line leaves no half of a package."""

    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("typer.echo", closed)
    assert new("acme", "--kind", "stt", "--into", str(tmp_path / "acme"))[0] != 0
    for path in package_of("stt", "acme"):
        assert (tmp_path / "acme" / path).is_file()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Acme", "begins with a letter"),
        ("1st", "begins with a letter"),
        ("a--b", "single hyphens"),
        ("a_b", "single hyphens"),
        ("../a", "begins with a letter"),
        ("a" * 41, "40 at most"),
        ("deepgram", "built-in"),
    ],
)
def test_a_wrong_name_is_2(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written."""
    monkeypatch.chdir(tmp_path)
    status, _, err = new(name, "--kind", Kind.STT)
    assert status == 2
    assert words in " ".join(err.replace("│", "").split())
    assert list(tmp_path.iterdir()) == []
