"""The three packages are importable by one name each."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_folders_above_the_packages_are_no_packages() -> None:
    """A root ``codecs/__init__.py`` would shadow the standard library's module of that name."""
    for folder in ("bridge", "codecs", "providers"):
        assert not (ROOT / folder / "__init__.py").exists()


def test_tests_are_a_package() -> None:
    """Benchmarks are run with ``python -m tests.benchmarks``."""
    assert (ROOT / "tests" / "__init__.py").exists()
