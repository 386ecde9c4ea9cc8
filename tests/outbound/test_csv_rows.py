"""Lists of people to call, as spreadsheets and scripts write them."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exobridge.outbound.csv_results import defused, header, pieces
from exobridge.outbound.csv_rows import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROW_BYTES,
    RESULT_COLUMNS,
    SheetError,
    open_sheet,
)

PLAIN = "number,name\r\n09876543210,Asha\r\n+919876543211,\r\n"


def cells(source: bytes | str) -> list[tuple[str, ...]]:
    """Of each row that can be used."""
    sheet = open_sheet(source.encode() if isinstance(source, str) else source)
    return [row.cells for row in sheet.rows() if not row.problem]


@pytest.mark.parametrize(
    "source",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\r\n", "\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.removesuffix("\r\n").encode(),
        b'"number","name"\n"09876543210","Asha"\n\n"+919876543211",""\n,\n',
        b"Number ,name,,\n09876543210,Asha,,\n+919876543211,,,\n",
    ],
)
def test_a_list_is_read_however_it_is_written(source: bytes) -> None:
    """Marks, line ends, separators, quotes, empty rows and empty columns make no difference."""
    assert cells(source) == [("09876543210", "Asha"), ("+919876543211", "")]
    assert open_sheet(source).columns == ("number", "name")


def test_a_cell_holds_separators_quotes_and_lines() -> None:
    """What stands in quotes is the cell's, and the next row's line is counted behind it."""
    sheet = open_sheet(b'name,phone\n"a, ""b""\nc",09876543210\nd,09876543211\n')
    rows = list(sheet.rows())
    assert sheet.number_at == 1
    assert [(row.number, row.line, row.cells[0]) for row in rows] == [
        (1, 2, 'a, "b"\nc'),
        (2, 4, "d"),
    ]


@pytest.mark.parametrize(
    ("source", "problem", "line"),
    [
        (b"", "the list is empty", 0),
        (b"\n\n", "the list is empty", 0),
        (b"number\n", "the list has no rows", 0),
        ("number\n1\n".encode("utf-16"), "UTF-16", 0),
        ("number\n1\n".encode("utf-16-le"), "UTF-16", 0),
        (b"number,name\n1,\xe9\n", "not written in UTF-8", 2),
        (b"name,city\na,b\n", "no column is called number", 1),
        (b"number,phone\n1,2\n", "both hold the number", 1),
        (b"number,name,name\n1,a,b\n", "two columns are called name", 1),
        (b"number,First Name\n1,a\n", "column 2 is none of a variable", 1),
        (b"number,outcome\n1,a\n", "one of the results", 1),
        (b"number,,name\n1,,a\n", "column 2 is none of a variable", 1),
        (b'number,name\n1,"a\n2,b\n', "a quote is not closed", 2),
        (b'number,name\n1,"a"b\n', "behind a closing quote", 2),
        (b"number,name\r1,a\r", "carriage return alone", 1),
        (b"number,name\n1,a\rb\n", "carriage return alone", 2),
        (b"number,name\n1," + b"a" * MAX_ROW_BYTES, "longer than", 2),
        (b'number,name\n1,"a\n' + b"b\n" * 40_000, "longer than", 32_768),
        (b"number" + b",a" * MAX_COLUMNS, "more than 50 columns", 1),
        (b"x" * (MAX_BYTES + 1), "larger than", 0),
    ],
)
def test_what_is_no_list_is_told(source: bytes, problem: str, line: int) -> None:
    """It is said what is wrong, and in which line."""
    with pytest.raises(SheetError, match=problem) as caught:
        cells(source)
    assert caught.value.line == line


def test_a_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row too many, and it is refused."""
    monkeypatch.setattr("exobridge.outbound.csv_rows.MAX_ROWS", 3)
    assert len(cells("number\n" + "1\n" * 3)) == 3
    with pytest.raises(SheetError, match="more than 3 rows"):
        cells("number\n" + "1\n" * 4)


def test_only_a_row_is_bounded_not_all_of_them() -> None:
    """A list is far longer than the longest row."""
    assert len(cells("number,name\n" + f"1,{'a' * 1000}\n" * 100)) == 100


def test_a_row_of_another_length_is_told() -> None:
    """Each cell too few or too many is a fault of its row, and the others are read."""
    rows = list(open_sheet(b"number,name\n1\n2,b\n3,c,d\n").rows())
    assert [row.problem for row in rows] == [
        "it has 1 cells, and the header has 2",
        "",
        "it has 3 cells, and the header has 2",
    ]
    assert {len(row.cells) for row in rows} == {2}


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_list_or_told_to_be_none(source: bytes) -> None:
    """Whatever comes is read or refused, and no refusal is of another kind."""
    with suppress(SheetError):
        cells(b"number,name\n" + source)
    with suppress(SheetError):
        cells(source)


TEXT = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=10), st.sampled_from(",;\t"))
@settings(max_examples=60, deadline=None)
def test_what_a_writer_wrote_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    """Cells come back as they were written, in any separator."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([("number", "name"), *rows])
    source = text.getvalue()
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    if not kept:
        with pytest.raises(SheetError, match="no rows"):
            cells(source)
    else:
        assert cells(source) == kept


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@sum(a1)", "'@sum(a1)"),
        ("+cmd|' /c calc'!a0", "'+cmd|' /c calc'!a0"),
        ("-2+cmd", "'-2+cmd"),
        ("\t=1", "'\t=1"),
        ("+919876543210", "+919876543210"),
        ("-5", "-5"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_of_the_results_is_a_formula(cell: str, shown: str) -> None:
    """A spreadsheet shows what stands there, and works nothing out; numbers stay numbers."""
    assert defused(cell) == shown


def test_results_are_read_back_as_they_were() -> None:
    """The header has the list's columns and the results'; each cell is found again."""
    rows = [
        ["+919876543210", f'a, "{at}"\nb', "busy", 1, None, "", "", 0, ""] for at in range(1200)
    ]
    text = header(["number", "name"]) + "".join(pieces(rows))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["number", "name", *RESULT_COLUMNS]
    assert read[1:] == [["" if cell is None else str(cell) for cell in row] for row in rows]
