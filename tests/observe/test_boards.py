"""The Grafana board and the alerts ask for metrics that there are, as they may be asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from tests.observe.promql import PromQLError, Use, uses

from exobridge.observe.catalogue import METRICS, Kind, Metric

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "exobridge.json").read_text("utf-8"))
_read_yaml = cast(Callable[[str], Any], import_module("yaml").safe_load)  # it has no types
ALERTS: dict[str, Any] = _read_yaml((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))

SCRAPED = {"job", "instance"}
"""Labels that Prometheus itself puts to every metric."""


def of_board() -> Iterator[tuple[str, str]]:
    """Title and expression of each query."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for each in BOARD["annotations"]["list"]:
        yield each["name"], each["expr"]
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield (
                variable["name"],
                variable["query"]["query"].replace(", job)", ")").replace(", instance)", ")"),
            )


def of_alerts() -> Iterator[tuple[str, str]]:
    """Name and expression of each alert."""
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


EXPRESSIONS = [*of_board(), *of_alerts()]


def metric_of(name: str) -> tuple[Metric, bool]:
    """The metric that a series is of, and whether the series are buckets.

    Raises:
        KeyError: Of none.
    """
    for suffix in ("_bucket", "_sum", "_count"):
        metric = METRICS.get(name.removesuffix(suffix))
        if name.endswith(suffix) and metric is not None and metric.kind is Kind.HISTOGRAM:
            return metric, suffix == "_bucket"
    metric = METRICS[name]
    if metric.kind is Kind.HISTOGRAM:
        raise KeyError(name)
    return metric, False


def wrong_with(use: Use) -> str:
    """What is wrong with the way a metric is asked for; empty: nothing."""
    if use.name == "up":  # Prometheus' own
        return "" if use.matchers <= SCRAPED and not use.ranged else "up is a gauge"
    try:
        metric, is_bucket = metric_of(use.name)
    except KeyError:
        return f"there is no {use.name}"
    labels = {*metric.labels, *SCRAPED, *({"le"} if is_bucket else set[str]())}
    if foreign := set(use.matchers) - labels:
        return f"{use.name} has no label {foreign}"
    if foreign := {label for kept in use.by for label in kept} - labels:
        return f"{use.name} cannot be summed by {foreign}"
    rates = bool({"rate", "increase"} & set(use.inside))
    if rates != (metric.kind is not Kind.GAUGE) and not _is_plain_total(use, metric):
        return f"{use.name} is a {metric.kind}"
    if use.ranged != bool({"rate", "increase", "changes"} & set(use.inside[:1])):
        return f"{use.name} with a range where none belongs, or without one where one does"
    if is_bucket != ("histogram_quantile" in use.inside):
        return f"{use.name}: quantiles are made of buckets, and buckets are for quantiles"
    if is_bucket and not (use.by and "le" in use.by[0]):
        return f"{use.name} loses its le"
    return ""


def _is_plain_total(use: Use, metric: Metric) -> bool:
    """A counter that is looked at as it stands, since the process began."""
    return metric.kind is Kind.COUNTER and not use.inside


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(title: str, expression: str) -> None:
    """Metrics that are exposed, their labels, and rates of counters alone."""
    found = uses(expression)
    assert found, title
    assert [wrong for use in found if (wrong := wrong_with(use))] == []


@pytest.mark.parametrize(
    "expression",
    [
        "exobridge_no_such_metric",
        "rate(exobridge_calls_open[5m])",
        "sum(exobridge_webhook_duration_seconds)",
        'exobridge_calls_open{template="x"}',
        "sum by (outcome) (rate(exobridge_barge_ins_total[5m]))",
        "rate(exobridge_barge_ins_total)",
        "exobridge_calls_open[5m]",
        "histogram_quantile(0.5, sum(rate(exobridge_voice_to_voice_seconds_bucket[5m])))",
        "histogram_quantile(0.5, rate(exobridge_voice_to_voice_seconds_count[5m]))",
        "sum(rate(exobridge_voice_to_voice_seconds_bucket[5m]))",
    ],
)
def test_what_is_wrong_is_found(expression: str) -> None:
    """This check can fail."""
    assert any(wrong_with(use) for use in uses(expression))


@pytest.mark.parametrize(
    "expression", ["sum(", "rate(x[5m]", "a b", "sum(x))", "x{y}", "f(x)", "!"]
)
def test_what_is_no_promql_is_refused(expression: str) -> None:
    """Likewise."""
    with pytest.raises(PromQLError):
        uses(expression)


def test_every_alert_is_whole() -> None:
    """A name of its own, a severity, and words for whoever is woken by it."""
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


def test_the_board_can_be_imported() -> None:
    """Panels have ids of their own, do not lie upon each other, and take the chosen data source."""
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + w, at["y"] + h) for w in range(at["w"]) for h in range(at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"


def test_no_metric_of_ours_is_without_a_place() -> None:
    """The board or the alerts use each; but for these, which are for looking closer."""
    used = {use.name for _, expression in EXPRESSIONS for use in uses(expression)}
    shown = {metric_of(name)[0].name for name in used - {"up"}}
    closer = {
        "exobridge_calls_asked_total",
        "exobridge_call_duration_seconds",
        "exobridge_frames_received_total",
        "exobridge_frames_sent_total",
        "exobridge_media_frames_received_total",
        "exobridge_media_frames_sent_total",
        "exobridge_prompts_total",
        "exobridge_prompts_bytes",
        "exobridge_prompt_characters_total",
        "exobridge_workers",
        "process_virtual_memory_bytes",
    }
    assert set(METRICS) - shown == closer
