"""A provider's package from outside the tree, installed as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "example_provider"

USE = """
import asyncio
from exobridge_codecs.tones import dtmf
from exobridge_providers.registry import Kind, create, names
from exobridge_providers.testing.contract import check_stt

async def main():
    print(names(Kind.STT))
    provider = create(Kind.STT, "acme", {"loud_dbfs": -30})
    await provider.start()
    print(await check_stt(provider, dtmf("123", 8000), "ta-IN"))
    await provider.aclose()

asyncio.run(main())
"""


def _run(*arguments: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_an_installed_package_is_a_provider_by_its_entry_point(tmp_path: Path) -> None:
    """``pip install`` is all it takes: it is listed, made with its options, and keeps the
    contract. Nothing is fetched from a network."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    _run(*pip, *offline, "--target", str(installed), str(source))
    path = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH", "")]))
    listed, heard = _run("-W", "error", "-c", USE, PYTHONPATH=path).splitlines()
    assert "'acme'" in listed
    assert "'moonshine'" in listed
    assert heard == "3 beeps"
