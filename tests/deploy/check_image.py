"""The image's steps are run on this machine, and what they leave is started as a container is."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from tests.deploy.built import VENV, Image
from tests.deploy.files import DEPLOY
from tests.deploy.processes import free_port, run, running, until

READY_SECONDS = 90


def test_the_image_serves_with_local_speech_and_stops(image: Image, tmp_path: Path) -> None:
    """Started as it stands it becomes ready; its health check says yes, and no once it is gone."""
    port = free_port()
    env = image.environment(EXOBRIDGE_DATA_DIR=str(tmp_path), EXOBRIDGE_PORT=str(port))
    log = tmp_path / "log"
    check = image.stage.command("HEALTHCHECK")
    with running(image.start, log, env=env, cwd=tmp_path) as process:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text("utf-8")
            try:
                return httpx.get(
                    f"http://127.0.0.1:{port}/health/ready", trust_env=False
                ).is_success
            except httpx.HTTPError:
                return False

        until(is_ready, lambda: log.read_text("utf-8"), READY_SECONDS)
        assert run(check, env=env, cwd=tmp_path).status == 0
        process.send_signal(signal.Signals[image.stage.only("STOPSIGNAL")])
        assert process.wait(15) == 0, log.read_text("utf-8")
    assert run(check, env=env, cwd=tmp_path).status == 1


def test_the_image_has_no_tools_of_the_project(image: Image) -> None:
    """Neither the tests' packages nor the builder are where calls are answered."""
    packages = image.root / VENV.strip("/") / "lib"
    names = {
        found.name.split("-")[0] for found in packages.glob("python*/site-packages/*.dist-info")
    }
    assert "exobridge" in names
    assert not {"pytest", "mypy", "hatchling", "uv"} & names


def test_the_installer_says_how_it_is_used(tmp_path: Path) -> None:
    """A word that it does not know is refused before anything is made."""
    for arguments in ([], [str(tmp_path / "venv"), "hindi"]):
        done = run([str(DEPLOY / "install"), *arguments])
        assert done.status == 2
        assert "usage:" in done.text
    assert not (tmp_path / "venv").exists()
