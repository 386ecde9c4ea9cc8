"""What a look-up is told of a call."""

from __future__ import annotations

from exobridge.routing.facts import Facts

FACTS = Facts(
    "c1",
    caller="+919811122233",
    called="+918047112233",
    direction="outgoing",
    custom_field="order 7",
    digits="42",
    dial_status="busy",
    endpoint="greeting",
    is_open=False,
    asked_rules=("vip",),
)


def test_a_lookup_is_told_of_the_call_as_json() -> None:
    """With the version of it; who asks, and for what, is our own matter."""
    assert FACTS.message() == {
        "version": 1,
        "event": "lookup",
        "call": {
            "sid": "c1",
            "caller": "+919811122233",
            "called": "+918047112233",
            "direction": "outgoing",
            "custom_field": "order 7",
        },
        "digits": "42",
        "dial_status": "busy",
    }


def test_a_get_is_told_the_same_in_its_query() -> None:
    """Flat, each a text."""
    message = FACTS.message()
    call = message["call"]
    assert FACTS.query() == {
        "call_sid": call["sid"],
        **{name: call[name] for name in ("caller", "called", "direction", "custom_field")},
        **{name: message[name] for name in ("digits", "dial_status")},
    }
