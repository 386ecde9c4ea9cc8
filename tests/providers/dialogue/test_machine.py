"""A scripted conversation, turn by turn."""

from __future__ import annotations

import tomllib
from typing import Any

from exobridge_providers.base import Action, HangUp, Say, Transfer, UserTurn
from exobridge_providers.dialogue.machine import Conversation
from exobridge_providers.dialogue.script import ScriptedOptions

SHOP = tomllib.loads("""
fallback = ["Sorry?", "Pardon?"]
max_fallbacks = 3
give_up = { reply = "I will get somebody.", transfer = true }
variables = { plan = "basic" }
[[intents]]
name = "hours"
phrases = ["opening hours", "when are you open"]
digits = "1"
reply = ["Nine to six.", "As I said, nine to six."]
[[intents]]
name = "order"
phrases = ["order status", "where is my order"]
digits = "2"
reply = "Order {order_id} was shipped."
[[intents.slots]]
name = "order_id"
kind = "digits"
length = 4
ask = "Your order number?"
retry = "Four digits, please."
[[intents]]
name = "callback"
phrases = ["call me back"]
reply = "We will call {name} at {caller}, party of {people}."
[[intents.slots]]
name = "name"
ask = "Your name?"
[[intents.slots]]
name = "people"
ask = "How many, {name}?"
[[intents]]
name = "agent"
phrases = ["agent", "speak to someone"]
digits = "0"
reply = "I will connect you."
transfer = "support"
[[intents]]
name = "again"
phrases = ["repeat", "what did you say"]
repeat = true
reply = "I said:"
[[intents]]
name = "plan"
phrases = ["my plan"]
reply = "You have {plan}."
[[intents]]
name = "bye"
phrases = ["goodbye", "that is all"]
reply = "Goodbye."
hang_up = true
""")


def _talk(**changes: Any) -> Conversation:
    script = ScriptedOptions.model_validate({**SHOP, **changes})
    return Conversation(script, {"caller": "+919900000001"}, greeting="Welcome.")


def _say(talk: Conversation, text: str = "", digits: str = "") -> list[Action]:
    return talk.answer(UserTurn(text=text, digits=digits))


def test_a_phrase_is_understood_within_a_sentence() -> None:
    """Case and punctuation do not count."""
    assert _say(_talk(), "Hi! WHEN are you open, please?") == [Say("Nine to six.")]


def test_several_replies_are_used_in_turn() -> None:
    """And again from the first."""
    talk = _talk()
    said = [_say(talk, "opening hours") for _ in range(3)]
    first, second = [Say("Nine to six.")], [Say("As I said, nine to six.")]
    assert said == [first, second, first]


def test_a_key_is_an_intent_and_so_is_its_digit_spoken() -> None:
    """ "Press or say one"."""
    assert _say(_talk(), digits="1") == [Say("Nine to six.")]
    assert _say(_talk(), digits="1#") == [Say("Nine to six.")]
    assert _say(_talk(), "One.") == [Say("Nine to six.")]
    assert _say(_talk(), "one moment") == [Say("Sorry?")]


def test_the_longest_phrase_wins_and_priority_before_it() -> None:
    """ "Order status from an agent" is about the order, unless agents come first."""
    assert _say(_talk(), "order status from an agent") == [Say("Your order number?")]
    intents = [
        {**intent, "priority": 1} if intent["name"] == "agent" else intent
        for intent in SHOP["intents"]
    ]
    first = _say(_talk(intents=intents), "order status from an agent")
    assert first[0] == Say("I will connect you.")


def test_a_missing_slot_is_asked_for_and_filled_by_voice_or_keys() -> None:
    """Then the reply uses it."""
    for text, digits in (
        ("it's four seven one two", ""),
        ("47 12", ""),
        ("double four one two", ""),
        ("", "4712"),
        ("", "99*4712#"),
    ):
        talk = _talk()
        assert _say(talk, "where is my order") == [Say("Your order number?")]
        number = "4412" if "double" in text else "4712"
        assert _say(talk, text, digits) == [Say(f"Order {number} was shipped.")]


def test_a_slot_said_with_the_wish_is_not_asked_for() -> None:
    """ "Where is my order 4712"; one of a wrong length is asked for."""
    assert _say(_talk(), "Where is my order 4712?") == [Say("Order 4712 was shipped.")]
    assert _say(_talk(), "Where is my order 47?") == [Say("Your order number?")]


def test_slots_are_asked_one_after_the_other_each_time_anew() -> None:
    """A later question may use an earlier answer; the next time nothing is left of it."""
    talk = _talk()
    for name in ("Asha", "Ravi"):
        assert _say(talk, "call me back") == [Say("Your name?")]
        assert _say(talk, f"{name}.") == [Say(f"How many, {name}?")]
        assert _say(talk, "one") == [Say(f"We will call {name} at +919900000001, party of one.")]


