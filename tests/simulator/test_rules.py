"""The rules: each is complete, and the reference page has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exobridge.simulator.rules import Rule, Severity, Violation

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"


@pytest.mark.parametrize("rule", Rule)
def test_a_rule_says_what_it_wants_why_and_what_to_do(rule: Rule) -> None:
    """Its sentence and its cure are sentences; the source is named."""
    assert rule.sentence.endswith(".")
    assert rule.cure.endswith(".")
    assert len(rule.source) > 10
    assert rule.severity in Severity


def test_no_two_rules_say_the_same() -> None:
    """A sentence leads to one rule."""
    assert len({rule.sentence for rule in Rule}) == len(Rule)


def test_a_violation_explains_itself() -> None:
    """With its rule's severity and sentence."""
    violation = Violation(Rule.CHUNK_STEP, 20.0, "319 bytes")
    assert violation.severity is Severity.ERROR
    assert violation.sentence == Rule.CHUNK_STEP.sentence


def test_the_rules_page_has_every_rule() -> None:
    """In the order of the code, with each of its columns."""
    text = PAGE.read_text("utf-8")
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", text, re.MULTILINE
    )
    assert rows == [
        (str(rule), str(rule.severity), rule.sentence, rule.cure, rule.source) for rule in Rule
    ]
