"""Runs a module's tests on a copy of the source with one fault in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutations.mutation import Case, Module, MutationError, mutated

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("bridge", "codecs", "providers")
"""Folders on the import path: in the copy they go before the installed ones."""

COPIED = (*PACKAGES, "tests", "docs")
"""Some tests read the documents."""

LIMIT_S = 60.0
"""Longest run of one module's tests; a fault that makes them hang is noticed too."""

TREES = 2
"""Copies, each with a fault of its own at one time."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a fault was caught."""

    case: Case
    caught: bool


class Tree:
    """A copy of the source and its tests.

    Args:
        root: The project. Copied are ``COPIED`` and ``pyproject.toml``.
        folder: Where to, an empty folder.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder = folder
        leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")
        for name in COPIED:
            shutil.copytree(root / name, folder / name, ignore=leave)
        shutil.copy(root / "pyproject.toml", folder)

    def check(self, module: Module) -> None:
        """See that the tests of a module pass without a fault.

        Raises:
            MutationError: They do not.
        """
        if failure := self._failure(module):
            raise MutationError(f"{' '.join(module.tests)} fail without any mutation:\n{failure}")

    def judge(self, case: Case) -> Verdict:
        """Whether the tests notice a fault."""
        with self._fault(case):
            return Verdict(case, caught=bool(self._failure(case.module)))

    @contextmanager
    def _fault(self, case: Case) -> Generator[None, None, None]:
        file = self._folder / case.module.path
        source = file.read_text("utf-8")
        self._write(file, mutated(source, case))
        try:
            yield
        finally:
            self._write(file, source)

    @staticmethod
    def _write(file: Path, source: str) -> None:
        file.write_text(source, "utf-8")
        # Bytecode is told from its source by size and second: both may be those of the last fault.
        Path(cache_from_source(str(file))).unlink(missing_ok=True)

    def _failure(self, module: Module) -> str:
        """What the tests of a module say if they fail; empty if they pass."""
        path = [str(self._folder), *(str(self._folder / name) for name in PACKAGES)]
        pytest = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "--no-header"]
        try:
            done = subprocess.run(
                # The same examples every time: what is caught today is caught tomorrow.
                [*pytest, "-p", "no:cacheprovider", "--hypothesis-seed=0", *module.tests],
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=LIMIT_S,
                check=False,
                text=True,
            )
        except subprocess.TimeoutExpired:
            return f"longer than {LIMIT_S:g} s"
        return (done.stdout or f"status {done.returncode}") if done.returncode else ""


def run(cases: Sequence[Case], tell: Callable[[Verdict], None], root: Path = ROOT) -> list[Verdict]:
    """Judge every case, ``TREES`` at a time, and ``tell`` each verdict once it is there.

    Raises:
        MutationError: The run means nothing.
    """
    for case in cases:
        mutated((root / case.module.path).read_text("utf-8"), case)
    modules = list(dict.fromkeys(case.module for case in cases))
    with TemporaryDirectory(prefix="mutations-") as folder, ThreadPoolExecutor(TREES) as threads:
        trees: SimpleQueue[Tree] = SimpleQueue()
        for number in range(TREES):
            trees.put(Tree(root, Path(folder, str(number))))

        def check(module: Module) -> None:
            with _borrowed(trees) as tree:
                tree.check(module)

        def judge(case: Case) -> Verdict:
            with _borrowed(trees) as tree:
                verdict = tree.judge(case)
            tell(verdict)
            return verdict

        try:
            list(threads.map(check, modules))
            return list(threads.map(judge, cases))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


@contextmanager
def _borrowed(trees: SimpleQueue[Tree]) -> Generator[Tree, None, None]:
    tree = trees.get()
    try:
        yield tree
    finally:
        trees.put(tree)
