"""What Exotel tells of a stream that is over."""

from __future__ import annotations

import json

import pytest

from exobridge.exotel.given import read_given
from exobridge.exotel.stream_report import MAX_ERROR, StreamReport, read_stream_report

TOLD = {
    "StreamSID": "s1",
    "Status": "completed",
    "Duration": "93",
    "RecordingUrl": "https://recordings.exotel.com/a.mp3",
    "StreamUrl": "wss://user:hush@bot.example.com/exotel/stream/hush",
    "DisconnectedBy": "user",
    "Error": "null",
    "DetailedStatus": "",
}
READ = StreamReport(
    "s1", "completed", 93, "https://recordings.exotel.com/a.mp3", disconnected_by="caller"
)


def report(**pairs: str) -> StreamReport | None:
    """What these parameters tell."""
    return read_stream_report(read_given(pairs.items()))


@pytest.mark.parametrize(
    "pairs",
    [
        {f"Stream[{name}]": value for name, value in TOLD.items()},
        {"Stream": json.dumps(TOLD)},
        {"Stream": json.dumps({**TOLD, "Duration": 93, "Error": None})},
        {name.lower(): value for name, value in TOLD.items()},
        {f"stream[{name.lower()}]": value for name, value in TOLD.items()},
    ],
)
def test_a_report_in_each_of_its_shapes(pairs: dict[str, str]) -> None:
    """Members in brackets, one parameter holding JSON, or names in lower case by themselves."""
    assert report(**pairs) == READ


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("Status", "failed", StreamReport(status="failed")),
        ("Status", "cancelled", StreamReport(status="canceled")),
        ("Status", "paused", StreamReport(status="paused")),
        ("Duration", "0", StreamReport(seconds=0)),
        ("DisconnectedBy", "user", StreamReport(disconnected_by="caller")),
        ("DisconnectedBy", "caller", StreamReport(disconnected_by="caller")),
        ("DisconnectedBy", "bot", StreamReport(disconnected_by="bot")),
        ("DisconnectedBy", "Bot", StreamReport(disconnected_by="bot")),
        ("DisconnectedBy", "system", StreamReport(disconnected_by="network")),
        (
            "Error",
            "3009 failed to establish ws conn",
            StreamReport(error="3009 failed to establish ws conn"),
        ),
        (
            "DetailedStatus",
            "Streaming_call_throttled",
            StreamReport(detailed_status="Streaming_call_throttled"),
        ),
    ],
)
def test_each_word_of_a_report(name: str, value: str, read: StreamReport) -> None:
    """Any of them may come alone, as of a stream that never came about."""
    assert report(**{f"Stream[{name}]": value}) == read


@pytest.mark.parametrize("nothing", ["NA", "N/A", "none", "null", ""])
def test_words_for_nothing(nothing: str) -> None:
    """``DisconnectedBy`` is ``NA`` where nobody did, and so may the others be."""
    told = {"Stream[StreamSID]": "s1", "Stream[DisconnectedBy]": nothing, "Stream[Error]": nothing}
    assert report(**told) == StreamReport("s1")


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"Stream": "null"},
        {"Stream": "{}"},
        {"Stream": "{"},
        {"status": "completed", "duration": "3"},
        {"streamsid": "NA"},
        {"Stream[DisconnectedBy]": "martians"},
    ],
)
def test_no_report(pairs: dict[str, str]) -> None:
    """``status`` alone may be anything's; ``streamsid`` tells that it is a stream's."""
    assert report(**pairs) is None


def test_an_error_is_bounded_and_tells_no_secret() -> None:
    """It may name the URL that could not be reached."""
    found = report(**{"Stream[Error]": "cannot reach wss://u:hush@h/exotel/stream/hush"})
    assert found == StreamReport(error="cannot reach wss://h/exotel/stream/***")
    long = report(**{"Stream[Error]": "e" * 5000, "Stream[StreamSID]": "s" * 5000})
    assert long == StreamReport("s" * 128, error="e" * MAX_ERROR)