def test_a_wrong_answer_is_asked_again_in_other_words() -> None:
    """Too few digits are no answer."""
    talk = _talk()
    _say(talk, "order status")
    assert _say(talk, digits="47") == [Say("Four digits, please.")]
    assert _say(talk, "I do not know") == [Say("Four digits, please.")]
    assert _say(talk, digits="4712") == [Say("Order 4712 was shipped.")]


def test_another_wish_is_followed_in_the_middle_of_a_question() -> None:
    """A caller who wants an agent is not asked for digits."""
    talk = _talk()
    _say(talk, "order status")
    assert _say(talk, "let me speak to someone")[0] == Say("I will connect you.")
    assert _say(talk, "4712") == [Say("Sorry?")]  # the question is not open any more


def test_an_answer_that_holds_a_phrase_is_an_answer() -> None:
    """ "My agent is Ravi" is a name here; "agent" alone is a wish."""
    talk = _talk()
    _say(talk, "call me back")
    assert _say(talk, "my agent is Ravi") == [Say("How many, my agent is Ravi?")]
    assert _say(talk, "agent")[0] == Say("I will connect you.")


def test_keys_that_are_no_answer_may_be_a_wish() -> None:
    """0 is the agent while a name is asked for, but a digit while a number is."""
    talk = _talk()
    _say(talk, "call me back")
    assert _say(talk, digits="0")[0] == Say("I will connect you.")
    talk = _talk()
    _say(talk, "order status")
    assert _say(talk, digits="0") == [Say("Four digits, please.")]


def test_repeating_says_the_last_text_and_keeps_the_question_open() -> None:
    """Also the greeting, before anything else was said."""
    talk = _talk()
    assert _say(talk, "what did you say?") == [Say("I said:"), Say("Welcome.")]
    _say(talk, "order status")
    for _ in range(2):
        assert _say(talk, "repeat that") == [Say("I said:"), Say("Your order number?")]
    assert _say(talk, "4712") == [Say("Order 4712 was shipped.")]


def test_a_transfer_carries_what_was_asked_for() -> None:
    """So that the colleague need not ask again."""
    talk = _talk()
    _say(talk, "order status 4712")
    assert _say(talk, "agent") == [
        Say("I will connect you."),
        Transfer("support", summary="Asked for: order (order_id 4712); agent."),
    ]


def test_a_goodbye_hangs_up() -> None:
    """After it was said; "good bye" in two words too."""
    assert _say(_talk(), "okay, good bye") == [Say("Goodbye."), HangUp("bye")]


def test_what_is_not_understood_gets_the_fallbacks_and_then_the_end() -> None:
    """Three in a row; one that is understood starts the count anew."""
    talk = _talk()
    assert _say(talk, "blah") == [Say("Sorry?")]
    assert _say(talk, "blah") == [Say("Pardon?")]
    _say(talk, "opening hours")
    assert _say(talk, "blah") == [Say("Sorry?")]
    assert _say(talk, "blah") == [Say("Pardon?")]
    assert _say(talk, "blah") == [Say("I will get somebody."), Transfer("", "Asked for: hours.")]
    assert _say(talk, "blah") == [Say("Sorry?")]


def test_giving_up_drops_the_open_question() -> None:
    """When nobody took the transfer the caller starts anew."""
    talk = _talk()
    _say(talk, "order status")
    said = [_say(talk, "blah") for _ in range(3)]
    assert said[-1][-1] == Transfer("", "")
    assert _say(talk, "blah") == [Say("Sorry?")]


def test_without_give_up_the_fallback_goes_on() -> None:
    """For ever, if need be."""
    talk = _talk(give_up=None)
    assert [_say(talk, "blah")[0] for _ in range(4)][-1] == Say("Pardon?")


def test_an_empty_turn_is_not_answered() -> None:
    """A cough is no question."""
    assert _say(_talk(), " ...") == []


def test_a_variable_has_the_call_s_value_or_the_script_s() -> None:
    """``plan`` is a parameter of the stream that may be missing."""
    script = ScriptedOptions.model_validate(SHOP)
    assert _say(Conversation(script, {}), "my plan") == [Say("You have basic.")]
    assert _say(Conversation(script, {"plan": "gold"}), "my plan") == [Say("You have gold.")]


def test_a_value_with_braces_is_only_text() -> None:
    """What comes from outside is not looked into for variables."""
    script = ScriptedOptions.model_validate(SHOP)
    assert _say(Conversation(script, {"plan": "{caller}"}), "my plan") == [
        Say("You have {caller}.")
    ]
