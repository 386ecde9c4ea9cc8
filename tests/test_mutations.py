"""The faults of ``make mutants``, and what runs them."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutations.catalogue import MODULES
from tests.mutations.mutation import Case, Module, Mutation, MutationError, mutated
from tests.mutations.runner import COPIED, ROOT, Verdict, run

CASES = [Case(module, mutation) for module in MODULES for mutation in module.mutations]

CAUGHT = Mutation("return 1 + number", "return 1 - number", "counts down")
SURVIVES = Mutation("return 2 * number", "return 3 * number", "trebles")
TOY = Module("codecs/toy.py", ("tests/test_toy.py",), (CAUGHT, SURVIVES))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a module of which one function is tested."""
    for name in COPIED:
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / TOY.path).write_text(
        "def more(number: int) -> int:\n    return 1 + number\n\n\n"
        "def double(number: int) -> int:\n    return 2 * number\n"
    )
    (tmp_path / TOY.tests[0]).write_text(
        "from toy import double, more\n\n\n"
        "def test_more() -> None:\n    assert more(2) == 3\n    assert double(0) == 0\n"
    )
    return tmp_path


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.path)
def test_the_faults_of_a_module_still_apply(module: Module) -> None:
    """The text of each stands there once, and what comes of it is Python."""
    source = (ROOT / module.path).read_text("utf-8")
    for mutation in module.mutations:
        case = Case(module, mutation)
        ast.parse(mutated(source, case), filename=case.title)


def test_faults_are_told_apart() -> None:
    """By their module and their harm."""
    assert [
        title for title, count in Counter(case.title for case in CASES).items() if count > 1
    ] == []


def test_faults_that_are_caught_and_that_survive(root: Path) -> None:
    """Each is told, and the source is as it was."""
    before = (root / TOY.path).read_text()
    told: list[Verdict] = []
    cases = [Case(TOY, CAUGHT), Case(TOY, SURVIVES)]
    verdicts = run(cases, told.append, root)
    assert verdicts == [Verdict(cases[0], caught=True), Verdict(cases[1], caught=False)]
    assert sorted(told, key=lambda verdict: verdict.caught) == verdicts[::-1]
    assert (root / TOY.path).read_text() == before


def test_a_run_whose_tests_fail_by_themselves_means_nothing(root: Path) -> None:
    """Or every fault would count as caught; the tests' own words are told."""
    (root / TOY.tests[0]).write_text("def test_broken() -> None:\n    assert not 'broken'\n")
    with pytest.raises(MutationError, match="without any mutation") as raised:
        run([Case(TOY, CAUGHT)], print, root)
    assert "test_broken" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("return 5", "return 6", "found 0 times"),
        ("number: int", "number: float", "found 2 times"),
        ("return 1 + number", "return 1 + number", "changes nothing"),
    ],
)
def test_a_fault_that_does_not_apply_ends_the_run(
    root: Path, old: str, new: str, problem: str
) -> None:
    """Before anything is run."""
    case = Case(TOY, replace(CAUGHT, old=old, new=new))
    with pytest.raises(MutationError, match=problem):
        run([case], print, root)
