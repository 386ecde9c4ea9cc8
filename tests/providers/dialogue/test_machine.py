"""A scripted conversation, turn by turn."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from exobridge_providers.base import Action, CollectDigits, HangUp, Say, Transfer, UserTurn
from exobridge_providers.dialogue.machine import Conversation, menu_keys
from exobridge_providers.dialogue.script import Intent, ScriptedOptions

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
name = "terms"
phrases = ["terms"]
reply = "Calls are recorded."
interruptible = false
[[intents]]
name = "card"
phrases = ["my card"]
reply = "Card {card}."
[[intents.slots]]
name = "card"
kind = "digits"
min_length = 12
max_length = 19
ask = "Your card?"
[[intents]]
name = "bye"
phrases = ["goodbye", "that is all"]
reply = "Goodbye."
hang_up = true
""")

ORDER = [CollectDigits(4), Say("Your order number?")]
MENU = CollectDigits(1)
FOUR_DIGITS = [CollectDigits(4), Say("Four digits, please.")]


def _talk(**changes: Any) -> Conversation:
    script = ScriptedOptions.model_validate({**SHOP, **changes})
    return Conversation(script, {"caller": "+919900000001"}, greeting="Welcome.")


def _say(talk: Conversation, text: str = "", digits: str = "") -> list[Action]:
    """The answer, without the keys of the menu being asked for."""
    return [each for each in talk.answer(UserTurn(text=text, digits=digits)) if each != MENU]


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
    assert _say(_talk(), "order status from an agent") == ORDER
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
        assert _say(talk, "where is my order") == ORDER
        number = "4412" if "double" in text else "4712"
        assert _say(talk, text, digits) == [Say(f"Order {number} was shipped.")]


def test_a_slot_said_with_the_wish_is_not_asked_for() -> None:
    """ "Where is my order 4712"; one of a wrong length is asked for."""
    assert _say(_talk(), "Where is my order 4712?") == [Say("Order 4712 was shipped.")]
    assert _say(_talk(), "Where is my order 47?") == ORDER


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
    assert _say(talk, digits="47") == FOUR_DIGITS
    assert _say(talk, "I do not know") == FOUR_DIGITS
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
    assert _say(talk, digits="0") == FOUR_DIGITS


def test_repeating_says_the_last_text_and_keeps_the_question_open() -> None:
    """Also the greeting, before anything else was said."""
    talk = _talk()
    assert _say(talk, "what did you say?") == [Say("I said:"), Say("Welcome.")]
    _say(talk, "order status")
    for _ in range(2):
        keys, question = ORDER
        assert _say(talk, "repeat that") == [keys, Say("I said:"), question]
    assert _say(talk, "4712") == [Say("Order 4712 was shipped.")]


def test_a_transfer_carries_what_was_asked_for() -> None:
    """So that the colleague need not ask again."""
    talk = _talk()
    _say(talk, "order status 4712")
    assert _say(talk, "agent") == [
        Say("I will connect you."),
        Transfer("support", summary="Asked for: order (order_id 4712); agent."),
    ]


def test_where_nobody_can_be_had_the_script_goes_on() -> None:
    """The host has the words for it, and the menu is open again."""
    talk = _talk()
    _say(talk, "agent")
    assert talk.answer(UserTurn(transfer_failed="closed")) == [MENU]
    assert _say(talk, "opening hours") == _say(_talk(), "opening hours")


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


# ------------------------------------------------------------------ keys


def test_keys_are_asked_for_where_their_number_is_known() -> None:
    """So that the last one ends the turn; before the question, which a caller may press into."""
    assert _say(_talk(), "order status") == [CollectDigits(4), Say("Your order number?")]
    assert _say(_talk(), "my card") == [Say("Your card?")]
    talk = _talk()
    _say(talk, "call me back")
    assert _say(talk, "Asha") == [Say("How many, Asha?")]


def test_a_key_of_the_menu_is_asked_for_with_each_answer() -> None:
    """Unless it ends the call, or asks for digits; but a name may be a key, too."""
    talk = _talk()
    for text in ("opening hours", "call me back", "Asha", "repeat", "two", "blah"):
        assert talk.answer(UserTurn(text))[0] == MENU
    for text in ("order status", "my card", "agent", "goodbye"):
        assert MENU not in talk.answer(UserTurn(text))


@pytest.mark.parametrize(
    ("choices", "keys"),
    [
        (("1", "2"), MENU),
        (("1", "#"), CollectDigits(1, terminator="")),
        (("1",), None),
        (("1", "22"), None),
        ((), None),
    ],
)
def test_a_menu_is_two_choices_or_more_of_one_key_each(
    choices: tuple[str, ...], keys: CollectDigits | None
) -> None:
    """``#`` may be one of them."""
    intents = [
        Intent(name="other", phrases=("other",), reply=("Yes.",)),
        *(Intent(name=f"i{key.strip('#')}", digits=key, reply=("Yes.",)) for key in choices),
    ]
    assert menu_keys(ScriptedOptions(intents=tuple(intents))) == keys


def test_waiting_for_keys_in_vain_does_not_count() -> None:
    """The question stays open, and who speaks the digits is understood."""
    talk = _talk()
    _say(talk, "order status")
    assert [_say(talk) for _ in range(5)] == [[]] * 5
    assert _say(talk, "four seven one two") == [Say("Order 4712 was shipped.")]


def test_an_entry_is_begun_anew_though_the_keys_were_counted() -> None:
    """``*`` forgets those before it; the rest is asked for without a word."""
    talk = _talk()
    _say(talk, "order status")
    assert _say(talk, digits="99*4") == [CollectDigits(3)]
    assert _say(talk, digits="7*4") == [CollectDigits(3)]
    assert _say(talk, digits="712") == [Say("Order 4712 was shipped.")]


def test_an_entry_that_was_begun_anew_and_left_is_asked_for_again() -> None:
    """As one of too few keys is."""
    talk = _talk()
    _say(talk, "order status")
    _say(talk, digits="471*")
    assert _say(talk) == FOUR_DIGITS
    _say(talk, digits="99*4")
    assert _say(talk, digits="7") == FOUR_DIGITS
    assert _say(talk, digits="4712") == [Say("Order 4712 was shipped.")]


# ------------------------------------------------------------------ what must be heard


def test_a_reply_that_must_be_heard_is_not_interrupted_however_often_it_is_said() -> None:
    """What is said around it may be."""
    talk = _talk()
    terms = Say("Calls are recorded.", interruptible=False)
    assert _say(talk, "your terms") == [terms]
    assert _say(talk, "repeat") == [Say("I said:"), terms]
