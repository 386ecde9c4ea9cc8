"""The page of metrics says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from exobridge.desk import BUSY, CLOSED, DRAINING, UNKNOWN
from exobridge.observe.catalogue import METRICS
from exobridge.observe.metrics import COUNTED, STAGES
from exobridge_providers.registry import Kind

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text("utf-8")
HOW_TO = (ROOT / "docs" / "how-to" / "monitor.md").read_text("utf-8")


def rows(columns: int) -> dict[str, list[str]]:
    """The rows of so many columns, by what stands first."""
    found: dict[str, list[str]] = {}
    for line in re.findall(r"^\| `.*\|$", PAGE, re.MULTILINE):
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        if len(others) == columns - 1:
            assert first not in found, f"{first} stands twice"
            found[first] = others
    return found


def test_every_metric_is_there_as_the_code_has_it() -> None:
    """Type, labels, meaning, and what several workers make of it; none is made up."""
    assert rows(5) == {
        f"`{name}`": [
            str(metric.kind),
            ", ".join(f"`{label}`" for label in metric.labels) or "–",
            metric.meaning,
            str(metric.merge),
        ]
        for name, metric in METRICS.items()
    }


def test_the_buckets_are_those_of_the_code() -> None:
    """Of every histogram."""
    buckets = {first: cells[0] for first, cells in rows(2).items() if "exobridge_" in first}
    assert buckets == {
        f"`{name}`": ", ".join(f"{bound:g}" for bound in metric.buckets)
        for name, metric in METRICS.items()
        if metric.buckets
    }


def test_the_values_of_labels_are_those_of_the_code() -> None:
    """Where the code has them in a list."""
    values = {first: set(re.findall(r"`([a-z-]+)`", cells[0])) for first, cells in rows(2).items()}
    assert values["`outcome` of calls"] == {str(outcome) for outcome in COUNTED}
    assert values["`reason`"] == {UNKNOWN, CLOSED, BUSY, DRAINING}
    assert values["`stage`"] == set(STAGES)
    assert values["`kind`"] == {str(kind) for kind in Kind}


def test_the_pages_speak_of_no_other_metric() -> None:
    """Nor does the how-to."""
    named = set(re.findall(r"(exobridge_[a-z_]+)", PAGE + HOW_TO))
    assert named <= set(METRICS)
