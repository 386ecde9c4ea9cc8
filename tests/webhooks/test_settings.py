"""Where webhooks go, and what signs them: checked at the start."""

from __future__ import annotations

import pytest

from exobridge.errors import ConfigError
from exobridge.settings import Settings
from exobridge.webhooks.sender import Receiver
from tests.webhooks.world import SECRET, settings

URL = "https://crm.example.com/calls"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("crm.example.net", "is no https URL"),
        ("ftp://crm.example.com/", "is no https URL"),
        ("https://crm.example.com:x/", "is no https URL"),
        ("https://:443/", "is no https URL"),
        ("http://10.0.0.7/calls", "plain http"),
        ("https://me:word@crm.example.com/", "user's name or password"),
        ("https://crm.example.com/#part", "fragment"),
        ("https://crm.example.com/" + "x" * 2000, "longer than 2000"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, why: str) -> None:
    """With the reason, and without the URL."""
    with pytest.raises(ConfigError, match=why) as caught:
        settings(url)
    assert caught.value.where == "WEBHOOK_URL"
    assert url not in str(caught.value)


@pytest.mark.parametrize("url", ["https://10.0.0.7/calls", "http://127.0.0.1:9000/", URL + "?k=1"])
def test_the_users_own_system_may_be_anywhere(url: str) -> None:
    """Private addresses, this machine, a query."""
    receiver = Receiver.of(settings(url))
    assert receiver is not None
    assert receiver.url == url
    assert receiver.shown in url
    assert "?" not in receiver.shown + repr(receiver)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("short-secret", "shorter than 24 bytes"),
        ("whsec_c2hvcnQ=", "shorter than 24 bytes"),
        ("whsec_not base64 at all, and long", "no base64"),
        ("long enough to be one, with spaces", "spaces"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused(secret: str, why: str) -> None:
    """With the reason, and a line that makes a new one."""
    with pytest.raises(ConfigError, match=why) as caught:
        settings(URL, WEBHOOK_SIGNING_SECRET=secret)
    assert caught.value.where == "WEBHOOK_SIGNING_SECRET"
    assert "whsec_" in caught.value.cure


def test_nothing_is_sent_unsigned() -> None:
    """A URL without a secret stops the start; a secret alone sends nothing."""
    with pytest.raises(ConfigError, match="is missing"):
        Settings.read({"WEBHOOK_URL": URL})
    assert Receiver.of(Settings.read({"WEBHOOK_SIGNING_SECRET": SECRET})) is None


def test_types_are_named_as_they_are() -> None:
    """In whatever order; one that there is not is refused."""
    assert settings(URL, WEBHOOK_EVENTS="call.ended,call.placed").webhook_events == (
        "call.placed",
        "call.ended",
    )
    with pytest.raises(ConfigError, match="not sent"):
        settings(URL, WEBHOOK_EVENTS="call.ended,call.over")


def test_what_lets_in_is_a_secret() -> None:
    """The URL too: its path or its query may be what does."""
    assert {URL, SECRET} <= set(settings(URL).secrets())
    assert URL not in repr(settings(URL))
