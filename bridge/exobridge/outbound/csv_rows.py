"""A list of people to call, as CSV (RFC 4180): its columns, and its rows one after the other. Pure.

UTF-8, with or without a byte order mark; the columns parted by ``,``, ``;`` or tabs. What stands in
a column, and whether it can be called, others judge.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from exobridge.errors import ExobridgeError
from exobridge.templates.checks import is_variable_name

MAX_ROWS = 50_000
MAX_ROW_BYTES = 65_536
MAX_BYTES = 16 * 1024 * 1024
MAX_COLUMNS = 50

NUMBER_COLUMNS = ("number", "phone", "mobile")
"""What the column of the number may be called, in letters of any case."""

RESULT_COLUMNS = ("outcome", "attempts", "call_sid", "called_at", "answered_at", "seconds", "error")
"""What the results have beside the columns of the list, which has none of these names."""

_DELIMITERS = (",", ";", "\t")
_OPTIONS = ("template", "caller_id")
_BOM = b"\xef\xbb\xbf"


class SheetError(ExobridgeError):
    """A list that cannot be read at all.

    Args:
        line: Where, from 1; 0: as a whole.
        problem: What is wrong, without anything that stands in a row.
    """

    def __init__(self, problem: str, line: int = 0) -> None:
        self.line, self.problem = line, problem
        super().__init__(f"line {line}: {problem}" if line else problem)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row.

    Attributes:
        number: From 1, the header and empty rows not counted.
        line: Where it begins in the file, from 1.
        cells: As they are written, one for each column.
        problem: Why it cannot be used; empty: it has a cell for each column.
    """

    number: int
    line: int
    cells: tuple[str, ...] = field(repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list whose header has been read.

    Attributes:
        columns: Their names, in order.
        number_at: Which of them holds the number.
    """

    columns: tuple[str, ...]
    number_at: int
    _reader: _Reader = field(repr=False)

    def rows(self) -> Iterator[SheetRow]:
        """The rows, once. Empty ones are passed over.

        Raises:
            SheetError: What follows cannot be read, or is too much.
        """
        number = 0
        while (found := self._reader.row()) is not None:
            line, cells = found
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if number > MAX_ROWS:
                raise SheetError(f"the list has more than {MAX_ROWS} rows", line)
            problem = self._problem(cells)
            yield SheetRow(number, line, self._fitted(cells), problem)
        if not number:
            raise SheetError("the list has no rows")

    def _problem(self, cells: list[str]) -> str:
        wanted = len(self.columns)
        if len(cells) < wanted or any(cell.strip() for cell in cells[wanted:]):
            return f"it has {len(cells)} cells, and the header has {wanted}"
        return ""

    def _fitted(self, cells: list[str]) -> tuple[str, ...]:
        missing = len(self.columns) - len(cells)
        return (*cells[: len(self.columns)], *[""] * missing)


def open_sheet(source: bytes) -> Sheet:
    """Read the header of a list.

    Raises:
        SheetError: It is no CSV in UTF-8, too long, or its header cannot be used.
    """
    if len(source) > MAX_BYTES:
        raise SheetError(f"the list is larger than {MAX_BYTES} bytes")
    if source.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in source[:4]:
        raise SheetError("the list is written in UTF-16; save it as CSV in UTF-8")
    source = source.removeprefix(_BOM)
    reader = _Reader(source, _delimiter(source))
    header = reader.row()
    if header is None:
        raise SheetError("the list is empty; its first line names the columns, one is number")
    columns = _columns(header[1])
    return Sheet(columns, _number_at(columns), reader)


def _delimiter(source: bytes) -> str:
    """Of the header's line, the one that finds the number's column."""
    line = source.partition(b"\n")[0][:MAX_ROW_BYTES].decode("utf-8", "replace")
    names = [[name.strip(' \r"').casefold() for name in line.split(each)] for each in _DELIMITERS]
    has_number = [any(name in NUMBER_COLUMNS for name in found) for found in names]
    widest = max(range(len(_DELIMITERS)), key=lambda at: (has_number[at], len(names[at])))
    return _DELIMITERS[widest]


def _columns(cells: list[str]) -> tuple[str, ...]:
    while cells and not cells[-1].strip():  # a spreadsheet's empty columns at the right
        cells = cells[:-1]
    if len(cells) > MAX_COLUMNS:
        raise SheetError(f"the list has more than {MAX_COLUMNS} columns", 1)
    columns = tuple(_column(at, cell.strip()) for at, cell in enumerate(cells, 1))
    for name in columns:
        if columns.count(name) > 1:
            raise SheetError(f"two columns are called {name}", 1)
    return columns


def _column(at: int, name: str) -> str:
    if name.casefold() in (*NUMBER_COLUMNS, *_OPTIONS):
        return name.casefold()
    if name in RESULT_COLUMNS:
        raise SheetError(f"column {at} is called {name}, as one of the results; rename it", 1)
    if not is_variable_name(name):
        raise SheetError(
            f"the name of column {at} is none of a variable; use lower-case letters, digits and _, "
            "and no name that a call has by itself",
            1,
        )
    return name


def _number_at(columns: tuple[str, ...]) -> int:
    found = [at for at, name in enumerate(columns) if name in NUMBER_COLUMNS]
    if not found:
        raise SheetError("no column is called number; the first line names the columns", 1)
    if len(found) > 1:
        both = " and ".join(columns[at] for at in found)
        raise SheetError(f"the columns {both} both hold the number to call; keep one", 1)
    return found[0]


class _Reader:
    """Rows of cells, none of which takes more than its share of memory."""

    def __init__(self, source: bytes, delimiter: str) -> None:
        self._lines = io.BytesIO(source)
        self._line = 0
        self._bytes = 0
        self._csv = csv.reader(self._decoded(), delimiter=delimiter, strict=True)

    def row(self) -> tuple[int, list[str]] | None:
        """The next row that is not empty, with its first line's number."""
        while True:
            line, self._bytes = self._line + 1, 0
            try:
                cells = next(self._csv, None)
            except csv.Error as error:
                raise SheetError(_why(error), line) from None
            if cells is None:
                return None
            if cells:
                return line, cells

    def _decoded(self) -> Iterator[str]:
        for raw in self._lines:
            self._line += 1
            self._bytes += len(raw)
            if self._bytes > MAX_ROW_BYTES:
                problem = f"a row is longer than {MAX_ROW_BYTES} bytes, or a quote is not closed"
                raise SheetError(problem, self._line)
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError:
                problem = "it is not written in UTF-8; save the list as CSV in UTF-8"
                raise SheetError(problem, self._line) from None


def _why(error: csv.Error) -> str:
    """In words that quote nothing of the row."""
    if "new-line" in str(error):
        return "its lines end in a carriage return alone; save the list with ordinary line ends"
    if "expected after" in str(error):
        return 'something stands behind a closing quote; write a quote inside a cell as ""'
    return "a quote is not closed, or the row cannot be read"
