"""The sequence chart in the terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from exobridge.simulator.chart import Chart
from exobridge.simulator.timeline import Entry, Kind, Party

CALLER, EXOTEL, SERVER, AGENT = Party.CALLER, Party.EXOTEL, Party.SERVER, Party.AGENT

STORY = (
    Entry(0, CALLER, EXOTEL, Kind.PHONE, "calls", "from +91*******233"),
    Entry(2, EXOTEL, EXOTEL, Kind.APPLET, "bot", "voicebot"),
    Entry(5, EXOTEL, SERVER, Kind.REQUEST, "GET /exotel/answer"),
    Entry(48, SERVER, EXOTEL, Kind.ANSWER, "200", "43 ms"),
    Entry(310, SERVER, CALLER, Kind.SPEECH, "Hello, this is Asha. How can I help?", "", 2910),
    Entry(2950, SERVER, SERVER, Kind.VIOLATION, "chunk-step", "319 bytes"),
    Entry(3210, CALLER, SERVER, Kind.SPEECH, "", "", 4210),
    Entry(4300, EXOTEL, EXOTEL, Kind.FAULT, "stalls for 300 ms"),
    Entry(3_600_123, EXOTEL, SERVER, Kind.STREAM, "stop"),
)


def drawn(
    *entries: Entry, width: int = 80, encoding: str = "utf-8", colour: bool = False
) -> list[str]:
    """The chart's lines on a terminal."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding)
    console = Console(
        file=file, width=width, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(Chart(entries))
    file.flush()
    return raw.getvalue().decode(encoding).splitlines()


def test_a_chart() -> None:
    """A column for each party that plays a part, times at the left, arrows, words that wrap."""
    assert drawn(*STORY) == [
        "  time/s  caller  Exotel  server",
        "   0.000    ●───────▶       │    calls (from +91*******233)",
        "   0.002    │       ◆       │    bot (voicebot)",
        "   0.005    │       ●───────▶    GET /exotel/answer",
        "   0.048    │       ◀╌╌╌╌╌╌╌●    200 (43 ms)",
        '   0.310    ◀═══════════════●    "Hello, this is Asha. How can I help?" (2.6 s)',
        "   2.950    │       │       ✗    chunk-step (319 bytes)",
        "   3.210    ●═══════════════▶    speaks (1.0 s)",
        "   4.300    │       ▲       │    stalls for 300 ms",
        "3600.123    │       ●───────▶    stop",
    ]


def test_what_is_said_of_words_stands_behind_how_long_they_took() -> None:
    """Both in one pair of brackets."""
    [_, line] = drawn(Entry(0, SERVER, CALLER, Kind.SPEECH, "Hello.", "interrupted", 1000))
    assert line.endswith('"Hello." (1.0 s, interrupted)')


def test_long_words_wrap_beside_the_lanes() -> None:
    """The lanes go on, and the time stands once."""
    said = Entry(0, SERVER, CALLER, Kind.SPEECH, "word " * 12 + "x" * 70, "", 1000)
    lines = drawn(said)
    assert len(lines) == 5
    assert all(line.startswith("            │       │    ") for line in lines[2:])


def test_what_plays_no_part_has_no_column() -> None:
    """Nor is anything drawn of nothing."""
    assert drawn(Entry(0, EXOTEL, AGENT, Kind.PHONE, "rings"))[0] == "  time/s  Exotel  agent"
    assert drawn() == []


def test_a_terminal_without_unicode_gets_ascii() -> None:
    """Lines and words alike, down to an escape for each character that it lacks."""
    lines = drawn(*STORY, Entry(4e6, SERVER, CALLER, Kind.SPEECH, "नमस्ते", "–"), encoding="ascii")
    text = "\n".join(lines)
    assert "    <===============o    " in text
    assert "    |       <.......o    200" in text
    assert "|       *       |    bot" in text
    assert "|       |       X    chunk-step" in text
    assert "|       !       |    stalls" in text
    assert "\\u0928\\u092e\\u0938" in text
    assert "\\u2013" in text


def test_latin_terminals_keep_their_letters() -> None:
    """Only what the encoding lacks is escaped."""
    [_, line] = drawn(Entry(0, SERVER, SERVER, Kind.EVENT, "café ₹5"), encoding="iso-8859-1")
    assert line.endswith("café \\u20b95")


def test_colour_is_for_terminals() -> None:
    """A violation is red there, and each speaker has a colour; a pipe gets no escape at all."""
    greeting, violation, caller = STORY[4:7]
    assert "\x1b[1;31m" in "".join(drawn(violation, colour=True))
    assert "\x1b[32m" in "".join(drawn(greeting, colour=True))
    assert "\x1b[36m" in "".join(drawn(caller, colour=True))
    assert "\x1b" not in "".join(drawn(*STORY))


def test_what_a_server_sends_moves_no_cursor() -> None:
    """Control characters, markup and turned text are shown as they are written."""
    evil = Entry(0, SERVER, EXOTEL, Kind.EVENT, "a\x1b[2J\r\n[red]b\u202e", "\x07[/]\x00\ud800")
    [_, line] = drawn(evil)
    assert line.endswith(r"a\x1b[2J\r\n[red]b\u202e (\x07[/]\x00\ud800)")


entries = st.lists(
    st.builds(
        Entry,
        st.floats(0, 1e7),
        st.sampled_from(Party),
        st.sampled_from(Party),
        st.sampled_from(Kind),
        st.text(),
        st.text(),
        st.none() | st.floats(0, 1e7),
    ),
    max_size=6,
)


@given(entries, st.integers(62, 200), st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_any_chart_fits(story: list[Entry], width: int, encoding: str) -> None:
    """Whatever is told, no line is longer than the terminal is wide, and each can be printed."""
    for line in drawn(*story, width=width, encoding=encoding):
        assert cell_len(line) <= width
        assert line.replace("\u200c", "").replace("\u200d", "").isprintable()


@pytest.mark.parametrize("source", Party)
@pytest.mark.parametrize("target", Party)
def test_an_arrow_points_from_the_source_to_the_target(source: Party, target: Party) -> None:
    """In every pair of lanes, next to each other or not."""
    everybody = [Entry(0, party, party, Kind.EVENT, "") for party in Party]
    line = drawn(*everybody, Entry(1, source, target, Kind.REQUEST, "x"))[-1]
    order = list(Party)
    at = {party: 9 + 8 * order.index(party) + 3 for party in order}
    if source is target:
        assert line[at[source]] == "●"
        return
    assert line[at[source]] == "●"
    assert line[at[target]] == ("▶" if order.index(target) > order.index(source) else "◀")
    left, right = sorted((at[source], at[target]))
    assert set(line[left + 1 : right]) == {"─"}
