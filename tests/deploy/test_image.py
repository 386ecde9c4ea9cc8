"""The Dockerfile, as far as it can be read; ``check_image`` runs its steps."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.deploy.files import DEPLOY, ROOT, assignments, dockerfile, in_context, pins

LOCKS = ("requirements.lock", "requirements-local.lock", "requirements-build.lock")


def test_what_is_copied_is_there_and_not_ignored() -> None:
    """A build from a fresh clone finds every file that it copies."""
    build, _ = dockerfile()
    sources = [source for names, _ in build.copied() for source in names]
    assert sources
    for source in sources:
        found = list(ROOT.glob(source))
        assert found, f"{source} is not there"
        for each in found:
            assert in_context(str(each.relative_to(ROOT))), f"{each} is ignored"


@pytest.mark.parametrize(
    "path", [".env", "deploy/.env", ".git/config", "data/x.sqlite3", "tests/x"]
)
def test_what_an_image_has_no_use_for_stays_out(path: str) -> None:
    """Secrets, data and history are not even sent to the builder."""
    assert not in_context(path)


def test_the_build_has_what_the_wheel_is_made_of() -> None:
    """The packages, the readme and the licence that pyproject.toml names are copied."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    build, _ = dockerfile()
    copied = {source for names, _ in build.copied() for source in names}
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named = {package.split("/")[0] for package in packages}
    named |= {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    assert named <= copied


def test_the_image_runs_as_nobody_special() -> None:
    """Its user has a fixed number, is not root, and owns the volume."""
    _, image = dockerfile()
    made = image.only("RUN")
    user = image.only("USER")
    number, _, group = user.partition(":")
    assert int(number) > 1000
    assert re.search(rf"groupadd --gid {group} ", made)
    assert re.search(rf"useradd --uid {number} --gid {group} ", made)
    assert f"install -d -o {number} -g {group} -m 700 " in made
    assert made.endswith(image.only("VOLUME"))
    assert image.environment()["EXOBRIDGE_DATA_DIR"] == image.only("VOLUME")


def test_the_image_can_be_reached_and_stopped() -> None:
    """It listens on every address of its network, and a stop is what drains the calls."""
    _, image = dockerfile()
    assert image.environment()["EXOBRIDGE_HOST"] == "0.0.0.0"
    assert image.only("STOPSIGNAL") == "SIGTERM"
    assert [*image.command("ENTRYPOINT"), *image.command("CMD")] == ["exobridge", "serve"]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_images_locks_are_part_of_the_projects(lock: str) -> None:
    """What is served is what was tested: the same versions with the same hashes."""
    ours, tested = pins(DEPLOY / lock), pins(ROOT / "requirements.lock")
    assert ours
    for pin, hashes in ours.items():
        found = [tested[other] for other in tested if _pinned(other) == _pinned(pin)]
        assert found == [hashes], pin


def test_the_locks_have_what_each_image_needs() -> None:
    """Both have the base; only one has the speech models; none has what tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    base = _names([*project["project"]["dependencies"], *extras["otel"]])
    local = _names(extras["local"])
    remote, both, build = (set(map(_name, pins(DEPLOY / lock))) for lock in LOCKS)
    assert base <= remote < both
    assert local <= both
    assert not local & remote
    assert "hatchling" in build
    assert not {"pytest", "mypy", "ruff", "hatchling"} & both


def test_the_locks_are_made_by_make_lock() -> None:
    """Whoever changes the dependencies renews all of them at once."""
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\nlock:")[1].split("\n\n")[0]
    assert set(re.findall(r"-o deploy/(\S+)", recipe)) == set(LOCKS)


def test_the_image_sets_nothing_but_settings() -> None:
    """A variable in the Dockerfile that exobridge does not read would be a setting that is not."""
    known = {name for name, _, _ in assignments(ROOT / ".env.example")}
    _, image = dockerfile()
    assert set(image.environment()) - known == {"PATH", "PYTHONUNBUFFERED"}


def _pinned(pin: str) -> str:
    """Without the machines it is for."""
    return pin.partition(";")[0].strip()


def _names(requirements: list[str]) -> set[str]:
    return set(map(_name, requirements))


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9-]", requirement)[0]
