"""Figures as tables, for a terminal and for a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a table: its name, its heading, and how it is written."""

    key: str
    heading: str
    form: str = ".1f"

    def text(self, figures: dict[str, float]) -> str:
        """The figure, or nothing where there is none."""
        value = figures.get(self.key, math.nan)
        return "" if math.isnan(value) else format(value, self.form)


Line = tuple[str, dict[str, float]]
"""What a line of a table is about, and its figures."""


def plain(title: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    """For a terminal."""
    rows = [[title, *(column.heading for column in columns)]]
    rows += [[name, *(column.text(figures) for column in columns)] for name, figures in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])],
        ).rstrip()
        for row in rows
    )


def markdown(title: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    """For a page."""
    rows = [[title, *(column.heading for column in columns)], ["---", *("---:" for _ in columns)]]
    rows += [[name, *(column.text(figures) for column in columns)] for name, figures in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
