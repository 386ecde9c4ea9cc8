"""Secrets at the edge: what proves itself and what does not."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from exobridge.web.tokens import Tokens, basic_password, proves_itself

KEY = "a-long-secret-key"
any_text = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)


def basic(credentials: bytes) -> str:
    return "Basic " + base64.b64encode(credentials).decode()


@pytest.mark.parametrize("call_sid", ["c1", "a" * 64, "ü/ß?&%", ""])
def test_a_token_is_good_for_its_call(call_sid: str) -> None:
    """More than once, in a URL as it is, and in every process that has the secret."""
    token = Tokens(KEY, 60).mint(call_sid)
    assert token.isascii()
    assert not set(token) & set("/?&#% +=")
    for _ in range(2):
        assert Tokens(KEY, 60).call_sid(token) == call_sid


def test_a_token_of_another_secret_is_none() -> None:
    """Also of a process that made up its own."""
    token = Tokens(KEY, 60).mint("c1")
    assert Tokens("another-secret-key", 60).call_sid(token) is None
    own = Tokens(None, 60)
    assert own.call_sid(own.mint("c1")) == "c1"
    assert own.call_sid(token) is None
    assert Tokens(None, 60).call_sid(own.mint("c1")) is None


def test_an_expired_token_is_none() -> None:
    """The age that counts is the reader's."""
    token = Tokens(KEY, 60).mint("c1")
    assert Tokens(KEY, -1).call_sid(token) is None


def test_a_token_signed_for_another_purpose_is_none() -> None:
    """The same key with another salt, and a payload that is no CallSid."""
    assert Tokens(KEY, 60).call_sid(str(URLSafeTimedSerializer(KEY).dumps("c1"))) is None
    signer = URLSafeTimedSerializer(KEY, salt="exobridge.stream")
    assert Tokens(KEY, 60).call_sid(str(signer.dumps(["c1"]))) is None


def test_a_changed_token_is_none() -> None:
    """Whichever part of it was changed or is missing."""
    tokens = Tokens(KEY, 60)
    token = tokens.mint("c1")
    assert len(token.split(".")) == 3
    for part in range(3):
        parts = token.split(".")
        parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
        assert tokens.call_sid(".".join(parts)) is None
        del parts[part]
        assert tokens.call_sid(".".join(parts)) is None


@given(any_text)
@pytest.mark.parametrize("tail", ["", ".a.b"])
def test_no_text_is_taken_for_a_token(tail: str, text: str) -> None:
    """Non-ASCII text and lone surrogates too: it is none, and nothing is raised."""
    assert Tokens(KEY, 60).call_sid(text + tail) is None


def test_the_secret_proves_itself_wherever_it_is_offered() -> None:
    """In any place among others."""
    assert proves_itself(KEY, [KEY])
    assert proves_itself(KEY, ["", "wrong", KEY])
    assert proves_itself("gehëim-वचन", ["gehëim-वचन"])


@pytest.mark.parametrize("offered", [[], [""], ["wrong"], [KEY[:-1]], [KEY + "x"], [KEY.upper()]])
def test_nothing_else_does(offered: list[str]) -> None:
    """Not a part of it, not more than it."""
    assert not proves_itself(KEY, offered)


def test_an_empty_secret_lets_nobody_in() -> None:
    """It is no secret."""
    assert not proves_itself("", ["", "a"])


@given(any_text, st.lists(any_text, max_size=4))
def test_any_text_may_be_offered(secret: str, offered: list[str]) -> None:
    """It is the secret or it is not; nothing is raised."""
    assert proves_itself(secret, offered) == (secret != "" and secret in offered)


@pytest.mark.parametrize(
    ("header", "password"),
    [
        (basic(b"user:pass"), "pass"),
        (basic(b"user:p:a:s"), "p:a:s"),
        (basic(b":pass"), "pass"),
        (basic("user:pässwörd".encode()), "pässwörd"),
        (basic(b"user:pass").replace("Basic", "bAsIc"), "pass"),
        (basic(b"user"), ""),
        ("Basic", ""),
        ("Basic !!!", ""),
        ("Basic dXNlcjpwYXNz=====x", ""),
        ("Basic ключ", ""),
        ("Bearer dXNlcjpwYXNz", ""),
        ("", ""),
    ],
)
def test_the_password_of_basic_credentials(header: str, password: str) -> None:
    """What cannot be read has none."""
    assert basic_password(header) == password


@given(any_text)
def test_any_header_may_come(header: str) -> None:
    """Nothing is raised."""
    basic_password(header)
    basic_password(f"Basic {header}")


def test_a_token_for_a_dial_is_none_for_a_call() -> None:
    """And the other way round, though both say the same."""
    tokens = Tokens(KEY, 60)
    of_dial, of_call = tokens.mint_for_dial("xb:d1:1"), tokens.mint("xb:d1:1")
    assert Tokens(KEY, 60).dial(of_dial) == "xb:d1:1"
    assert tokens.dial(of_call) is None
    assert tokens.call_sid(of_dial) is None
    assert Tokens("another-secret-key", 60).dial(of_dial) is None


def test_a_token_for_a_dial_outlasts_the_ringing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is minted before Exotel is asked: for half a minute that may take, and a minute it may
    ring. However short others last, it is good for five minutes."""
    tokens = Tokens(KEY, 1)
    of_dial, of_call = tokens.mint_for_dial("xb:d1:1"), tokens.mint("c1")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 290)
    assert tokens.dial(of_dial) == "xb:d1:1"
    assert tokens.call_sid(of_call) is None
    monkeypatch.setattr(time, "time", lambda: now + 302)
    assert tokens.dial(of_dial) is None
