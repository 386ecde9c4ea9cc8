"""A timeline drawn to scale: who spoke when, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from exobridge.simulator.chart import NAMES, parties, seconds, words
from exobridge.simulator.markup import element
from exobridge.simulator.timeline import Entry, Kind

_NAMES_WIDE = 70
_WIDE = 1000
_LANE = 30
_BAR = 14
_FOOT = 24
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_MAX_TICKS = 12


def picture(entries: Sequence[Entry]) -> Element:
    """The entries on a line of time, a lane for each party."""
    lanes = parties(entries)
    end_ms = max((max(each.at_ms, each.until_ms or 0.0) for each in entries), default=0.0) or 1.0
    scale = (_WIDE - _NAMES_WIDE - 10) / end_ms
    high = _LANE * len(lanes)
    drawn = element(
        "svg",
        viewBox=f"0 0 {_WIDE} {high + _FOOT}",
        role="img",
        aria_label="what happened when, drawn to scale",
    )
    drawn.extend(_axis(end_ms, scale, high))
    for index, party in enumerate(lanes):
        drawn.append(element("text", NAMES[party], x=0.0, y=float(_LANE * index + 20)))
    for each in entries:
        top = lanes.index(each.source) * _LANE
        drawn.append(_shape(each, _NAMES_WIDE + each.at_ms * scale, top, scale, high))
    return drawn


def _axis(end_ms: float, scale: float, high: int) -> Iterator[Element]:
    step_s = next((step for step in _STEPS_S if end_ms / 1000 / step <= _MAX_TICKS), end_ms / 4000)
    for tick in range(int(end_ms / 1000 / step_s) + 1):
        x = _NAMES_WIDE + tick * step_s * 1000 * scale
        yield element("line", class_="tick", x1=x, x2=x, y1=0.0, y2=float(high))
        label = f"{tick * step_s:g} s"
        yield element("text", label, class_="tick", x=x, y=float(high + 16))


def _shape(entry: Entry, x: float, top: int, scale: float, high: int) -> Element:
    label, more = words(entry)
    hover = element("title", f"{seconds(entry.at_ms)} s: {label}" + (f" ({more})" if more else ""))
    kind = f"{entry.kind} by-{entry.source}"
    if entry.until_ms is not None:
        wide = max(2.0, (entry.until_ms - entry.at_ms) * scale)
        y = float(top + (_LANE - _BAR) // 2)
        return element("rect", hover, class_=kind, x=x, y=y, width=wide, height=float(_BAR), rx=3.0)
    if entry.kind in (Kind.VIOLATION, Kind.FAULT):
        return element("line", hover, class_=kind, x1=x, x2=x, y1=0.0, y2=float(high))
    return element("circle", hover, class_=kind, cx=x, cy=top + _LANE / 2, r=3.0)
