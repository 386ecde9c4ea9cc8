"""What the page about a call says of turn-taking is what the rules say."""

from __future__ import annotations

from pathlib import Path

import pytest

from exobridge.call.digits import UNASKED
from exobridge.call.turns import end_of_turn, interruption, said, segment, voice

PAGE = (Path(__file__).parents[3] / "docs" / "topics" / "a-call.md").read_text("utf-8")
SECTION = " ".join(PAGE.partition("## Whose turn it is")[2].partition("\n## ")[0].split())


@pytest.mark.parametrize(
    ("number", "phrase"),
    [
        (voice.ONSET_MS, "60 ms of voice"),
        (interruption.MIN_VOICE_MS, "< 120 ms: noise"),
        (end_of_turn.PAUSE_MS, "160 ms of silence"),
        (end_of_turn.WHOLE_SILENCE, "three fifths of `turns.end_silence_ms`"),
        (end_of_turn.MIN_SILENCE_MS, "at least 200 ms"),
        (segment.PEEK_EVERY_MS, "every 250 ms"),
        (interruption.DECIDE_S, "stay unknown for 900 ms"),
        (interruption.BLIND_S, "(1.2 s where"),
        (interruption.TEXT_MS, "700 ms after the voice"),
        (interruption.BACKCHANNEL_S, "up to 1.8 s"),
        (said.ANSWER_IN_TIME_S, "within a second of the bot's end"),
        (UNASKED.timeout_seconds, "1.5 s without another"),
    ],
)
def test_the_page_has_the_rules_numbers(number: float, phrase: str) -> None:
    """Each as it is in the code."""
    assert phrase in SECTION
    told = {"three fifths": 0.6, "a second": 1.0}
    words = [value for text, value in told.items() if text in phrase]
    digits = [
        float(word.strip("(<"))
        for word in phrase.split()
        if word[:1].isdigit() or word.startswith("(")
    ]
    assert number in [*words, *digits, *(value / 1000 for value in digits)]
