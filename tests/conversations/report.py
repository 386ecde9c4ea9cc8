"""What a run came to, as text: for a terminal, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.benchmarks.tables import Column, Line, plain
from tests.conversations.catalogue import SCENARIOS
from tests.conversations.figures import Kept, kept, times, usual
from tests.conversations.scenario import Group
from tests.conversations.verdict import Rule, Verdict

SEEN = (Rule.MISSED, Rule.CUT, Rule.FALSE_TURN, Rule.EARLY)
"""What has a column of its own; the rest is added up."""

COLUMNS = (
    Column("variants", "variants", ".0f"),
    Column(Rule.MISSED, "missed", ".0f"),
    Column(Rule.CUT, "cut", ".0f"),
    Column(Rule.FALSE_TURN, "false turns", ".0f"),
    Column(Rule.EARLY, "early", ".0f"),
    Column("other", "other", ".0f"),
    Column("barge_p50", "silent p50 ms", ".0f"),
    Column("barge_p95", "p95", ".0f"),
    Column("answer_p50", "answer p50 ms", ".0f"),
    Column("answer_p95", "p95", ".0f"),
    Column("held_p50", "held p50 ms", ".0f"),
    Column("held_p95", "p95", ".0f"),
)

LIMIT_COLUMNS = (
    Column("broke", "variants", ".0f"),
    Column("of", "of", ".0f"),
    Column("share", "%", ".2f"),
    Column("limit", "limit %", ".0f"),
)

Writer = Callable[[str, Sequence[Column], Sequence[Line]], str]


def _figures(verdicts: Sequence[Verdict]) -> dict[str, float]:
    barge, answer, held = (
        times(verdicts, kind) for kind in ("barge_in_ms", "answer_ms", "held_ms")
    )
    other = [each for each in verdicts if any(f.rule not in SEEN for f in each.findings)]
    return {
        "variants": len(verdicts),
        **{rule: sum(each.has(rule) for each in verdicts) for rule in SEEN},
        "other": len(other),
        "barge_p50": barge[0],
        "barge_p95": barge[1],
        "answer_p50": answer[0],
        "answer_p95": answer[1],
        "held_p50": held[0],
        "held_p95": held[1],
    }


def tables(verdicts: Sequence[Verdict], write: Writer) -> Iterator[tuple[str, str]]:
    """A title and a table for each group of scenarios, and one for all."""
    for group in Group:
        lines: list[Line] = []
        for name, scenario in SCENARIOS.items():
            of = [each for each in verdicts if each.scenario == name]
            if scenario.group is group and of:
                lines.append((f"{name}: {scenario.says}", _figures(of)))
        if lines:
            yield str(group), write(str(group), COLUMNS, lines)
    lines = [("all", _figures(verdicts)), ("without faults", _figures(usual(verdicts)))]
    yield "all", write("all", COLUMNS, [line for line in lines if line[1]["variants"]])


def limits_table(found: Sequence[Kept], write: Writer) -> str:
    """Every limit beside what the run came to."""
    return write(
        "limits",
        LIMIT_COLUMNS,
        [
            (
                each.limit.name if each.holds else f"BROKEN: {each.limit.name}",
                {
                    "broke": len(each.broke),
                    "of": each.variants,
                    "share": 100 * each.share,
                    "limit": 100 * each.limit.share,
                },
            )
            for each in found
        ],
    )


def examples(found: Sequence[Kept], most: int = 3) -> Iterator[str]:
    """Some of what was wrong, and how to see it: that of limits that were broken first."""
    for each in sorted(found, key=lambda one: one.holds):
        for verdict in each.broke[:most]:
            what = next(f.what for f in verdict.findings if f.rule is each.limit.rule)
            yield (
                f"{each.limit.rule}: --scenario {verdict.scenario} --variant {verdict.variant} "
                f"({verdict.ears}): {what}"
            )


def plain_report(verdicts: Sequence[Verdict]) -> str:
    """For a terminal."""
    found = kept(verdicts)
    parts = [table for _, table in tables(verdicts, plain)]
    return "\n\n".join([*parts, limits_table(found, plain), "\n".join(examples(found))]).strip()


def to_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """All of it."""
    return {
        "limits": [
            {
                "name": each.limit.name,
                "variants": len(each.broke),
                "of": each.variants,
                "limit": each.limit.share,
                "holds": each.holds,
            }
            for each in kept(verdicts)
        ],
        "scenarios": {
            name: _finite(_figures(of))
            for name in SCENARIOS
            if (of := [each for each in verdicts if each.scenario == name])
        },
        "findings": [
            {
                "scenario": each.scenario,
                "variant": each.variant,
                "ears": each.ears,
                "rule": finding.rule.name.lower(),
                "what": finding.what,
            }
            for each in verdicts
            for finding in each.findings
        ],
    }


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    return {str(key): None if math.isnan(value) else value for key, value in figures.items()}
