"""The flow for a server of which nothing is known but where it is asked."""

from __future__ import annotations

from itertools import product

import pytest

from exobridge.simulator.flows.checks import disagreements
from exobridge.simulator.flows.conformance import Urls, conformance
from exobridge.simulator.flows.load import warnings

ALL = Urls("http://bot/answer", "http://bot/passthru", "http://bot/dial", "http://bot/status")


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://bot:8080", "http://bot:8080/exotel/answer"),
        ("https://bot/?auth_token=x", "https://bot/exotel/answer?auth_token=x"),
        ("https://bot/own/path", "https://bot/own/path"),
        ("wss://bot/stream", "wss://bot/stream"),
    ],
)
def test_a_server_is_asked_where_exobridge_call_asks_it(url: str, answer: str) -> None:
    """Without a path at the usual one, else at its own; a stream's URL is the stream's."""
    assert Urls.at(url) == Urls(answer=answer)


def test_the_usual_paths_stand_beside_the_usual_answer() -> None:
    """With the secret that stands behind it; what was given stays."""
    given = Urls(answer="https://bot/exotel/answer/secret", dial_up="https://bot/own")
    assert given.with_usual == Urls(
        answer="https://bot/exotel/answer/secret",
        passthru="https://bot/exotel/passthru/secret",
        dial_up="https://bot/own",
        callback="https://bot/exotel/callback/status/secret",
    )


@pytest.mark.parametrize("answer", ["https://bot/own/path", "wss://bot/stream", ""])
def test_no_path_is_guessed_where_the_answers_is_the_servers_own(answer: str) -> None:
    """Nothing is known of its others."""
    assert Urls(answer=answer).with_usual == Urls(answer=answer)


@pytest.mark.parametrize("given", list(product([True, False], repeat=4))[:-1])
@pytest.mark.parametrize("speaks", [True, False])
def test_whatever_is_given_the_flow_is_whole(given: tuple[bool, ...], speaks: bool) -> None:
    """Each applet that asks something is there and is reached, whatever the server answers."""
    names = ("answer", "passthru", "dial_up", "callback")
    urls = Urls(**{name: getattr(ALL, name) for name, has in zip(names, given, strict=True) if has})
    flow = conformance(urls, speaks=speaks)
    wanted = {
        "passthru": bool(urls.passthru),
        "dial": bool(urls.dial_up),
        "bot": bool(urls.answer),
        "end": True,
    }
    assert list(flow.applet) == [
        "end",
        *(name for name in wanted if name != "end" and wanted[name]),
    ]
    assert not list(disagreements(flow))
    assert not warnings(flow)
    assert (flow.callback is not None) == bool(urls.callback)
    assert [step.action for talk in flow.talk for step in talk.step if step.action == "say"] == (
        ["say", "say"] if urls.answer and speaks else []
    )
