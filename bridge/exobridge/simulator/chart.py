"""A timeline as a sequence chart in the terminal.

One row for each entry: its time, a lane for each party with the arrow between them, and what it
was. ``print`` it to a :class:`rich.console.Console`, whose width and encoding it keeps to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from exobridge.simulator.timeline import Entry, Kind, Party
from exobridge.visible import visible

LANE = 8
"""Width of a lane, in characters."""
_TIME = 9
_MIN_WORDS = 20
NAMES = {
    Party.CALLER: "caller",
    Party.EXOTEL: "Exotel",
    Party.SERVER: "server",
    Party.AGENT: "agent",
}
"""What stands above each lane, in their order."""

_STYLES = {
    Kind.VIOLATION: "bold red",
    Kind.FAULT: "yellow",
    Kind.APPLET: "bold",
    Kind.STREAM: "blue",
    Kind.EVENT: "magenta",
    Kind.PHONE: "blue",
}
_SPEAKERS = {Party.CALLER: "cyan", Party.SERVER: "green", Party.AGENT: "magenta"}


@dataclass(frozen=True, slots=True)
class _Signs:
    """What a chart is drawn with. ``lines`` and ``points`` have a usual one at ``None``."""

    life: str
    tail: str
    to_right: str
    to_left: str
    lines: dict[Kind | None, str]
    points: dict[Kind | None, str]


_UNICODE = _Signs(
    life="│",
    tail="●",
    to_right="▶",
    to_left="◀",
    lines={None: "─", Kind.SPEECH: "═", Kind.ANSWER: "╌"},
    points={None: "●", Kind.APPLET: "◆", Kind.VIOLATION: "✗", Kind.FAULT: "▲"},
)
_ASCII = _Signs(
    life="|",
    tail="o",
    to_right=">",
    to_left="<",
    lines={None: "-", Kind.SPEECH: "=", Kind.ANSWER: "."},
    points={None: "o", Kind.APPLET: "*", Kind.VIOLATION: "X", Kind.FAULT: "!"},
)


def parties(entries: Iterable[Entry]) -> tuple[Party, ...]:
    """Who plays a part, in the order of the lanes."""
    acting = {party for entry in entries for party in (entry.source, entry.target)}
    return tuple(party for party in NAMES if party in acting)


def seconds(ms: float) -> str:
    """A time as the chart writes it: seconds, with milliseconds."""
    return f"{ms / 1000:.3f}"


def style(entry: Entry) -> str:
    """How an entry is coloured; empty for what needs no colour."""
    if entry.kind is Kind.SPEECH:
        return _SPEAKERS.get(entry.source, "")
    return _STYLES.get(entry.kind, "")


def words(entry: Entry) -> tuple[str, str]:
    """An entry's label and what else is said of it, with nothing that a terminal obeys."""
    label, more = visible(entry.label), [visible(entry.detail)] if entry.detail else []
    if entry.kind is Kind.SPEECH:
        label = f'"{label}"' if label else "speaks"
    if entry.until_ms is not None:
        more.insert(0, f"{(entry.until_ms - entry.at_ms) / 1000:.1f} s")
    return label, ", ".join(more)


class Chart:
    """The chart of some entries.

    Args:
        entries: In their order. Columns of parties that play no part are left out.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)
        self._lanes = parties(entries)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The rows, each a line or more. A line is no longer than the terminal is wide, unless
        that is under 62 characters."""
        if not self._entries:
            return
        signs = _ASCII if options.ascii_only else _UNICODE
        room = max(_MIN_WORDS, options.max_width - _TIME - LANE * len(self._lanes))
        yield self._heading()
        for entry in self._entries:
            text = self._words(entry, options.encoding)
            for number, line in enumerate(text.wrap(console, room, overflow="fold")):
                time = seconds(entry.at_ms) if number == 0 else ""
                lanes = self._arrow(entry, signs) if number == 0 else self._lifelines(signs)
                row = Text(f"{time:>{_TIME - 1}} ", style="dim", end="")
                yield _trimmed(Text.assemble(row, (lanes, style(entry)), line))

    def _heading(self) -> Text:
        names = "".join(f"{NAMES[party]:^{LANE}}" for party in self._lanes)
        return _trimmed(Text(f"{'time/s':>{_TIME - 1}} {names}", style="bold"))

    def _words(self, entry: Entry, encoding: str) -> Text:
        label, more = (_encodable(text, encoding) for text in words(entry))
        text = Text(label, style=style(entry))
        return text.append(f" ({more})", style="dim") if more else text

    def _lifelines(self, signs: _Signs) -> str:
        return "".join(f"{signs.life:^{LANE}}" for _ in self._lanes)

    def _arrow(self, entry: Entry, signs: _Signs) -> str:
        drawn = list(self._lifelines(signs))
        start, end = self._at(entry.source), self._at(entry.target)
        if start == end:
            drawn[start] = signs.points.get(entry.kind) or signs.points[None]
            return "".join(drawn)
        left, right = min(start, end), max(start, end)
        line = signs.lines.get(entry.kind) or signs.lines[None]
        drawn[left : right + 1] = line * (right - left + 1)
        drawn[start] = signs.tail
        drawn[end] = signs.to_right if end > start else signs.to_left
        return "".join(drawn)

    def _at(self, party: Party) -> int:
        # Where centring puts a single character: left of the middle of an even width.
        return self._lanes.index(party) * LANE + (LANE - 1) // 2


def _encodable(text: str, encoding: str) -> str:
    """The text with escapes for what the terminal's encoding has no character for."""
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _trimmed(text: Text) -> Text:
    text.rstrip()
    text.no_wrap = True
    text.overflow = "ignore"
    return text
