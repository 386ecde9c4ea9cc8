"""Whole calls in which the caller interrupts, murmurs, hesitates and goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import pytest_asyncio

from exobridge.call.events import EndedBy, Role
from exobridge.simulator import BargeIn, Clip, Dtmf, Hear, Say, Silence, Wait
from exobridge_codecs.tones import tone
from exobridge_providers.base import UserTurn
from tests.call import dialogues
from tests.played import Played, Scene, heard_ms, play
from tests.server import LINE, SHORT, bot

LONG = "This is a long answer of the bot, which takes its time to come to its end."
MS_PER_CHAR = 60
LONG_MS = MS_PER_CHAR * len(LONG)
"""How long it takes to say."""


def clip(*milliseconds: float) -> Clip:
    """Voice and silence in turn, beginning with voice."""
    parts = [
        bytes(int(16 * ms)) if index % 2 else tone(330, ms, 8000)
        for index, ms in enumerate(milliseconds)
    ]
    return Clip(b"".join(parts), 8000, "speech")


def interrupted(
    words: str, say: dict[str, Any] | None = None, pressed: str = "", **turns: Any
) -> Scene:
    """The caller speaks, or presses keys, into a long answer."""
    template = bot(
        dialogue={"options": {"script": [[{"text": LONG, **(say or {})}]]}},
        tts={"options": {"ms_per_char": MS_PER_CHAR}},
        stt={"options": {"script": ["one", words], "on_demand": True}},
        turns=turns,
    )
    into = (Hear(600), Dtmf(pressed)) if pressed else (BargeIn(LINE, 600, interrupts=False),)
    return Scene(template, (Say(LINE), *into, Silence(LONG_MS)))


def eager(name: str, spoken: Clip, texts: Sequence[str], **turns: Any) -> Scene:
    """The dialogue may be asked early."""
    template = bot(
        variables={"name": name},
        dialogue={"provider": "tests.call.dialogues:EagerDialogue"},
        stt={"options": {"script": list(texts)}},
        turns={"end_silence_ms": 600, **turns},
    )
    return Scene(template, (Say(spoken),))


def pausing(text: str, pause_ms: float, **turns: Any) -> Scene:
    """The caller says this, is silent for a while, and goes on."""
    template = bot(stt={"options": {"script": [text, "two"]}}, turns=turns)
    return Scene(template, (Say(clip(300, pause_ms, 300)),))


SCENES = {
    "words": interrupted("no, not that"),
    "murmur": interrupted("haan"),
    "single": interrupted("Delhi"),
    "silence": interrupted(""),
    "murmur-of-ours": interrupted("book it", backchannels=["book it"]),
    "word-of-ours": interrupted("manager", interrupt_words=["manager"]),
    "one-is-enough": interrupted("Delhi", min_words=1),
    "three-are-needed": interrupted("book it", min_words=3),
    "protected": interrupted("no, not that", {"interruptible": False}),
    "protected-keys": interrupted("", {"interruptible": False}, pressed="4#"),
    "off": interrupted("no, not that", barge_in=False),
    "greeting": Scene(
        bot(
            greeting=LONG,
            tts={"options": {"ms_per_char": MS_PER_CHAR}},
            stt={"options": {"script": ["stop", "stop"]}},
            turns={"protect_greeting_ms": 2000},
        ),
        (BargeIn(clip(300, 1700, 300), 500),),
    ),
    "guess": eager("guess", LINE, ["one"]),
    "guess-dropped": eager("guess-dropped", clip(300, 400, 300), ["one", "two"]),
    "no-guess": eager("no-guess", clip(300, 400, 300), ["one", "two"], eager=False),
    "tamil": Scene(
        bot(
            dialogue={"options": {"script": [[{"language": "ta-IN"}, {"text": LONG}]]}},
            tts={"options": {"ms_per_char": MS_PER_CHAR}},
            stt={"options": {"script": ["seringa"]}},
        ),
        (Say(LINE), BargeIn(LINE, 600, interrupts=False), Wait(LONG_MS)),
    ),
    "menu": Scene(
        bot(
            dialogue={
                "provider": "scripted",
                "options": {
                    "intents": [
                        {"name": "one", "digits": "1", "reply": "One.", "interruptible": False},
                        {"name": "two", "digits": "2", "reply": "Two."},
                    ]
                },
            },
        ),
        (Dtmf("12"),),
    ),
    "no-tamil": Scene(
        bot(
            dialogue={"options": {"script": [[{"language": "ta-IN"}, {"text": "Yes."}]]}},
            stt={"options": {"script": ["tamil please"], "languages": ["en"]}},
        ),
    ),
    **{
        f"asked-{times}": Scene(
            bot(), (Wait(10_000),), limits={"idle_seconds": 0.5, "idle_reprompts": times}
        )
        for times in (0, 2)
    },
    "last-words": Scene(
        bot(
            dialogue={"options": {"script": [[{"text": LONG}, {"reason": "done"}]]}},
            tts={"options": {"ms_per_char": MS_PER_CHAR, "pace": 1}},
        ),
    ),
    "open": pausing("one and", 500, end_silence_ms=300, max_end_silence_ms=900),
    "plain": pausing("one", 800, end_silence_ms=300, max_end_silence_ms=900),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All of them at once, on one server."""
    return await play(tmp_path_factory.mktemp("conversations"), SCENES)


