"""Whom to dial in which attempt: first questions, repeated ones, and what follows a failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.connect import Contract
from exobridge.exotel.passthru import PassthruParams
from exobridge.templates.transfer import Found
from exobridge.transfer.attempts import Attempt, attempt, next_attempt
from exobridge.transfer.pending import Asked, Nobody, Pending
from tests.transfer.facts import ASHA, FIRST, JOHN, MEENA, RAVI, at

JSON, TEXT = Contract.JSON, Contract.TEXT


def asked(*attempts: Sequence[str]) -> tuple[Asked, ...]:
    """What was answered so far, half a minute apart."""
    return tuple(
        Asked(number, tuple(numbers), at(60 + 30 * number), again=False, parallel=0, reason="")
        for number, numbers in enumerate(attempts, start=1)
    )


def after(*attempts: Sequence[str]) -> Pending:
    """A transfer for which so much was answered."""
    return Pending(FIRST, "support", "", at(60), asked(*attempts))


def failed(whom: str = "", status: str = "busy") -> PassthruParams:
    """A question after an attempt that reached nobody."""
    return PassthruParams("c", dial_status=status, dial_whom=whom)


# ------------------------------------------------------------------ which attempt

LATER = at(3600)


def test_the_first_question_is_the_first_attempt() -> None:
    """Whatever Exotel still tells of an earlier transfer."""
    for params in (PassthruParams("c"), failed(ASHA), failed(), failed(ASHA, "completed")):
        assert next_attempt(after(), params, LATER) == 1


def test_the_same_question_is_the_same_attempt() -> None:
    """Exotel delivers again what it got no answer to."""
    assert next_attempt(after([ASHA]), PassthruParams("c"), LATER) == 1
    both = after([ASHA], [RAVI])
    assert next_attempt(both, failed("09811122233"), LATER) == 2


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled", "something"])
def test_a_failure_leads_to_the_next_attempt(status: str) -> None:
    """At once, where it says who was dialled."""
    assert next_attempt(after([ASHA]), failed("09811122233", status), at(90)) == 2
    assert next_attempt(after([ASHA], [RAVI]), failed(RAVI, status), LATER) == 3
    assert next_attempt(after([ASHA], [RAVI], [ASHA]), failed(ASHA, status), LATER) == 4


def test_who_was_reached_is_not_called_again() -> None:
    """``completed`` means a conversation."""
    assert next_attempt(after([ASHA]), failed(ASHA, "completed"), LATER) is Nobody.ANSWERED


def test_without_a_word_of_whom_the_time_tells() -> None:
    """Nobody is called and given up within two seconds."""
    for whom in ("", "null-ish", "agent"):
        assert next_attempt(after([ASHA]), failed(whom), at(91.9)) == 1
        assert next_attempt(after([ASHA]), failed(whom), at(92)) == 2


def test_a_number_we_never_named_is_another_failure() -> None:
    """Exotel dialled somebody, as its fallback URL says maybe."""
    assert next_attempt(after([ASHA], [RAVI]), failed(JOHN), LATER) == 3


def test_after_an_earlier_transfer_its_failure_may_be_told_again() -> None:
    """The same agents, named by what is left of the first transfer: the time tells."""
    second = replace(after([ASHA]), another=True)
    assert next_attempt(second, failed(ASHA), at(91)) == 1
    assert next_attempt(second, failed(ASHA), at(95)) == 2


# ------------------------------------------------------------------ whom

FOUR = Found(name="support", numbers=(ASHA, RAVI, MEENA, JOHN))
ALL = Attempt(FOUR.numbers)


def test_all_are_told_in_one_answer() -> None:
    """Exotel dials them in their order; it need not ask again. Who asks for text cannot be told
    to, however many attempts there may be."""
    assert attempt(FOUR, 1, (), contract=JSON) == ALL
    assert attempt(FOUR, 1, (), contract=TEXT) == ALL
    assert attempt(replace(FOUR, attempts=3), 1, (), contract=TEXT) == ALL


@pytest.mark.parametrize("contract", [JSON, TEXT])
def test_asked_again_those_are_told_that_were_not_tried(contract: Contract) -> None:
    """One after the other, until none is left."""
    history = asked(FOUR.numbers)
    assert attempt(FOUR, 2, history, contract=contract, dialled=ASHA).numbers == (RAVI, MEENA, JOHN)
    assert attempt(FOUR, 2, history, contract=contract, dialled=MEENA).numbers == (JOHN,)
    assert attempt(FOUR, 2, history, contract=contract, dialled=JOHN).numbers == ()
    rest = asked(FOUR.numbers, (RAVI, MEENA, JOHN))
    assert attempt(FOUR, 3, rest, contract=contract, dialled=RAVI).numbers == (MEENA, JOHN)
    assert attempt(FOUR, 2, history, contract=contract).numbers == (RAVI, MEENA, JOHN)
    nobody = asked(FOUR.numbers, ())
    assert attempt(FOUR, 3, nobody, contract=contract).numbers == ()


def test_rotation_begins_with_the_next_one_each_time() -> None:
    """Everybody comes first once in a round."""
    found = replace(FOUR, rotate=True)
    orders = [attempt(found, 1, (), contract=JSON, turn=turn).numbers for turn in range(1, 6)]
    assert [order[0] for order in orders] == [ASHA, RAVI, MEENA, JOHN, ASHA]
    assert all(sorted(order) == sorted(FOUR.numbers) for order in orders)
    assert orders[1] == (RAVI, MEENA, JOHN, ASHA)


def play(found: Found, turn: int = 1) -> list[Attempt]:
    """All the answers that a transfer is given, when nobody is ever reached."""
    told: list[Attempt] = []
    while not told or told[-1].numbers:
        history = asked(*(each.numbers for each in told))
        dialled = told[-1].numbers[-1] if told else None
        number = len(told) + 1
        told.append(attempt(found, number, history, contract=JSON, dialled=dialled, turn=turn))
    return told


def test_several_attempts_name_the_next_ones_each() -> None:
    """One at a time; the last is told as the last."""
    told = play(replace(FOUR, attempts=3))
    assert [each.numbers for each in told] == [(ASHA,), (RAVI,), (MEENA,), ()]
    assert [each.again for each in told] == [True, True, False, False]


def test_several_attempts_ring_in_parallel() -> None:
    """As many at once as the target says, round the list."""
    told = play(replace(FOUR, attempts=3, parallel=3))
    assert [each.numbers for each in told] == [
        (ASHA, RAVI, MEENA),
        (JOHN, ASHA, RAVI),
        (MEENA, JOHN, ASHA),
        (),
    ]


def test_after_the_last_comes_the_first_again() -> None:
    """Who was busy may be free."""
    told = play(replace(FOUR, numbers=(ASHA, RAVI), attempts=4))
    assert [each.numbers for each in told[:4]] == [(ASHA,), (RAVI,), (ASHA,), (RAVI,)]


@pytest.mark.parametrize("parallel", [0, 1, 2, 10])
def test_the_same_people_are_not_named_twice_in_a_row(parallel: int) -> None:
    """Exotel would end the attempts; we do, and have told it not to ask."""
    few = (ASHA, RAVI) if parallel > 1 else (ASHA,)
    told = play(Found(numbers=few, attempts=5, parallel=parallel))
    assert told == [Attempt(few), Attempt(())]


def test_a_rotated_transfer_keeps_its_beginning() -> None:
    """Others' calls meanwhile do not move it."""
    found = replace(FOUR, rotate=True, attempts=3)
    assert [each.numbers[:1] for each in play(found, turn=3)] == [(MEENA,), (JOHN,), (ASHA,), ()]
    history = asked([MEENA])
    assert attempt(found, 2, history, contract=JSON, turn=98).numbers == (JOHN,)


