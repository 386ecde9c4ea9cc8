"""A run as a page of the documentation."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.tables import Column, Line, markdown
from tests.conversations.catalogue import SCENARIOS
from tests.conversations.figures import kept
from tests.conversations.report import limits_table, tables
from tests.conversations.speech import Spoken, speech_tables
from tests.conversations.verdict import Verdict

ROOT = Path(__file__).parent.parent.parent

HEAD = """\
# Turn-taking

How well the bot takes turns on a phone line, measured at the caller's ear on a public set of
scripted callers. This page is written by a run; none of it is typed by hand.

```sh
make conversations
```

It takes some minutes, and ends with an error if a limit is broken.
`.venv/bin/python -m tests.conversations --help` tells how to run some of it, and how to play one
call again and see what happened in it: `--scenario but-hindi --variant 7`.

## What is played
Each **scenario** is a caller: what they say and when, in words with their times, or what they cough
and which keys they press. Each is played in **variants**, drawn from a seed: tempo and level of the
voice, moment, how late and how wrong the voice detector is, four kinds of speech-to-text (one that
transcribes segments and can be asked in the middle of one, one that tells nothing before the end,
one that streams, one that ends turns itself) with their latencies, frames of 20 to 100 ms, lost and
late frames, lost and late marks, a dialogue that answers in one piece, in sentences or in words.

The call is the real one, from its text frames to its text frames, in **virtual time**: an hour of
waiting takes no time, and a variant is the same on every machine. Around it are models. The line
keeps Exotel's playout buffer, plays it by the clock, returns marks and obeys `clear`. The caller's
frames name themselves, so that the voice detector and the speech-to-text hear what was in the
frames that they were given, and nothing else; a word is understood when most of its frames came.
The bot's audio numbers its samples, so that the ear finds each that is missing or comes twice.

The calls on **real speech** are held in real time, with the local providers: a server as it is
deployed, callers made of synthetic speech, and a human's recorded prompts and hold music where
they are installed (Debian's `asterisk-core-sounds-en-wav`, `asterisk-moh-opsound-wav`). They wait
for 300 ms of silence at the end of a turn.

## What is judged
- **Missed interruption**: the bot was audible more than 600 ms after the end of the word that made
  it an interruption: a word that interrupts alone, the second word of a sentence, or the first
  after a backchannel.
- **False interruption**: the bot was cut, or did not say all it had to, though it should have gone
  on after a backchannel, a cough, a noise. The share is of the variants in which that could happen.
  Backchannels **in no list** are single words that people say and the languages' data do not have.
- **Samples**: the bot's audio goes on after a pause with the very next sample.
- **Words**: the dialogue was given all the caller's words once, in their order. A turn that was
  taken back before anything of its answer was heard, and whose words begin the next one, does not
  count. Backchannels may be left out.
- **Turns where there was none**: the dialogue was asked to answer a backchannel or a noise.
- **Lines not said**: one that the server says by itself ("One moment, please.") was not heard, or
  not to its end.
- **Answers into a hesitation**: an answer was audible in a pause in the caller's sentence.
- **Silent** is from the caller's first voice to the bot's last sound; **answer** from the caller's
  last voice to the bot's first sound; **held** is the silence in a line that went on. In virtual
  time they hold the latencies of the models.
"""


def page(verdicts: Sequence[Verdict], spoken: Sequence[Spoken], seed: int) -> str:
    """The page of a run."""
    variants = max((each.variant for each in verdicts), default=-1) + 1
    run = (
        f"{datetime.now(UTC):%-d %B %Y}, exobridge {version('exobridge')} ({_commit()}), "
        f"Python {platform.python_version()}, {os.cpu_count()} cores.\n"
        f"{len(SCENARIOS)} scenarios, {variants} variants of each, {len(verdicts)} calls, "
        f"seed {seed}."
    )
    limits = limits_table(kept(verdicts), _untitled)
    parts = [HEAD, f"## The run\n{run}\n", f"### Limits\n{limits}\n"]
    if spoken:
        parts.append(f"### Real speech\n{speech_tables(spoken, _untitled)}\n")
    parts += [f"### {title.capitalize()}\n{text}\n" for title, text in tables(verdicts, _untitled)]
    return "\n".join(parts)


def _untitled(title: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    del title
    return markdown("", columns, lines)


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit known"
