"""URLs of flows: written in one way, read in both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.exotel.flows import app_id_of, flow_url


def test_a_flow_is_written_as_exotel_documents_it() -> None:
    """By http, as on the page of outgoing calls."""
    assert flow_url("acme1", "4711") == "http://my.exotel.com/acme1/exoml/start_voice/4711"


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip() == text))
def test_what_is_written_is_read(app_id: str) -> None:
    """Whatever stands in it, it gets out of its place in the path at no time."""
    try:
        app_id.encode()
    except UnicodeEncodeError:
        return
    assert app_id_of(flow_url("acme/1", app_id)) in (app_id, "")
    assert app_id_of(flow_url("acme1", "4711")) == "4711"


@pytest.mark.parametrize(
    ("url", "app_id"),
    [
        ("https://my.exotel.com/exoml/start/vip-flow", "vip-flow"),
        ("https://my.exotel.in/acme1/exoml/start_voice/12/", "12"),
        (" http://my.exotel.com/acme1/exoml/start_voice/12 ", "12"),
        ("https://my.exotel.com/exoml/start", ""),
        ("https://my.exotel.com.example.com/exoml/start/12", ""),
        ("ftp://my.exotel.com/exoml/start/12", ""),
        ("https://bot.example.com/exotel/answer", ""),
        ("https://[my.exotel.com/exoml/start/12", ""),
        ("", ""),
    ],
)
def test_only_a_flows_url_names_a_flow(url: str, app_id: str) -> None:
    """Of Exotel's own hosts."""
    assert app_id_of(url) == app_id