NUMBERS = st.lists(
    st.integers(0, 99_999).map(lambda n: f"+9198111{n:05}"), min_size=1, max_size=12, unique=True
)
FOUND = st.builds(
    Found,
    numbers=NUMBERS.map(tuple),
    rotate=st.booleans(),
    parallel=st.integers(0, 10),
    attempts=st.integers(1, 10),
)


@given(FOUND, st.integers(1, 1000))
def test_every_transfer_comes_to_an_end(found: Found, turn: int) -> None:
    """No set is told twice in a row, no more attempts are made than may be, and each answer but
    the last says that there is another where there is."""
    told = play(found, turn)
    spoken = [each for each in told if each.numbers]
    assert 1 <= len(spoken) <= found.attempts
    for one, two in pairwise(spoken):
        assert set(one.numbers) != set(two.numbers)
    assert [each.again for each in spoken] == [True] * (len(spoken) - 1) + [False]
    for each in spoken:
        assert len(set(each.numbers)) == len(each.numbers)
        assert set(each.numbers) <= set(found.numbers)


@given(FOUND, st.lists(NUMBERS), st.sampled_from([JSON, TEXT]), st.integers(1, 12))
def test_whatever_was_told_before_there_is_an_answer(
    found: Found, before: list[list[str]], contract: Contract, number: int
) -> None:
    """A template that was changed meanwhile too."""
    told = attempt(found, number, asked(*before), contract=contract, dialled=ASHA)
    assert len(set(told.numbers)) == len(told.numbers)
