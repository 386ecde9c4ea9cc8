"""The history of a call is what the caller heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.base import CallContext, Said, UserTurn
from exobridge_providers.dialogue.history import Exchange, History, ToolCall, heard_until

ANSWER = "Your order was shipped today. It comes on Monday. Anything else?"


def opened(greeting: str, max_chars: int, *said: Said) -> History:
    """The history of a call that begins, or is taken over."""
    return History(CallContext("call-1", greeting=greeting, history=said), max_chars)


def talk(history: History, turn: UserTurn, answer: str, *, finished: bool = True) -> Exchange:
    """A turn and its answer."""
    exchange = history.begin(turn)
    exchange.step().text = answer
    exchange.finished = finished
    return exchange


def told(history: History) -> list[tuple[str, str]]:
    """Each exchange's words."""
    return [(exchange.turn.text if exchange.turn else "", exchange.said) for exchange in history]


@pytest.mark.parametrize(
    ("said", "heard", "end"),
    [
        (ANSWER, "Your order was", "Your order was"),
        (ANSWER, "your ORDER was shipped today", "Your order was shipped today."),
        (ANSWER, ANSWER, ANSWER),
        (ANSWER, "It comes on", "Your order was shipped today. It comes on"),
        (
            "See [our page](https://a.example/b) now, please",
            "See our page now",
            "See [our page](https://a.example/b) now,",
        ),
        ("**Nine** to *six*.", "Nine to", "**Nine** to"),
        ("आपका ऑर्डर कल आएगा।", "आपका ऑर्डर", "आपका ऑर्डर"),
        ("No, no, no way.", "no no no", "No, no, no"),
    ],
)
def test_what_was_heard_is_found_in_what_was_written(said: str, heard: str, end: str) -> None:
    """Whatever markup lies between, and from the middle on when the bot went on there."""
    assert said[: heard_until(said, heard) or 0] == end


@pytest.mark.parametrize("heard", ["", "...", "Are you still there?", "Your call was dropped"])
def test_what_is_no_part_of_it_is_not_found(heard: str) -> None:
    """A line of the host's is not the dialogue's."""
    assert heard_until(ANSWER, heard) is None


def test_an_answer_that_was_cut_counts_as_far_as_it_was_heard() -> None:
    """And the model is told that it was interrupted."""
    history = opened("", 10_000)
    talk(history, UserTurn("where is my order"), ANSWER)
    last = history.begin(UserTurn("no wait", interrupted=True, heard="Your order was"))
    assert told(history) == [("where is my order", "Your order was"), ("no wait", "")]
    assert last.user.endswith("\nno wait")
    assert "interrupted" in last.user


def test_an_interruption_before_the_first_word_leaves_nothing_of_the_answer() -> None:
    """The caller's turn stays."""
    history = opened("", 10_000)
    talk(history, UserTurn("where is my order"), ANSWER, finished=False)
    last = history.begin(UserTurn("hello?", interrupted=True))
    assert told(history) == [("where is my order", ""), ("hello?", "")]
    assert last.user == "hello?"  # no words stand above which it could have cut


def test_the_rest_of_an_answer_belongs_to_it() -> None:
    """What is said when a transfer cannot be had: one exchange, heard as one."""
    history = opened("", 10_000)
    first = talk(history, UserTurn("a human please"), "One moment.", finished=False)
    rest = talk(history, UserTurn(transfer_failed="closed"), "They come at nine.")
    assert rest is first
    whole = "One moment. They come at nine."
    assert told(history) == [("a human please", whole)]
    history.begin(UserTurn("thanks", heard=whole))
    assert told(history) == [("a human please", whole), ("thanks", "")]


def test_the_rest_of_an_answer_of_which_nothing_is_known_begins_one() -> None:
    """As where a dialogue takes over at that very moment."""
    history = opened("", 10_000)
    talk(history, UserTurn(transfer_failed="closed"), "They come at nine.")
    assert told(history) == [("", "They come at nine.")]


LINE = "This is a colleague of mine."


def test_an_operators_line_is_the_bots_word() -> None:
    """It stands behind the answer, as far as that was heard, and before the caller's reply."""
    history = opened("", 10_000)
    talk(history, UserTurn("where is my order"), ANSWER)
    history.begin(UserTurn("who is it", heard="Your order was", operator=LINE))
    assert told(history) == [("where is my order", f"Your order was {LINE}"), ("who is it", "")]


