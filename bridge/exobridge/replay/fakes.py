"""A template whose providers behave as those of a kept call seem to have: what the bot said lasts
as long as it did then. Pure.

What the caller said is not known from a wire file; a turn is whatever is loud.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exobridge.replay.script import End
from exobridge.replay.seen import Seen, Span
from exobridge.simulator.playout import UTTERANCE_GAP_MS
from exobridge.templates import Template
from exobridge.templates.models import AudioTable, DialogueTable, SttTable, TtsTable, VadTable
from exobridge_providers.base import HangUp, Say

MODULE = "exobridge_providers.testing.fakes"
VARIABLES = {
    "STT_PROVIDER": f"{MODULE}:FakeStt",
    "TTS_PROVIDER": f"{MODULE}:FakeTts",
    "VAD_PROVIDER": f"{MODULE}:FakeVad",
    "DIALOGUE_PROVIDER": f"{MODULE}:FakeDialogue",
}
"""Settings by which templates need no provider installed."""

MS_PER_CHAR = 20
CUT_SHORT_MS = 5000
"""How much longer a line was, at least, that a ``clear`` cut."""


def as_then(template: Template, then: Seen) -> Template:
    """The template with fakes, which speak as long as the bot did then: the greeting first."""
    lines = [_line(span, then) for span in then.spans]
    answers: list[list[Any]] = [[Say(line)] for line in lines[1:]]
    if then.ended_by is End.SERVER and answers:
        answers[-1].append(HangUp())
    fake = dict[str, Any](VARIABLES)
    return template.model_copy(
        update={
            "greeting": lines[0] if lines else "",
            "stt": SttTable(provider=fake["STT_PROVIDER"], options={"otherwise": "something"}),
            "tts": TtsTable(provider=fake["TTS_PROVIDER"], options={"ms_per_char": MS_PER_CHAR}),
            "vad": VadTable(provider=fake["VAD_PROVIDER"]),
            "dialogue": DialogueTable(
                provider=fake["DIALOGUE_PROVIDER"], options={"script": _tuples(answers)}
            ),
            "audio": AudioTable(),
        }
    )


def _line(span: Span, then: Seen) -> str:
    """A line that takes as long to say."""
    ms = span.end_ms - span.start_ms
    if any(span.start_ms <= at <= span.end_ms + UTTERANCE_GAP_MS for at in then.clears_ms):
        ms += CUT_SHORT_MS
    return ("la " * (int(ms / MS_PER_CHAR) // 3 + 1)).strip()


def _tuples(answers: Sequence[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(actions) for actions in answers)
