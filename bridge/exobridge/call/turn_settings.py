"""What a template says of turn-taking, as the policy takes it."""

from __future__ import annotations

from exobridge.call.turns import TurnOptions, Vocabulary, vocabulary
from exobridge.templates.models import Template


def turn_options(template: Template) -> TurnOptions:
    """The numbers."""
    turns, vad = template.turns, template.vad
    return TurnOptions(
        start_probability=vad.start_probability,
        end_probability=vad.end_probability,
        end_silence_ms=turns.end_silence_ms,
        max_end_silence_ms=turns.max_end_silence_ms,
        barge_in=turns.barge_in,
        barge_in_ms=turns.barge_in_ms,
        max_turn_seconds=turns.max_turn_seconds,
        idle_seconds=template.limits.idle_seconds,
    )


def turn_vocabulary(template: Template, language: str) -> Vocabulary:
    """The words.

    Args:
        language: BCP-47 tag of what is spoken now.
    """
    turns = template.turns
    return vocabulary(
        language, turns.min_words, tuple(turns.backchannels), tuple(turns.interrupt_words)
    )
