"""The results of a batch as CSV: the list that was handed in, and what became of each row. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from exobridge.outbound.csv_rows import RESULT_COLUMNS

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9][0-9 ().,-]*", re.ASCII)
_ROWS_TOGETHER = 500


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: ``'=1+1`` in place of ``=1+1``. Numbers, also
    those of telephones, stay as they are."""
    if cell.startswith(_FORMULA) and not _PLAIN_NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def header(columns: Sequence[str]) -> str:
    """The first line."""
    return _written([[*columns, *RESULT_COLUMNS]])


def pieces(rows: Iterable[Sequence[str | int | None]]) -> Iterator[str]:
    """The lines of rows, many in one piece; each has its list's cells and the results'."""
    few: list[Sequence[str | int | None]] = []
    for row in rows:
        few.append(row)
        if len(few) == _ROWS_TOGETHER:
            yield _written(few)
            few = []
    if few:
        yield _written(few)


def _written(rows: Iterable[Sequence[str | int | None]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow(["" if cell is None else defused(str(cell)) for cell in row])
    return text.getvalue()
