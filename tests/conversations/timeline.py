"""What happened in one variant, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.conversations.acts import Sound
from tests.conversations.numbered import PAIRS_PER_MS
from tests.conversations.play import Played
from tests.conversations.verdict import Verdict
from tests.conversations.world import Note

_SHORT = 48


def timeline(played: Played, verdict: Verdict) -> str:
    """The variant's own settings, what happened, and what was wrong with it."""
    notes = sorted([*played.world.notes, *_caller(played), *_heard(played)], key=_when)
    log = [f"log: {entry['log_level']} {_told(entry)}" for entry in played.log]
    wrong = [f"WRONG: {finding.rule}: {finding.what}" for finding in verdict.findings]
    return "\n".join(
        [
            str(played.world.variant),
            *(f"{note.at_ms:9.0f}  {note.who:9} {note.what}" for note in notes),
            f"ended by the {played.ended}: {played.reason}",
            *log,
            *(wrong or ["nothing is wrong"]),
        ]
    )


def _when(note: Note) -> float:
    return note.at_ms


def _told(entry: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in entry.items() if key != "log_level")


def _caller(played: Played) -> Iterator[Note]:
    for act in played.world.caller.performed:
        if isinstance(act.act, Sound):
            kind = act.act.kind.name.lower()
            yield Note(act.start_ms, "caller", f"{kind} of {act.end_ms - act.start_ms:.0f} ms")
        for word in act.words:
            yield Note(word.start_ms, "caller", f"{word.text!r} until {word.end_ms:.0f}")


def _heard(played: Played) -> Iterator[Note]:
    world, garbled = played.world, False
    for run in world.ear.runs:
        take, before = world.takes.get(run.take), garbled
        garbled = take is None
        if take is None:
            if not before:
                yield Note(run.start_ms, "ear", "hears what is none of the bot's")
            continue
        text = take.text.strip()
        short = text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
        first_ms, after_ms, whole_ms = (
            pairs / PAIRS_PER_MS for pairs in (run.first, run.after, take.pairs)
        )
        yield Note(
            run.start_ms,
            "ear",
            f"hears {short!r} {first_ms:.0f}–{after_ms:.0f} of {whole_ms:.0f} ms",
        )
        yield Note(run.end_ms, "ear", f"hears no more of {short!r}")
