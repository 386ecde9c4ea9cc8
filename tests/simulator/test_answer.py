"""The webhook's question, and the stream's URL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exobridge.simulator.answer import examine, is_stream_url, passthru_parameters, with_query
from exobridge.simulator.plan import CallPlan
from exobridge.simulator.rules import Rule
from exobridge.simulator.wire import Identity


def test_times_are_indias() -> None:
    """Both formats Exotel writes, and the end that is always the same."""
    who = Identity("C", "S", "A", "L", "09811122233", "08047112233")
    sent = passthru_parameters(who, datetime(2022, 2, 23, 20, 0, 0, tzinfo=UTC))
    assert sent["Created"] == "Thu, 24 Feb 2022 01:30:00"
    assert sent["CurrentTime"] == sent["StartTime"] == "2022-02-24 01:30:00"
    assert sent["EndTime"] == "1970-01-01 05:30:00"
    assert (sent["CallFrom"], sent["CallTo"]) == ("09811122233", "08047112233")
    assert sent["CallType"] == "call-attempt"


def test_an_outgoing_calls_roles() -> None:
    """It comes from the ExoPhone and goes to the human; the first leg is the human's."""
    who = Identity("C", "S", "A", "L", "09811122233", "08047112233")
    sent = passthru_parameters(who, datetime(2022, 2, 23, tzinfo=UTC), outgoing=True)
    assert (sent["CallFrom"], sent["CallTo"]) == ("08047112233", "09811122233")
    assert (sent["From"], sent["Direction"]) == ("09811122233", "outbound-dial")


def test_a_query_is_added_to() -> None:
    """What stands there stays, but for the names that are set."""
    assert with_query("http://h/p?a=1&b=", {"a": "2", "c": "x y"}) == "http://h/p?b=&a=2&c=x+y"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://h", "http://h/exotel/answer"),
        ("https://h:1/?auth_token=t", "https://h:1/exotel/answer?auth_token=t"),
        ("http://h/own/path?x=1", "http://h/own/path?x=1"),
    ],
)
def test_a_base_url_means_the_usual_path(url: str, asked: str) -> None:
    """A URL with a path of its own is taken as it is."""
    assert CallPlan(url=url).answer_url == asked


@pytest.mark.parametrize(
    ("query", "rate", "parameters"),
    [
        ("", None, dict[str, str]()),
        ("sample-rate=16000&a=1", 16000, {"a": "1"}),
        ("sample_rate=24000&x", 24000, {"x": ""}),
    ],
)
def test_a_streams_url_is_read(query: str, rate: int | None, parameters: dict[str, str]) -> None:
    """The rate is taken out, the rest are custom parameters, key-only ones too."""
    target = examine(f"wss://h/media?{query}")
    assert (target.sample_rate, target.custom_parameters, target.breaches) == (
        rate,
        parameters,
        (),
    )


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("wss://h/" + "p" * 592, Rule.STREAM_URL_LONG),
        ("wss://h/?a=1&b=2&c=3&d=4", Rule.STREAM_PARAMETERS),
        ("wss://h/?a=" + "x" * 255, Rule.STREAM_PARAMETERS),
        ("wss://h/?sample-rate=44100", Rule.STREAM_RATE),
        ("wss://h/?sample-rate=", Rule.STREAM_RATE),
    ],
)
def test_a_streams_url_has_limits(url: str, rule: Rule) -> None:
    """Each is a rule; one short of it is allowed."""
    assert [breach.rule for breach in examine(url).breaches] == [rule]


def test_one_short_of_a_limit_is_allowed() -> None:
    """599 characters, 256 of query, 3 parameters beside the rate."""
    assert examine("wss://h/" + "p" * 591).breaches == ()
    assert examine("wss://h/?a=" + "x" * 254).breaches == ()
    assert examine("wss://h/?a=1&b=2&c=3&sample-rate=8000").breaches == ()


@pytest.mark.parametrize("url", ["", "wss://", "/media", "http://h", "ws://[x", "ws://h:99999"])
def test_what_is_no_streams_url(url: str) -> None:
    """Only an absolute ws or wss URL can be opened."""
    assert not is_stream_url(url)