def answer(one: Played) -> tuple[int, bool]:
    """How often the line was cleared, and whether the whole of the long answer was heard."""
    (kept,) = [turn for turn in one.turns if LONG.startswith(turn.text) and turn.role is Role.BOT]
    assert kept.heard_ms is not None
    whole = kept.text == LONG and not kept.interrupted
    assert whole == (kept.heard_ms >= LONG_MS - 1)
    return one.report.clears, whole


def told(one: Played) -> UserTurn | None:
    """What the dialogue was told after the first turn."""
    assert one.told[0].text == "one"
    return one.told[1] if len(one.told) > 1 else None


@pytest.mark.parametrize("name", ["words", "word-of-ours", "one-is-enough"])
def test_words_interrupt(played: dict[str, Played], name: str) -> None:
    """The rest is cleared, and the dialogue is told how far the bot came."""
    one = played[name]
    assert answer(one) == (1, False)
    turn = told(one)
    assert turn is not None
    assert turn.interrupted
    assert LONG.startswith(turn.heard)
    assert len(turn.heard) < len(LONG) / 2


@pytest.mark.parametrize("name", ["murmur", "murmur-of-ours", "silence"])
def test_what_is_no_interruption_changes_nothing(played: dict[str, Played], name: str) -> None:
    """Every sample of the answer is heard, and the dialogue is told of nothing."""
    assert answer(played[name]) == (0, True)
    assert told(played[name]) is None


@pytest.mark.parametrize(("name", "text"), [("single", "Delhi"), ("three-are-needed", "book it")])
def test_words_that_are_too_few_are_answered_after_the_bot(
    played: dict[str, Played], name: str, text: str
) -> None:
    """They may be an answer that came early."""
    assert answer(played[name]) == (0, True)
    assert told(played[name]) == UserTurn(text=text, heard=LONG)


@pytest.mark.parametrize("name", ["protected", "off"])
def test_what_nobody_interrupts_is_heard_to_its_end(played: dict[str, Played], name: str) -> None:
    """What was said into it is answered then."""
    assert answer(played[name]) == (0, True)
    assert told(played[name]) == UserTurn(text="no, not that", heard=LONG)


def test_keys_do_not_interrupt_what_nobody_interrupts(played: dict[str, Played]) -> None:
    """They are answered then, too."""
    assert answer(played["protected-keys"]) == (0, True)
    assert told(played["protected-keys"]) == UserTurn(digits="4", heard=LONG)