def test_an_operators_line_is_told_again_with_a_turn_that_was_taken_back() -> None:
    """It counts once."""
    history = opened("Hello.", 10_000)
    talk(history, UserTurn("who", heard="Hello.", operator=LINE), "Me.", finished=False)
    history.begin(UserTurn("who is it", heard="Hello.", operator=LINE))
    assert told(history) == [("", f"Hello. {LINE}"), ("who is it", "")]


def test_an_operators_line_may_be_the_first_word_of_a_call() -> None:
    """A bot without a greeting has said nothing before."""
    history = opened("", 10_000)
    history.begin(UserTurn("who is it", operator=LINE))
    assert told(history) == [("", LINE), ("who is it", "")]


def test_the_greeting_can_be_cut_too() -> None:
    """It is the first thing said."""
    history = opened("Welcome to Acme. How can I help?", 10_000)
    history.begin(UserTurn("agent", interrupted=True, heard="Welcome to"))
    assert told(history) == [("", "Welcome to"), ("agent", "")]


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("heard", ["", "It is nine."])
@pytest.mark.parametrize("interrupted", [True, False])
def test_an_answer_that_was_taken_back_leaves_no_trace(
    finished: bool, heard: str, interrupted: bool
) -> None:
    """The caller had not finished, and the next turn holds both parts; the host may tell what was
    heard before."""
    history = opened("", 10_000)
    talk(history, UserTurn("what time is it"), "It is nine.")
    talk(history, UserTurn("I want", heard="It is nine."), ANSWER, finished=finished)
    last = history.begin(UserTurn("I want to go", interrupted=interrupted, heard=heard))
    assert told(history) == [("what time is it", "It is nine."), ("I want to go", "")]
    assert last.user == "I want to go"


def test_a_guess_that_was_closed_leaves_no_trace_even_if_the_text_changed() -> None:
    """A recogniser may change its mind between the eager end and the end."""
    history = opened("", 10_000)
    talk(history, UserTurn("book of light"), "Which book?", finished=False)
    history.begin(UserTurn("book a flight"))
    assert told(history) == [("book a flight", "")]


def test_what_tools_did_stays() -> None:
    """They must not do it twice, though the answer was taken back."""
    history = opened("", 10_000)
    exchange = history.begin(UserTurn("book it"))
    exchange.step().calls = [ToolCall("1", "book", "{}", '{"ok": true}', done=True)]
    exchange.step().text = "It is booked."
    history.begin(UserTurn("book it for two"))
    first, second = history
    assert first is exchange
    assert first.worked
    assert (first.said, second.user) == ("", "book it for two")


def test_a_cut_goes_through_the_steps_of_an_answer() -> None:
    """What was said before a tool was called, and after."""
    history = opened("", 10_000)
    exchange = history.begin(UserTurn("book it"))
    before = exchange.step()
    before.text, before.calls = "One moment.", [ToolCall("1", "book", "{}", "{}", done=True)]
    exchange.step().text = "It is booked for nine."
    history.begin(UserTurn("no", interrupted=True, heard="One moment. It is booked"))
    assert [step.text for step in exchange.steps] == ["One moment.", "It is booked"]
    assert before.calls


def test_a_line_of_the_hosts_is_added() -> None:
    """The bot said it; the model has to know."""
    history = opened("", 10_000)
    talk(history, UserTurn("hello"), ANSWER)
    history.begin(UserTurn("hello", heard="Are you still there?"))
    assert told(history) == [("hello", f"{ANSWER} Are you still there?"), ("hello", "")]


def test_an_interrupted_line_of_the_hosts_leaves_the_answer_whole() -> None:
    """It was heard before that line."""
    history = opened("", 10_000)
    talk(history, UserTurn("hello"), ANSWER)
    history.begin(UserTurn("yes yes", interrupted=True, heard="Are you"))
    assert told(history)[0] == ("hello", f"{ANSWER} Are you")


def test_a_host_that_tells_nothing_of_what_was_heard_is_believed() -> None:
    """A turn that was not interrupted follows an answer that was heard."""
    history = opened("", 10_000)
    talk(history, UserTurn("hello"), ANSWER)
    history.begin(UserTurn(digits="7"))
    assert told(history)[0] == ("hello", ANSWER)


