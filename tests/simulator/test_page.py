"""A report as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exobridge.simulator import CallReport, EndedBy, Outcome, Rule, Violation
from exobridge.simulator.flows.report import Asked, Dialled, Ending, FlowReport, What
from exobridge.simulator.page import page
from exobridge.simulator.playout import Gap
from exobridge.simulator.scripts.judge import Finding
from exobridge.simulator.timeline import Entry, Kind, Party
from tests.simulator.browser import browser, needs_browser

VOID = {"meta", "input"}
HOSTILE = "</style><script>alert(1)</script>\"'&<img src=x onerror=alert(1)>\x1b[2J\x00\u202e"
SHOWN = HOSTILE.replace("\x1b", r"\x1b").replace("\x00", r"\x00").replace("\u202e", r"\u202e")

STREAM = CallReport(
    call_sid="c",
    stream_sid="s",
    encoding="pcm16",
    sample_rate=8000,
    frame_ms=20,
    outcome=Outcome.COMPLETED,
    ended_by=EndedBy.BOT,
    close_code=1000,
    handshake_ms=12.4,
    handshake_attempts=1,
    greeting_ms=310.2,
    duration_ms=8123.0,
    voice_to_voice_ms=(820.0, None),
    barge_in_ms=(140.0,),
    bot_gaps=(Gap(700.0, 35.0),),
    chunks_received=91,
    bytes_received=145_600,
    marks_received=3,
    marks_returned=2,
    clears=1,
)


def everything(text: str = "text") -> FlowReport:
    """A report with some of all that there can be, and the text wherever one is from outside."""
    who = (Party.CALLER, Party.EXOTEL, Party.SERVER, Party.AGENT)
    return FlowReport(
        call_sid=text,
        seed=7,
        ending=Ending.COMPLETED,
        seconds=9.1,
        path=(text, "agents"),
        streams=(STREAM, replace(STREAM, greeting_ms=None)),
        dialled=(Dialled(text, "completed", 2.0, text),),
        asked=(Asked(What.ANSWER, 5, 43.0, 200, text), Asked(What.CALLBACK, 9000, None, None)),
        violations=(
            Violation(Rule.MISSING_NUMBERS, 310, text),
            Violation(Rule.CHUNK_STEP, 2950, text),
            Violation(Rule.CHUNK_STEP, 3950),
        ),
        timeline=tuple(
            Entry(1000.0 * index, who[index % 4], who[index // 2 % 4], kind, text, text, until)
            for index, kind in enumerate(Kind)
            for until in (None, 1000.0 * index + 500)
        ),
        problems=(text,),
        notes=(text,),
        findings=((Finding(1, "says", text, held=True, found=text),),),
    )


class Read(HTMLParser):
    """What a page holds; raises where elements are not nested as they should be."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends: the one that was begun last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """A text; not of the style sheet."""
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.texts)

    def values(self) -> Iterator[str]:
        """Every attribute's value."""
        for _, attributes in self.tags:
            yield from filter(None, attributes.values())


def test_the_page_says_everything() -> None:
    """The verdict, each problem and note, each broken rule with its cure and source, the figures,
    and every entry of the timeline."""
    report = everything()
    text = Read(page(report, "transfer.toml")).text
    assert "transfer.toml: \n1 problem" in text
    assert "text → agents" in text
    assert "faults drawn from seed 7" in text
    for rule in (Rule.CHUNK_STEP, Rule.MISSING_NUMBERS):
        assert all(part in text for part in (rule, rule.sentence, rule.cure, rule.source))
    assert text.index(str(Rule.CHUNK_STEP)) < text.index(str(Rule.MISSING_NUMBERS))  # errors first
    for figure in ("310 ms", "820 ms, –", "140 ms", "35 ms", "91, 145600", "3, 2", "8.1 s"):
        assert figure in text
    for entry in report.timeline:
        assert f"{entry.at_ms / 1000:.3f}" in text


def test_a_call_that_went_well_says_so() -> None:
    """And has no section for what there was not."""
    quiet = FlowReport("c", None, Ending.CALLER, 1.0)
    read = Read(page(quiet))
    assert "Call: \nwent well" in read.text
    assert "h2" not in [tag for tag, _ in read.tags]


def test_hostile_texts_stay_texts() -> None:
    """Whatever a server sends is shown, as it was sent; it makes no element and no attribute."""
    plain, hostile = Read(page(everything(), "title")), Read(page(everything(HOSTILE), HOSTILE))
    assert [tag for tag, _ in plain.tags] == [tag for tag, _ in hostile.tags]
    assert [list(names) for _, names in plain.tags] == [list(names) for _, names in hostile.tags]
    assert hostile.text.count(SHOWN) == plain.text.count("text") + plain.text.count("title")


def test_the_page_needs_nothing_else() -> None:
    """No script, no address of anything to load, and a policy that forbids both."""
    read = Read(page(everything("https://bot.example/x.png")))
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    names = {name for _, attributes in read.tags for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "href", "action"}
    assert "url(" not in page(everything())
    assert "default-src 'none'; style-src 'unsafe-inline'" in set(read.values())


@settings(max_examples=30)
@given(st.text(), st.text())
def test_any_text_makes_a_page(text: str, title: str) -> None:
    """Nested as it should be, and of characters that a file can hold."""
    html = page(everything(text), title)
    html.encode()
    Read(html)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_hidden(kind: Kind) -> None:
    """There is a box to tick for it, and the style sheet hides its rows."""
    html = page(everything())
    read = Read(html)
    boxes = [attributes for tag, attributes in read.tags if tag == "input"]
    assert f"show-{kind}" in [box["id"] for box in boxes]
    assert f"#show-{kind}:not(:checked) ~ .rows > .{kind}" in html


@needs_browser
async def test_a_browser_shows_it(tmp_path: Path) -> None:
    """On a wide window and on a narrow one it is no wider than that; arrows end in the lanes'
    middles; a box that is not ticked hides its rows; nothing is loaded, nothing complained of."""
    file = tmp_path / "call.html"
    file.write_text(page(everything(HOSTILE), "transfer.toml"), "utf-8")
    async with browser(tmp_path / "profile") as tab:
        for width in (1200, 400):
            await tab.open(file, width)
            assert await tab.value("document.documentElement.scrollWidth") <= width
            assert await tab.value(_OFF_THE_LANES) == []
        assert await tab.value(_SPEECH_SHOWN) == 2
        await tab.value("document.getElementById('show-speech').click()")
        assert await tab.value(_SPEECH_SHOWN) == 0
        assert await tab.value("document.querySelectorAll('script, img').length") == 0
        loaded = {sent["request"]["url"] for sent in tab.heard("Network.requestWillBeSent")}
        complaints: list[Any] = tab.heard("Log.entryAdded")
    assert loaded == {file.as_uri()}
    assert complaints == []


_SPEECH_SHOWN = (
    "[...document.querySelectorAll('.rows > .speech')].filter(e => e.offsetParent).length"
)
_OFF_THE_LANES = """
[...document.querySelectorAll('.rows > li:not(.names)')].filter(row => {
  const names = [...document.querySelectorAll('.names .lanes > span')].map(name => {
    const box = name.getBoundingClientRect();
    return (box.left + box.right) / 2;
  });
  const arrow = row.querySelector('i').getBoundingClientRect();
  const near = x => names.some(middle => Math.abs(middle - x) < 1.5);
  return !near(arrow.left) || !near(arrow.right);
}).map(row => row.innerText)
"""
