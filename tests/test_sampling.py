"""What is run of the costly tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sampling import COSTLY, WHOLE, Part

TESTS = Path(__file__).parent


@pytest.mark.parametrize("path", COSTLY)
def test_a_costly_module_is_there(path: str) -> None:
    """One that is renamed must not be run whole unnoticed."""
    assert (TESTS.parent / path).is_file()


def test_the_parts_hold_each_test_once() -> None:
    """And about as many of them each."""
    names = [f"tests/test_it.py::test_{number}" for number in range(300)]
    parts = [Part(number, 3) for number in (1, 2, 3)]
    held = [[name for name in names if part.holds(name)] for part in parts]
    assert sorted(name for part in held for name in part) == sorted(names)
    assert all(80 <= len(part) <= 120 for part in held)
    assert all(WHOLE.holds(name) for name in names)


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "a/b", "1/3 "])
def test_what_is_no_part_is_refused(text: str) -> None:
    """With what would be one."""
    with pytest.raises(ValueError, match="2/3"):
        Part.read(text)
