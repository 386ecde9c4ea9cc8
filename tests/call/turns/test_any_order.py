"""Any order of events keeps the rules of turn-taking."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exobridge.call.turns import (
    Action,
    DropSegment,
    Finalize,
    Peek,
    Signal,
    StartSegment,
    TakeTurn,
    TurnOptions,
    TurnPolicy,
    vocabulary,
)
from exobridge.call.turns.said import MAX_DIGITS

WORDS = ["", "haan", "stop", "Delhi", "my order and", "where is it?"]

windows = st.tuples(st.just("window"), st.integers(0, 1500), st.floats(0, 1))
keys = st.tuples(st.just("key"), st.sampled_from("0123456789*#ABCD"), st.just(0.0))
finals = st.tuples(st.just("final"), st.sampled_from(WORDS), st.integers(0, 3))
partials = st.tuples(st.sampled_from(["partial", "eager"]), st.sampled_from(WORDS), st.just(0))
others = st.tuples(
    st.sampled_from(["start", "end", "tick", "wait", "protect", "free", "resumed"]),
    st.floats(0, 25),
    st.just(0),
)
any_options = st.builds(
    TurnOptions,
    end_silence_ms=st.integers(200, 1000),
    max_end_silence_ms=st.integers(200, 2000),
    barge_in=st.booleans(),
    barge_in_ms=st.integers(60, 900),
    max_turn_seconds=st.integers(5, 8),
    idle_seconds=st.integers(5, 20),
)
Step = tuple[str, str | float, float]


class Checked:
    """A policy whose every action is held against what must always be true."""

    def __init__(self, options: TurnOptions, *, on_demand: bool, speculative: bool) -> None:
        self.now = 0.0
        self.policy = TurnPolicy(options, self.now, vocabulary("en-IN", 2, (), ()))
        self.policy.speculative = speculative
        self.on_demand = on_demand
        self.paused = self.in_segment = self.uncertain = False
        self.position = 0.0
        self.count = 0
        self.answering: TakeTurn | None = None
        self.answered_words: list[str] = []
        self.said_words: list[str] = []

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case StartSegment():
                    self.in_segment = True
                case Peek():
                    assert self.in_segment, "a peek into nothing"
                    if not self.on_demand:
                        self.do(self.policy.no_peek())
                case DropSegment() | Finalize():
                    assert self.in_segment, f"{action} without StartSegment"
                    self.in_segment = False
                case TakeTurn():
                    assert self.answering is None, "two answers at once"
                    assert action.certain or self.paused, "an uncertain answer would be heard"
                    self.answering = action
                    self.uncertain = not action.certain
                case Signal():
                    self.obey(action)

    def obey(self, signal: Signal) -> None:
        match signal:
            case Signal.PAUSE_BOT:
                assert not self.paused
                self.paused = True
            case Signal.RESUME_BOT:
                assert self.paused, "RESUME without PAUSE"
                assert not self.uncertain, "an uncertain answer is heard"
                self.paused = False
            case Signal.INTERRUPT_BOT | Signal.DROP_ANSWER:
                self.paused = self.uncertain = False  # what is cut is not held
                self.answering = None
            case Signal.CERTAIN:
                assert self.uncertain
                self.uncertain = False
            case _:
                pass

    def answered(self) -> None:
        assert not self.uncertain
        if self.answering is not None:
            self.answered_words += self.answering.text.split()
        self.answering = None

    def final(self, text: str, kind: int) -> None:
        if text:
            text = f"{text} w{self.count}"
            self.said_words.append(f"w{self.count}")
        self.count += 1
        self.do(
            self.policy.final(text, self.now, finalized=bool(kind & 1), end_of_turn=bool(kind & 2))
        )

    def finish(self) -> None:
        """The bot finishes, where it may: nothing of an uncertain answer is ever played."""
        if not self.uncertain:
            self.answered()
            self.do(self.policy.bot_finished(self.now))

    def settle(self) -> None:
        """Time passes until nothing more is due but silence."""
        for _ in range(20):
            due = self.policy.due()
            if due is None:
                return
            self.now = max(self.now, due)
            actions = self.policy.tick(self.now)
            self.do(actions)
            if actions == [Signal.IDLE]:
                return
        raise AssertionError("due() never comes to rest")

    def step(self, kind: str, value: str | float, other: float) -> None:
        policy, now, text = self.policy, self.now, str(value)
        match kind:
            case "window":
                self.position += float(value)
                self.now += float(value) / 1000
                self.do(policy.voice(self.position, other, self.now))
            case "key":
                self.do(policy.digit(text, now))
            case "final":
                self.final(text, int(other))
            case "partial":
                self.do(policy.partial(text, now))
            case "eager":
                self.do(policy.eager_end(text, now))
            case "resumed":
                self.do(policy.resumed())
            case "start":
                if not self.paused:
                    self.answered()
                    policy.bot_started(now)
            case "end":
                self.finish()
            case "protect" | "free":
                self.do(policy.protect(now, protected=kind == "protect"))
            case _:
                self.now += float(value) if kind == "wait" else 0
                self.do(policy.tick(self.now))


@settings(max_examples=300)
@given(
    any_options,
    st.booleans(),
    st.booleans(),
    st.lists(st.one_of(windows, keys, finals, partials, others), max_size=60),
)
def test_any_order_of_events_keeps_the_rules(
    options: TurnOptions, on_demand: bool, speculative: bool, script: list[Step]
) -> None:
    """It never raises, resumes only what was paused, plays no uncertain answer, ends only segments
    that began, never makes two answers at once, and no word is in two turns, or in none."""
    checked = Checked(options, on_demand=on_demand, speculative=speculative)
    for kind, value, other in script:
        checked.step(kind, value, other)
    # The caller falls silent, every text comes, the bot finishes: nothing may be left over.
    for _ in range(3):
        checked.finish()
        for _ in range(130):
            checked.step("window", 20, 0.0)
        for _ in range(len(script)):
            checked.final("", 1)
        checked.settle()
    checked.finish()
    assert not checked.paused
    assert not checked.in_segment
    told = [word for word in checked.answered_words if word in checked.said_words]
    assert told == checked.said_words, "words lost, repeated or out of order"


@given(st.lists(st.sampled_from("0123456789*#"), max_size=80))
def test_no_key_is_lost(pressed: list[str]) -> None:
    """The turn has the last of them, in order, without the one that ended them."""
    checked = Checked(TurnOptions(), on_demand=False, speculative=True)
    kept = ""
    for key in pressed:
        checked.step("key", key, 0)
        if key != "#" or not kept:
            kept = (kept + key)[-MAX_DIGITS:]
        if checked.answering is not None:
            assert checked.answering.digits == kept
    checked.settle()
    assert (checked.answering.digits if checked.answering else "") == kept