def test_keys_are_told_in_words() -> None:
    """With what was said meanwhile."""
    exchange = opened("", 10_000).begin(UserTurn("my pin", digits="42"))
    assert exchange.user == "my pin\n(I pressed the keys 42)"


def test_the_oldest_is_forgotten() -> None:
    """With room to spare, so that not each turn changes how the conversation begins."""
    history = opened("Welcome.", 1000)
    for number in range(9):
        talk(history, UserTurn(f"q{number}"), "x" * 98)
    assert told(history)[0][0] == ""
    history.begin(UserTurn("y" * 150, heard="x" * 98))
    kept = [turn for turn, _ in told(history)]
    assert kept[-1] == "y" * 150
    assert sum(exchange.size for exchange in history) <= 750
    talk(history, UserTurn("next"), "short")
    assert told(history)[0][0] == kept[0]


def test_the_newest_turn_is_never_forgotten() -> None:
    """However long it is."""
    history = opened("Welcome.", 1000)
    history.begin(UserTurn("y" * 2000))
    assert told(history) == [("y" * 2000, "")]


BEFORE = (
    Said("bot", "Welcome to Acme."),
    Said("caller", "where is my order", "42"),
    Said("bot", "It was shipped today."),
    Said("caller", "and the other one"),
)


def test_what_was_said_before_is_taken_over() -> None:
    """Keys too; the greeting is in it and not said twice."""
    history = opened("Welcome to Acme.", 10_000, *BEFORE)
    assert told(history) == [
        ("", "Welcome to Acme."),
        ("where is my order", "It was shipped today."),
        ("and the other one", ""),
    ]
    assert list(history)[1].user == "where is my order\n(I pressed the keys 42)"


@pytest.mark.parametrize(
    "turn",
    [
        UserTurn("hello", heard="It was shipped today."),
        UserTurn("hello", heard="shipped today"),
        UserTurn("hello", interrupted=True, heard="It was shipped"),
        UserTurn("and the other one please"),
        UserTurn("hello", interrupted=True),
    ],
)
def test_what_was_said_before_stays_as_it_was_heard(turn: UserTurn) -> None:
    """The first turn tells again what was heard; nothing of it is taken back."""
    history = opened("Welcome.", 10_000, *BEFORE)
    before = told(history)
    history.begin(turn)
    assert told(history) == [*before, (turn.text, "")]


def test_a_line_that_follows_what_was_said_before_is_added() -> None:
    """The host said it when the caller came back."""
    history = opened("Welcome.", 10_000, *BEFORE)
    history.begin(UserTurn("yes", heard="Sorry, we were cut off."))
    assert told(history)[-2:] == [
        ("and the other one", "Sorry, we were cut off."),
        ("yes", ""),
    ]


def test_what_is_said_later_counts_as_it_is_heard() -> None:
    """Only what was before is settled."""
    history = opened("Welcome.", 10_000, *BEFORE)
    talk(history, UserTurn("hello"), ANSWER)
    history.begin(UserTurn("no wait", interrupted=True, heard="Your order was"))
    assert told(history)[-2:] == [("hello", "Your order was"), ("no wait", "")]


def test_a_long_talk_before_is_forgotten_from_its_beginning() -> None:
    """As any other is."""
    said = [Said("bot" if number % 2 else "caller", f"{number} " * 50) for number in range(20)]
    history = opened("", 1000, *said)
    history.begin(UserTurn("hello"))
    kept = [turn for turn, _ in told(history)]
    assert kept == [said[16].text, said[18].text, "hello"]


turns = st.builds(
    UserTurn,
    text=st.text("ab ", max_size=6),
    digits=st.text("12", max_size=2),
    interrupted=st.booleans(),
    heard=st.text("abc ", max_size=6),
)


said_before = st.builds(Said, st.sampled_from(["caller", "bot"]), st.text("abc ", max_size=9))


@given(
    st.lists(said_before, max_size=4),
    st.lists(st.tuples(turns, st.text("abc ", max_size=9), st.booleans())),
)
def test_no_conversation_breaks_it(
    before: list[Said], talks: list[tuple[UserTurn, str, bool]]
) -> None:
    """The last turn is always there as it was said, and no answer gains words of its own."""
    history = opened("abc", 1000, *before)
    for turn, answer, finished in talks:
        exchange = talk(history, turn, answer, finished=finished)
        assert list(history)[-1] is exchange
        assert turn.text in exchange.user