def test_a_greeting_is_protected_for_as_long_as_the_template_says(
    played: dict[str, Played],
) -> None:
    """The first word that would interrupt does not: it is answered with the second, which does."""
    one = played["greeting"]
    assert one.report.clears == 1
    greeting = one.turns[0]
    assert greeting.interrupted
    assert greeting.heard_ms is not None
    assert greeting.heard_ms < LONG_MS
    assert one.told[0].text == "stop stop"


def test_a_dialogue_that_bears_it_is_asked_early(played: dict[str, Played]) -> None:
    """Its answer is heard when the turn is certain, once, and what it does is done once."""
    one = played["guess"]
    assert dialogues.asked["guess"] == dialogues.acted["guess"] == ["one"]
    assert [turn.text for turn in one.turns] == ["Hello there.", "one", "You said: one"]
    assert one.report.clears == 0


def test_a_guess_is_dropped_where_the_caller_goes_on(played: dict[str, Played]) -> None:
    """Nothing of it is heard or done; the dialogue is asked again, with all the words."""
    one = played["guess-dropped"]
    assert dialogues.asked["guess-dropped"] == ["one", "one two"]
    assert dialogues.acted["guess-dropped"] == ["one two"]
    assert [turn.text for turn in one.turns if turn.role is Role.BOT] == [
        "Hello there.",
        "You said: one two",
    ]
    assert heard_ms(one.report) == pytest.approx(240 + 340, abs=60)


def test_a_template_can_do_without_guesses(played: dict[str, Played]) -> None:
    """The dialogue is asked once, when the turn is certain."""
    assert dialogues.asked["no-guess"] == dialogues.acted["no-guess"] == ["one two"]
    assert played["no-guess"].report.problems == ()


def test_the_dialogue_can_go_on_in_another_language(played: dict[str, Played]) -> None:
    """Its backchannels are known from then on, and the record says so."""
    one = played["tamil"]
    assert answer(one) == (0, True)
    assert [turn.text for turn in one.told] == ["seringa"]
    greeting, *_, said = one.turns
    assert (greeting.language, said.language) == ("en-IN", "ta-IN")


def test_a_key_of_the_menu_is_a_turn_of_its_own(played: dict[str, Played]) -> None:
    """At once, after the greeting and after each answer; one may have to be heard to its end."""
    one = played["menu"]
    assert [turn.text for turn in one.turns if turn.role is Role.CALLER] == ["1", "2"]
    assert [turn.interrupted for turn in one.turns if turn.text == "One."] == [False]
    assert one.said[-1] == "Two."


def test_a_language_that_nobody_hears_is_not_spoken_either(played: dict[str, Played]) -> None:
    """Recognition and voice switch both, or none does."""
    one = played["no-tamil"]
    assert {turn.language for turn in one.turns} == {"en-IN"}
    assert one.said[-1] == "Yes."
    assert [entry["stage"] for entry in one.entries("language not switched")] == ["stt"]


@pytest.mark.parametrize("times", [0, 2])
def test_a_silent_caller_is_asked_as_often_as_the_template_says(
    played: dict[str, Played], times: int
) -> None:
    """Then comes the goodbye."""
    said = played[f"asked-{times}"].said
    assert said == ["Hello there.", *["Still there?"] * times, "Goodbye."]


def test_last_words_that_come_as_slowly_as_they_are_said(played: dict[str, Played]) -> None:
    """They are heard to their end, however long they take."""
    one = played["last-words"]
    assert 1000 * SHORT.goodbye < LONG_MS
    assert answer(one) == (0, True)
    assert one.call.ended_by is EndedBy.BOT


def test_words_that_go_on_are_waited_for(played: dict[str, Played]) -> None:
    """A pause longer than the end silence does not end them; it does where nothing goes on."""
    assert [turn.text for turn in played["open"].told] == ["one and two"]
    assert played["plain"].told[0].text == "one"
