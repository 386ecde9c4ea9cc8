"""The words that the dialogue was given, against those that were said. Pure."""

from __future__ import annotations

import re

from tests.conversations.acts import Meaning, Speak
from tests.conversations.track import SpokenWord
from tests.conversations.world import Asked, World

MAY_BE_LEFT_OUT = (Meaning.BACKCHANNEL, Meaning.UNKNOWN)


def given_turns(world: World) -> list[Asked]:
    """The turns that stand: all but those that were taken back. Nothing of the answer of such a
    one was heard, so that the next turn gets the same answer."""
    return [
        asked
        for index, asked in enumerate(world.asked)
        if not any(later.reply is asked.reply for later in world.asked[index + 1 : index + 2])
    ]


def misgiven(world: World) -> str:
    """What is wrong with the words that the dialogue was given; nothing if each word that was said
    is there once, in its order. Those of a turn that was taken back may be in the next one, or
    stand for themselves."""
    pattern = "".join(_wanted(word, world) for word in world.track.words)
    standing = given_turns(world)
    for turns in (standing, world.asked):
        given = "".join(f"{word} " for turn in turns for word in turn.text.split())
        if re.fullmatch(pattern, given):
            return ""
    said = " ".join(word.text for word in world.track.words)
    return f"said {said!r}, given {' | '.join(turn.text for turn in standing)!r}"


def _wanted(word: SpokenWord, world: World) -> str:
    act = world.caller.performed[word.act].act
    assert isinstance(act, Speak)
    text = re.escape(word.text)
    if act.means in MAY_BE_LEFT_OUT or not world.track.arrived(word):
        return f"(?:{text} )?"
    return f"{text} "
