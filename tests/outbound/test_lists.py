"""A list becomes dials, or it is told why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exobridge.outbound.lists import BatchRefusedError, BatchWish, Fault, plan
from exobridge.outbound.models import DialRefusedError, DialRequest, NewDial, RetryPolicy, Wish

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def judge(wish: Wish) -> NewDial:
    """Takes numbers of ten digits, and any template but ``none``."""
    if wish.template == "broken":
        raise DialRefusedError("no-credentials", "Set them.")
    if wish.template == "none":
        raise DialRefusedError("unknown-template", "There is no such template.", "template")
    if len(wish.number) != 10:
        raise DialRefusedError("bad-number", "It is no phone number.", "number")
    request = DialRequest(
        template=wish.template or "default",
        caller_id=wish.caller_id,
        variables=wish.variables,
        policy=RetryPolicy(patience=60.0),
    )
    return NewDial(wish.number, f"+91{wish.number}", request, NOW, NOW + timedelta(seconds=60))


def test_a_row_says_what_the_batch_does_not() -> None:
    """Template and caller of a row go before the batch's; other columns are variables, and an
    empty cell is none."""
    source = b"name,number,template,caller_id\nAsha,9876543210,sales,\n,9876543211,,08047112244\n"
    planned = plan(BatchWish(source, template="all", caller_id="08047112233"), judge, NOW)
    first, second = (row.dial.request for row in planned.rows)
    assert (first.template, first.caller_id) == ("sales", "08047112233")
    assert (second.template, second.caller_id) == ("all", "08047112244")
    assert [dict(each.variables) for each in (first, second)] == [{"name": "Asha"}, {}]
    assert [row.dial.row for row in planned.rows] == [1, 2]
    assert planned.rows[0].cells == ("Asha", "9876543210", "sales", "")


BAD = b"""number,template
9876543210,
987654321,
9876543210,
,
 ,none
9.87654E+10,
9876543211,none
9876543212,,x
"""
FAULTS = (
    Fault(3, "number", "It is no phone number."),
    Fault(4, "number", "the number is that of line 2 already"),
    Fault(6, "number", "the number is missing"),
    Fault(
        7,
        "number",
        "A spreadsheet has rounded the number: format the column as text, and write it anew.",
    ),
    Fault(8, "template", "There is no such template."),
    Fault(9, "", "it has 3 cells, and the header has 2"),
)


def test_every_row_that_is_wrong_is_told_and_nobody_is_called() -> None:
    """Line, column and cause of each stand in the refusal, and none is accepted."""
    with pytest.raises(BatchRefusedError) as caught:
        plan(BatchWish(BAD), judge, NOW)
    assert caught.value.faults == FAULTS
    assert (caught.value.kind, caught.value.count) == ("bad-rows", 6)


def test_bad_rows_can_be_skipped() -> None:
    """The others are called, and those that cannot be stand among them with the cause."""
    planned = plan(BatchWish(BAD, skip_bad_rows=True), judge, NOW)
    assert [row.dial.error for row in planned.rows] == [
        "",
        *(f"{each.column}: {each.problem}" if each.column else each.problem for each in FAULTS),
    ]
    assert planned.bad_rows == 6
    # A row that is another's again is found with it, when somebody's data is erased.
    assert planned.rows[2].dial.number == planned.rows[0].dial.number
    with pytest.raises(BatchRefusedError, match="No row can be called"):
        plan(BatchWish(b"number\n1\n", skip_bad_rows=True), judge, NOW)


def test_no_more_than_twenty_faults_are_shown() -> None:
    """All are counted."""
    with pytest.raises(BatchRefusedError) as caught:
        plan(BatchWish(b"number\n" + b"1\n" * 70), judge, NOW)
    assert (len(caught.value.faults), caught.value.count) == (20, 70)


def test_what_is_not_the_rows_fault_is_told_once() -> None:
    """A server that cannot call at all refuses the list, not its rows."""
    with pytest.raises(BatchRefusedError) as caught:
        plan(BatchWish(b"number\n1\n", template="broken", skip_bad_rows=True), judge, NOW)
    assert (caught.value.kind, caught.value.faults) == ("no-credentials", ())


def test_a_long_list_is_waited_for_longer() -> None:
    """Its rows are not given up before their turn can come, in half of each day's hours."""
    planned = plan(BatchWish(b"number\n9876543210\n", calls_per_minute=2), judge, NOW)
    assert planned.rows[0].dial.give_up_at == NOW + timedelta(seconds=60 + 60)


def test_a_list_with_few_calls_at_once_is_waited_for_longer() -> None:
    """Its calls take longer than its pace: ten rows, two at a time, three minutes each."""
    source = b"number\n" + b"".join(b"987654321%d\n" % n for n in range(10))
    planned = plan(BatchWish(source, calls_at_once=2, calls_per_minute=200), judge, NOW)
    assert {row.dial.give_up_at - NOW for row in planned.rows} == {timedelta(seconds=60 + 1800)}


def test_who_is_called_again_is_waited_for_as_long() -> None:
    """Its next turn is behind all others of the list, and it is not given up before."""
    planned = plan(BatchWish(b"number\n9876543210\n", calls_per_minute=2), judge, NOW)
    (row,) = planned.rows
    patience = row.dial.request.policy.patience
    assert row.dial.due_at + timedelta(seconds=patience) == row.dial.give_up_at
