"""``[outbound]`` of a template."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from exobridge.templates import Template


def template(**tables: Any) -> Template:
    return Template.model_validate(tables)


def test_without_the_table_a_call_is_promotional_and_made_once() -> None:
    """Which is the safe way."""
    table = template().outbound
    assert (table.purpose, table.attempts, table.mode) == ("promotional", 1, "flow")
    assert (table.retry_on, table.retry_minutes) == (("busy", "no-answer"), (30,))


def test_pauses_are_a_number_or_a_list() -> None:
    """And what is listed twice counts once."""
    table = template(outbound={"retry_minutes": 5, "retry_on": ["busy", "failed", "busy"]}).outbound
    assert (table.retry_minutes, table.retry_on) == ((5,), ("busy", "failed"))
    assert template(outbound={"retry_minutes": [5, 60]}).outbound.retry_minutes == (5, 60)


def test_the_exophone_may_be_written_in_any_way() -> None:
    """Inside it is E.164."""
    assert template(outbound={"caller_id": "08047112233"}).outbound.caller_id == "+918047112233"


@pytest.mark.parametrize(
    "table",
    [
        {"caller_id": "12"},
        {"retry_minutes": True},
        {"retry_minutes": []},
        {"retry_minutes": 0},
        {"retry_minutes": [5, 1441]},
        {"retry_on": ["voicemail"]},
        {"purpose": "other"},
        {"attempts": 11},
        {"ring_seconds": 14},
        {"limit_seconds": 14_401},
        {"hours": {"mon": ["9-18"]}},
    ],
)
def test_what_cannot_be_is_refused(table: dict[str, Any]) -> None:
    """When the template is loaded, not when somebody is to be called."""
    with pytest.raises(ValidationError):
        template(outbound=table)


@pytest.mark.parametrize(
    ("tables", "seconds"),
    [
        ({}, 1860),
        ({"limits": {"max_call_seconds": 600}}, 660),
        ({"transfer": {"target": "+918047112233", "talk_seconds": 1200}}, 3060),
        ({"transfer": {"target": "+918047112233", "talk_seconds": 4500}}, 6360),
        ({"outbound": {"limit_seconds": 120}}, 120),
    ],
)
def test_exotel_ends_a_call_after_the_bot_would(tables: dict[str, Any], seconds: int) -> None:
    """And after a human whom it was handed to; unless the template says when."""
    assert template(**tables).time_limit == seconds
