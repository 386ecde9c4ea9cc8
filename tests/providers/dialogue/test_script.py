"""The options of a scripted dialogue, as they stand in a template."""

from __future__ import annotations

import tomllib

import pytest

from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.registry import Kind, create

GOOD = """
variables = { plan = "basic" }
give_up = { reply = "One moment.", transfer = "support" }
[[intents]]
name = "order"
phrases = ["where is my order"]
reply = ["Order {order_id} of {caller} is on its way.", "{plan}"]
[[intents.slots]]
name = "order_id"
kind = "digits"
length = 4
ask = "Which order?"
"""


def test_a_good_script_is_taken() -> None:
    """One text may stand for a list of texts."""
    create(Kind.DIALOGUE, "scripted", tomllib.loads(GOOD))


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("", "intents: Field required"),
        ("intents = []", "intents: Tuple should have at least 1 item"),
        ("[[intents]]\nname = 'a'\nreply = 'x'", "'a': needs phrases or digits"),
        ("[[intents]]\nname = 'a'\nphrases = ['b']", "'a': needs a reply, transfer"),
        ("[[intents]]\nname = 'a'\nphrases = ['?!']\nreply = 'x'", "phrases: .*has no words"),
        ("[[intents]]\nname = 'A b'\nphrases = ['b']\nreply = 'x'", "name: String should match"),
        ("[[intents]]\nname = 'a'\ndigits = 'x'\nreply = 'x'", "digits: String should match"),
        ("[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'x'\n" * 2, "two intents are named 'a'"),
        (
            "[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'x'\n"
            "[[intents]]\nname = 'b'\ndigits = '1'\nreply = 'x'",
            "two intents have the digits '1'",
        ),
        (
            "[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'Hello {nmae}'",
            "intent 'a': the text uses {nmae}, .*known: called, caller",
        ),
        ("[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'Hello {'", "a brace in the text"),
        ("[[intents]]\nname = 'a'\ndigits = '1'\nreply = '{caller.x}'", "a brace in the text"),
        (
            "[[intents]]\nname = 'a'\ndigits = '1'\nhang_up = true\ninterruptible = false",
            "'a': interruptible is about a reply",
        ),
        (
            "[[intents]]\nname = 'a'\ndigits = '1'\ntransfer = 'x'\nhang_up = true",
            "either transfer or hang_up",
        ),
        (
            "[[intents]]\nname = 'a'\ndigits = '1'\nrepeat = true\nhang_up = true",
            "repeat goes with phrases",
        ),
        (
            "give_up = { reply = 'x' }\n[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'x'",
            "give_up",
        ),
        ("fallback = '{x}'\n[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'x'", "fallback: .*{x}"),
        ("fallback = []\n[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'x'", "fallback: Tuple"),
        ("[[intents]]\nname = 'a'\ndigits = '1'\nreplay = 'x'", "replay: Extra inputs"),
    ],
)
def test_a_bad_script_is_refused_with_the_place_and_the_reason(toml: str, problem: str) -> None:
    """Found when the template is read, not in a call."""
    with pytest.raises(ProviderConfigError, match=problem):
        create(Kind.DIALOGUE, "scripted", tomllib.loads(toml))


@pytest.mark.parametrize(
    ("slot", "problem"),
    [
        ("kind = 'text'\nlength = 4", "a length is for kind"),
        ("kind = 'digits'\nlength = 4\nmin_length = 2", "either length, or"),
        ("kind = 'digits'\nmin_length = 5\nmax_length = 4", "min_length is above"),
        ("kind = 'number'", "kind: Input should be 'digits' or 'text'"),
        ("kind = 'text'\nretry = 'Is {s} right?'", "slot 's': the text uses {s}"),
    ],
)
def test_a_bad_slot_is_refused(slot: str, problem: str) -> None:
    """A question cannot use the answer that it asks for, either."""
    toml = (
        "[[intents]]\nname = 'a'\ndigits = '1'\nreply = '{s}'\n"
        f"[[intents.slots]]\nname = 's'\nask = 'What?'\n{slot}"
    )
    with pytest.raises(ProviderConfigError, match=problem):
        create(Kind.DIALOGUE, "scripted", tomllib.loads(toml))


def test_a_slot_cannot_hide_a_variable() -> None:
    """``{caller}`` means one thing everywhere."""
    toml = (
        "[[intents]]\nname = 'a'\ndigits = '1'\nreply = 'x'\n"
        "[[intents.slots]]\nname = 'caller'\nask = 'Who?'"
    )
    with pytest.raises(ProviderConfigError, match="'caller' hides a variable"):
        create(Kind.DIALOGUE, "scripted", tomllib.loads(toml))
