"""The ``Range`` header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.web.ranges import UnsatisfiableError, read_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-499", (0, 500)),
        ("bytes=500-", (500, 1000)),
        ("bytes=-1", (999, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=990-5000", (990, 1000)),
        ("Bytes = 1-2", (1, 3)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=١-٢", None),
        ("bytes=0-" + "9" * 30, None),
    ],
)
def test_one_range_is_given_and_what_cannot_be_read_is_passed_over(
    header: str, part: tuple[int, int] | None
) -> None:
    """``None`` is the whole, of 1000 bytes."""
    assert read_range(header, 1000) == part


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=1000-", 1000), ("bytes=-0", 9), ("bytes=0-", 0)]
)
def test_nothing_of_it_is_there(header: str, size: int) -> None:
    """That is told, not passed over."""
    with pytest.raises(UnsatisfiableError):
        read_range(header, size)


@given(st.text(alphabet="bytes=0123456789-, \tx", max_size=30), st.integers(0, 10**12))
def test_whatever_is_asked_for_a_part_lies_within(header: str, size: int) -> None:
    """No header fails in another way, and none gives an empty part."""
    try:
        part = read_range(header, size)
    except UnsatisfiableError:
        return
    assert part is None or 0 <= part[0] < part[1] <= size
