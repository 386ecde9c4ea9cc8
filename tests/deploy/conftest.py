"""What the checks that run things share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.deploy.built import Image, build
from tests.deploy.processes import run


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile's steps leave, built once."""
    return build(tmp_path_factory.mktemp("image"))


def tool(name: str) -> str:
    """The path of a program that a check needs; without it the check fails in CI, and is skipped
    elsewhere."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"{name} is not on this machine")
    assert found is not None, f"{name} is not on this machine"
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``cert.pem`` and ``key.pem`` for localhost."""
    folder = tmp_path_factory.mktemp("certificate")
    made = run(
        [
            *(tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ]
    )
    assert made.status == 0, made.text
    return folder
