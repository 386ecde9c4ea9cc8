"""``[transfer]``: whom a target means, what may be dialled, and what is refused."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from exobridge.numbers import normalise
from exobridge.templates import Template
from exobridge.templates.transfer import MAX_NUMBERS, Found, TransferTable
from exobridge.validation import problems
from tests.test_docs_pages import blocks, page

ASHA, RAVI, MEENA = "+919811122233", "+919811122244", "+919811122255"
ABROAD = "+14155552671"
DEAR = ("+911861123456789", "+9118603451234")
"""Premium rate, and shared cost."""
NIGHT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
"""A Tuesday, 01:30 in India."""
NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""A Monday, 12:00 in India."""
OFFICE = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def table(**keys: Any) -> TransferTable:
    """A ``[transfer]`` as a template's file has it."""
    return Template.model_validate({"transfer": keys}).transfer


def test_a_name_means_its_numbers() -> None:
    """In E.164 whatever way they were written, with how they are to be rung."""
    support = {"numbers": ["098111 22233", RAVI], "order": "rotate", "parallel": 2, "attempts": 3}
    found = table(targets={"support": support}).find("support", NOON)
    assert found == Found("", "support", (ASHA, RAVI), rotate=True, parallel=2, attempts=3)


def test_an_empty_target_is_the_templates_own() -> None:
    """A name or numbers; without one the target is unknown."""
    targets = {"support": {"numbers": [ASHA]}}
    assert table(target="support", targets=targets).find("", NOON).numbers == (ASHA,)
    assert table(target=f"{ASHA}, 09811122244").find(" ", NOON).numbers == (ASHA, RAVI)
    assert table(targets=targets).find("", NOON).problem == "unknown"


def test_a_dialogue_may_name_numbers() -> None:
    """One or a list, each once, in its order."""
    assert table().find("09811122233", NOON) == Found(numbers=(ASHA,))
    assert table().find(f"{RAVI},{ASHA} , {RAVI}", NOON).numbers == (RAVI, ASHA)
    for nonsense in ("sales", f"{ASHA},", f"{ASHA},sales", "112", "+", ",", "null"):
        assert table().find(nonsense, NOON).problem == "unknown", nonsense
    many = [f"+9198111{n:05}" for n in range(MAX_NUMBERS + 1)]
    assert table().find(",".join(many[1:]), NOON).numbers == tuple(many[1:])
    assert table().find(",".join(many), NOON).problem == "unknown"


def test_a_closed_target_says_so() -> None:
    """By its own hours; numbers have none."""
    found = table(target="support", targets={"support": {"numbers": [ASHA], "hours": OFFICE}})
    assert found.find("support", NOON).problem == ""
    assert found.find("", NIGHT) == Found("closed", "support")
    assert found.find(RAVI, NIGHT).numbers == (RAVI,)


@pytest.mark.parametrize(
    ("allowed", "may"),
    [
        ("listed", {ASHA, RAVI}),
        ("india", {ASHA, RAVI, MEENA}),
        ("any", {ASHA, RAVI, MEENA, ABROAD}),
    ],
)
def test_the_template_says_which_numbers_a_dialogue_may_name(allowed: str, may: set[str]) -> None:
    """Its own always; India's but for the dear ones by default; all only where it says so."""
    named = table(target=RAVI, allow_numbers=allowed, targets={"support": {"numbers": [ASHA]}})
    for number in (ASHA, RAVI, MEENA, ABROAD):
        assert (named.find(number, NOON).problem == "") is (number in may), number
    for number in DEAR:
        assert normalise(number) == number
        assert (named.find(number, NOON).problem == "") is (allowed == "any")
    assert named.find(f"{ASHA},{ABROAD}", NOON).problem == ("" if allowed == "any" else "unknown")


def test_the_default_for_numbers_is_india() -> None:
    """A caller who talks a model into dialling abroad does not get far."""
    assert table().allow_numbers == "india"
    assert table().find(ABROAD, NOON).problem == "unknown"


def test_the_users_own_system_may_name_any_number() -> None:
    """It was not talked over by a caller."""
    assert table(allow_numbers="listed").find(ABROAD, NOON, trusted=True).numbers == (ABROAD,)


@pytest.mark.parametrize("code", blocks(page("how-to/transfer.md"), "toml"))
def test_the_tables_of_the_guide_are_right(code: str) -> None:
    """Each says whom to dial."""
    assert table(**tomllib.loads(code)["transfer"]).find("", NOON).numbers


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("transfer.target", {"target": "nobody"}),
    ("transfer.target", {"target": "112"}),
    ("transfer.targets.support.numbers", {"targets": {"support": {}}}),
    ("transfer.targets.support.numbers", {"targets": {"support": {"numbers": []}}}),
    ("transfer.targets.support.numbers[0]", {"targets": {"support": {"numbers": ["agent"]}}}),
    (
        "transfer.targets.support.numbers",
        {"targets": {"support": {"numbers": [ASHA, "09811122233"]}}},
    ),
    (
        "transfer.targets.support.numbers",
        {"targets": {"support": {"numbers": [f"+9198111{n:05}" for n in range(21)]}}},
    ),
    (
        "transfer.targets.support.hours",
        {"targets": {"support": {"numbers": [ASHA], "hours": {"timezone": "UTC"}}}},
    ),
    (
        "transfer.targets.support.parallel",
        {"targets": {"support": {"numbers": [ASHA], "parallel": 11}}},
    ),
    (
        "transfer.targets.support.attempts",
        {"targets": {"support": {"numbers": [ASHA], "attempts": 11}}},
    ),
    ("transfer.targets.Support!", {"targets": {"Support!": {"numbers": [ASHA]}}}),
    ("transfer.ring_seconds", {"ring_seconds": 61}),
    ("transfer.talk_seconds", {"talk_seconds": 4501}),
    ("transfer.expires_seconds", {"expires_seconds": 9}),
    ("transfer.music", {"music": "jazz"}),
    ("transfer.music", {"music": "http://www.example.com/a.wav"}),
    ("transfer.outgoing_number", {"outgoing_number": "me"}),
    ("transfer.recording_channels", {"recording_channels": "dual"}),
    ("transfer.whisper", {"whisper": "song"}),
    ("transfer.whisper_text", {"whisper_text": "{secret}"}),
    ("transfer.whisper_text", {"whisper_text": "{"}),
    ("transfer.lookup.url", {"lookup": {"url": "http://crm.example.com/whom"}}),
    ("transfer.lookup.url", {"lookup": {"url": "crm"}}),
    ("transfer.lookup.timeout_ms", {"lookup": {"timeout_ms": 4001}}),
    ("transfer.whom", {"whom": "support"}),
]


@pytest.mark.parametrize(("where", "keys"), WRONG)
def test_what_is_wrong_is_named(where: str, keys: dict[str, Any]) -> None:
    """The start stops, and says which key; the refused value is not repeated."""
    with pytest.raises(ValidationError) as caught:
        table(**keys)
    found = problems(caught.value)
    assert [problem.dotted for problem in found] == [where]
    assert found[0].problem


@given(st.text() | st.from_regex(r"[+0-9, ]{0,60}", fullmatch=True))
def test_any_target_is_found_or_not(target: str) -> None:
    """Nothing a model writes raises, and what is found can be dialled."""
    own = table(target=ASHA, targets={"support": {"numbers": [RAVI]}})
    found = own.find(target, NOON)
    assert bool(found.numbers) is (found.problem == "")
    assert all(normalise(number) == number and number.startswith("+91") for number in found.numbers)
