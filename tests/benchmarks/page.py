"""A run as a page of the documentation."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.errors import BenchmarkError
from tests.benchmarks.processes import cores
from tests.benchmarks.report import VOID, Results, warnings
from tests.benchmarks.servers import ROOT
from tests.benchmarks.tables import Column, Line, markdown

LIBRARIES = ("uvicorn", "uvloop", "websockets", "starlette", "msgspec", "picows", "onnxruntime")

HEAD = """\
# Benchmarks

What calls cost on one machine, beside the least that any server could take. This page is written
by a run; none of it is typed by hand.

```sh
make bench
make bench-all
```

`make bench` measures the rows that take seconds, in a few minutes; `make bench-all` measures all,
in about half an hour, and writes this page. They need Linux and a C compiler. `make bench-soak` is
the soak alone. `.venv/bin/python -m tests.benchmarks --help` tells how to run one row, or to put
more calls on it. Nothing else should run on the machine meanwhile.
"""

READING = """\
## How to read it
- A **pair** is one 20 ms frame of the caller's and what is sent back for it; a call is 50 pairs a
  second. µs/pair is the processor time of the server, user and system, over the measured window.
- **× floor** is that over the first floor's of the same round. It can be compared between runs and
  machines; the absolute numbers cannot. Cost falls as load grows, so compare at the same number of
  calls. If the floor's own p99 is above 10 ms, the run is void and no page is written.
- The **floors** echo each message as it is: uvicorn with Starlette, whose work cannot be left out
  of a web server in Python, and picows, a WebSocket server in C. Both are sent PCM16; the messages
  of mu-law are half as long.
- **Latency of an echo** is arrival less the time the frame was to be sent, whether it was sent
  then or not. The generator looks every 0.25 ms, so that up to half a millisecond of it is its
  own. With chunks longer than a frame, a frame waits for those that share its chunk: mu-law's
  shortest chunk is 40 ms, the default chunk 100 ms.
- **Lateness of speech** is what a caller would hear. The bot has five seconds of speech at a time
  ready, as from text-to-speech, and sends it with the default chunk and lead. A chunk is late by
  how long its caller's ear had run dry before it came, and each time is a gap. *Lead left* is how
  much there was still to play when a chunk came: 1 % of the chunks had less than p1. KB/call holds
  the speech that waits.
- **KB/call** is resident memory over that of the server before the calls. **Generator** is how
  much of its core the load generator used: above 80 % it would be the limit.
- **Webhooks** are asked at a fixed rate, each about a new call, and timed from when they were due.
  µs each holds two writes to the record: the answer, and that no stream came.
- **From voice to voice over vendors** is the call of `exobridge demo --vendors`, on fakes that take
  as long as vendors do. *Total* is from the caller's last voice to the bot's first, at the caller's
  ear. For each answer, *own* = *total* − *silence* − *stt* − *model* − *words* − *tts*; each column
  has percentiles of its own, so those do not add up. Not ours are: *silence*, the 160 ms before
  the text is asked for, or the silence that ends a turn less *stt* if that is more; *stt*, from
  there to the text; *model*, from the question to the first word; *words*, from there to the last
  word of what is spoken first; *tts*, from text to the first audio; all by the fakes' clocks. The
  model takes the time of *words*, but a bridge that spoke before the clause is whole would need
  less of it. Ours is all the rest: what the server computes, frames, sockets, playout, and what
  the caller and the fakes take for themselves, which share one process beside the server's. No
  core is set aside for either. `.venv/bin/python -m tests.benchmarks vendors` runs it alone.
- **The most calls** are found by steps of fresh servers, to within 5 %, for the echo and for the
  first floor.
- **Speech on a core that is nearly full** is the row of lateness with as many calls as use four
  fifths of the server's core.
- What is **left** when the calls are over is against the same server before: after a moment of as
  many calls for the soak, after the first hundred for the short calls. File descriptors, threads,
  tasks of the event loop, calls: nought, or less, is as it should be.
"""


def page(results: Results) -> str:
    """The page of a run.

    Raises:
        BenchmarkError: The run is void.
    """
    if results.void:
        raise BenchmarkError(f"{VOID} No page is written.")
    run = f"## The run\n{_machine()}\n{_load(results)}\n"
    notes = [f"{warning}\n" for warning in warnings(results)]
    return "\n".join([HEAD, run, *notes, *results.tables(_section), READING])


def _section(title: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    return f"### {title[0].upper()}{title[1:]}\n{markdown('', columns, lines)}\n"


def _load(results: Results) -> str:
    options = results.options
    rounds = max(len(rounds) for rounds in results.rounds.values())
    alone = len(cores()) > 1 and shutil.which("taskset")
    apart = "server and generator " + ("have a core each" if alone else "share the cores")
    return (
        f"{options.calls} calls at once, {options.seconds:g} s measured in each of {rounds} "
        f"interleaved rounds, medians; {apart}."
    )


def _machine() -> str:
    """The machine, and what ran on it."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{datetime.now(UTC):%-d %B %Y}, exobridge {version('exobridge')} ({_commit()}).\n"
        f"{_processor()}, {len(cores())} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}; {libraries}."
    )


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False
        ).stdout.strip()

    commit = git("rev-parse", "--short", "HEAD")
    if not commit:
        return "no commit known"
    changed = git("status", "--porcelain", "--untracked-files=no")
    return f"commit {commit}" + (", with changes since" if changed else "")
