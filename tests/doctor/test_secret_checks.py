"""The secrets of the settings."""

from __future__ import annotations

import secrets

import pytest

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, Level
from exobridge.doctor.secret_checks import MIN_BITS, bits, look
from exobridge.settings import Settings
from tests.doctor.looking import SECRET, of, one


def looked(**variables: str) -> list[Finding]:
    """The findings for these settings."""
    return look(Case(Settings.read(variables)))


def test_without_a_secret_it_is_told_who_is_served() -> None:
    """This machine alone; with networks, they."""
    assert one(looked(), "secrets.webhook").level is Level.INFO
    assert one(looked(ALLOWED_NETWORKS="203.0.113.0/24"), "secrets.webhook").level is Level.OK
    assert one(looked(EXOBRIDGE_SECRET=SECRET), "secrets.webhook").level is Level.OK


@pytest.mark.parametrize("name", ["EXOBRIDGE_SECRET", "METRICS_TOKEN"])
def test_a_secret_of_few_letters_is_weak(name: str) -> None:
    """Long is not enough; the cure names the variable."""
    weak = one(looked(**{name: "ababababababababababab"}), "secrets.strength")
    assert weak.level is Level.WARNING
    assert f"set {name} to it" in weak.cure
    assert one(looked(**{name: SECRET}), "secrets.strength").level is Level.OK


def test_a_secret_as_the_cure_makes_it_is_strong() -> None:
    """Every one of them, with much to spare."""
    assert min(bits(secrets.token_urlsafe(32)) for _ in range(200)) > 2 * MIN_BITS


def test_one_secret_for_two_things_is_told() -> None:
    """Key and token alike cannot be right; ours and Exotel's alike is a risk."""
    pair = {"EXOTEL_API_KEY": SECRET, "EXOTEL_API_TOKEN": "another-value-of-it"}
    shared = one(looked(EXOBRIDGE_SECRET=SECRET, **pair), "secrets.shared")
    assert shared.level is Level.WARNING
    assert "EXOBRIDGE_SECRET and EXOTEL_API_KEY" in shared.found
    pair["EXOTEL_API_TOKEN"] = SECRET
    assert one(looked(**pair), "secrets.shared").level is Level.ERROR
    assert of(looked(EXOBRIDGE_SECRET=SECRET, METRICS_TOKEN=SECRET + "x"), "secrets.shared") == []


def test_the_sid_has_to_be_there_and_another_value_than_the_key() -> None:
    """With key and token."""
    pair = {"EXOTEL_API_KEY": "key-of-the-test", "EXOTEL_API_TOKEN": "token-of-the-test"}
    assert one(looked(), "secrets.exotel").level is Level.INFO
    assert one(looked(**pair), "secrets.exotel").level is Level.WARNING
    assert one(looked(**pair, EXOTEL_SID="acme1"), "secrets.exotel").level is Level.OK
    pasted = looked(**pair, EXOTEL_SID="key-of-the-test")
    assert one(pasted, "secrets.exotel").level is Level.ERROR
