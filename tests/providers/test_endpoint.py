"""An endpoint as a template names it."""

from __future__ import annotations

import pytest

from exobridge_providers.endpoint import checked_url, variable, with_variables
from exobridge_providers.errors import ProviderConfigError


@pytest.mark.parametrize(
    "url",
    [
        "https://bot.example/turn?x=1",
        "http://127.0.0.1:8000/v1",
        "http://127.9.9.9",
        "http://[::1]:8000/",
        "http://localhost/",
    ],
)
def test_https_may_go_anywhere_and_http_to_this_machine(url: str) -> None:
    """It is kept as it was written."""
    assert checked_url(url, allow_http=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://bot.example/",
        "http://localhost.evil.example/",
        "http://0.0.0.0/",
    ],
)
def test_http_elsewhere_has_to_be_allowed(url: str) -> None:
    """The message names the cure."""
    with pytest.raises(ValueError, match="allow_http = true"):
        checked_url(url, allow_http=False)
    assert checked_url(url, allow_http=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bot.example",
        "//bot.example",
        "https://",
        "ftp://bot.example",
        "https://a.example/#b",
        "https://a.example:secret/",
        "https://secret@bot.example/",
        "https://a:secret@bot.example/",
    ],
)
def test_other_urls_are_refused_and_not_repeated(url: str) -> None:
    """They may hold a key."""
    with pytest.raises(ValueError, match=r"no URL|credentials") as caught:
        checked_url(url, allow_http=True)
    assert "secret" not in str(caught.value)


def test_headers_may_name_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment, several in one; other braces and signs stay."""
    monkeypatch.setenv("ACME_KEY", " k-1 ")
    monkeypatch.setenv("ACME_TEAM", "t-2")
    given = {"a": "Bearer ${ACME_KEY}/${ACME_TEAM}", "b": "{caller} $5"}
    assert with_variables(given, "headers", "x") == {"a": "Bearer k-1/t-2", "b": "{caller} $5"}


@pytest.mark.parametrize("value", ["", "  ", "sécret", "sec\nret"])
def test_a_variable_that_cannot_be_used_is_told_by_its_name(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And by the option that names it; never by its value."""
    monkeypatch.setenv("ACME_KEY", value)
    with pytest.raises(ProviderConfigError, match=r"ACME_KEY, named by api_key_env") as caught:
        variable("ACME_KEY", "api_key_env", "x")
    assert caught.value.provider == "x"
    assert not value.strip() or value not in str(caught.value)
