"""systemd reads the unit, and says how well it is locked in."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.built import VENV, Image
from tests.deploy.conftest import tool
from tests.deploy.files import DEPLOY
from tests.deploy.processes import run

MOST_EXPOSURE = 20
"""Tenths, of 100: 2.0 is well within what systemd calls OK."""


def test_systemd_understands_the_unit(image: Image, tmp_path: Path) -> None:
    """Every key is known, and what it starts can be executed."""
    unit = _unit(image, tmp_path)
    done = run([tool("systemd-analyze"), "verify", str(unit)])
    assert done.status == 0, done.text
    assert not done.text.strip()


def test_the_unit_is_locked_in(image: Image, tmp_path: Path) -> None:
    """A flaw in a provider reaches the network and the data directory, and little else."""
    options = ["--offline=true", f"--threshold={MOST_EXPOSURE}"]
    done = run([tool("systemd-analyze"), "security", *options, str(_unit(image, tmp_path))])
    assert done.status == 0, done.text


def _unit(image: Image, folder: Path) -> Path:
    text = (DEPLOY / "exobridge.service").read_text("utf-8")
    unit = folder / "exobridge.service"
    unit.write_text(text.replace(f"={VENV}/bin", f"={image.root}{VENV}/bin"), "utf-8")
    return unit
