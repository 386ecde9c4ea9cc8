"""The image without Docker: the Dockerfile's own steps, in a folder of this machine.

Not what Docker does: the base image is this machine and its Python, paths that begin at the root
lie in the folder, and the user is whoever runs this.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.files import ROOT, Stage, dockerfile, in_context
from tests.deploy.processes import plain_environment, run

BUILD_SECONDS = 300
VENV = "/opt/exobridge"


@dataclass(frozen=True, slots=True)
class Image:
    """What was built.

    Attributes:
        root: Stands for the image's ``/``.
        stage: The Dockerfile's last stage.
    """

    root: Path
    stage: Stage

    @property
    def start(self) -> list[str]:
        """What a container runs."""
        entry, *rest = [*self.stage.command("ENTRYPOINT"), *self.stage.command("CMD")]
        return [str(self.root / VENV.strip("/") / "bin" / entry), *rest]

    def environment(self, **more: str) -> dict[str, str]:
        """A container's: the image's own over this machine's, and ``more`` over both."""
        base = plain_environment()
        expanded = {
            name: value.replace("$PATH", base["PATH"]).replace(VENV, f"{self.root}{VENV}")
            for name, value in self.stage.environment().items()
        }
        return {**base, **expanded, **more}


def build(root: Path) -> Image:
    """Do what the Dockerfile says: copy, run, keep the environment."""
    stage, last = dockerfile()
    source = root / stage.only("WORKDIR").strip("/")
    for names, target in stage.copied():
        _copy(names, source / target)
    for step in stage.all("RUN"):
        command = re.sub(r"^(--\S+ )+", "", step)
        done = run(
            ["sh", "-euc", command],
            cwd=source,
            env=plain_environment(
                PYTHON=sys.executable,
                VENV=f"{root}{stage.environment()['VENV']}",
                SPEECH=stage.argument("SPEECH"),
            ),
            limit=BUILD_SECONDS,
        )
        assert done.status == 0, f"{command}\n{done.text}"
    return Image(root, last)


def _copy(names: list[str], target: Path) -> None:
    """``COPY``: a folder's content goes into the target, files go below it."""
    for name in names:
        found = list(ROOT.glob(name))
        assert found, f"{name} is not there"
        for each in found:
            if each.is_dir():
                shutil.copytree(each, target, ignore=_ignored, dirs_exist_ok=True)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(each, target)


def _ignored(folder: str, names: list[str]) -> set[str]:
    here = Path(folder).relative_to(ROOT)
    return {name for name in names if not in_context(str(here / name))}
