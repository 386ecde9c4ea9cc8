"""Faults in lists of people: how they are read, what is called of them, and what is told."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_ROWS = Module(
    "bridge/exobridge/outbound/csv_rows.py",
    ("tests/outbound/test_csv_rows.py",),
    (
        Mutation("if number > MAX_ROWS:", "if number > MAX_ROWS + 1:", "a list is a row too long"),
        Mutation(
            "if self._bytes > MAX_ROW_BYTES:",
            "if len(raw) > MAX_ROW_BYTES:",
            "a quote that is not closed takes the whole file for a cell",
        ),
        Mutation(
            "len(cells) < wanted or any(cell.strip() for cell in cells[wanted:])",
            "len(cells) < wanted",
            "a comma too many shifts the cells, and nobody is told",
        ),
        Mutation("if len(found) > 1:", "if len(found) > 9:", "one of two numbers is taken"),
        Mutation(
            "if columns.count(name) > 1:", "if columns.count(name) > 2:", "a variable is lost"
        ),
        Mutation("line, self._bytes = self._line + 1, 0", "line = self._line + 1", "rows add up"),
        Mutation("strict=True)\n\n    def row", "strict=False)\n\n    def row", "bad quotes pass"),
    ),
)

_RESULTS = Module(
    "bridge/exobridge/outbound/csv_results.py",
    ("tests/outbound/test_csv_rows.py",),
    (
        Mutation(
            '("=", "+", "-", "@", "\\t", "\\r")', '("=", "-", "@", "\\t", "\\r")', "+cmd runs"
        ),
        Mutation(
            "and not _PLAIN_NUMBER.fullmatch(cell)", "", "a telephone number is no number any more"
        ),
        Mutation("if few:\n        yield", "if not few:\n        yield", "the last rows are lost"),
    ),
)

_LISTS = Module(
    "bridge/exobridge/outbound/lists.py",
    ("tests/outbound/test_lists.py",),
    (
        Mutation(
            "isinstance(found, NewDial) and found.number in lines",
            "isinstance(found, NewDial) and row.cells[0] in lines",
            "somebody is called twice who stands twice in the list",
        ),
        Mutation(
            "if bad and not wish.skip_bad_rows:",
            "if bad and wish.skip_bad_rows:",
            "a list with a wrong row is called",
        ),
        Mutation(
            'cells.get("template") or wish.template',
            'wish.template or cells.get("template", "")',
            "a row's own template is not taken",
        ),
        Mutation(
            "if cell and name not in others", "if name not in others", "empty cells are variables"
        ),
        Mutation(
            "if not error.field:",
            "if False:",
            "what the server lacks is told for each row",
        ),
        Mutation("seconds=2 * rows", "seconds=0 * rows", "a long list is given up"),
        Mutation(
            "few, bad = tuple(faults[:SHOWN_FAULTS]), len(faults)",
            "few, bad = tuple(faults[:SHOWN_FAULTS]), len(faults[:SHOWN_FAULTS])",
            "not all faults are counted",
        ),
    ),
)

MODULES = (_ROWS, _RESULTS, _LISTS)
