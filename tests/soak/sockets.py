"""Seeded calls over real sockets: a flow with faults, walked against a real server, many at once.

The server is one for all of them; its account's faults meet the requests about their own call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exobridge.call.events import Role, Turn
from exobridge.call.state import Call, Outcome, State
from exobridge.simulator import CallReport, EndedBy, Exotel
from exobridge.simulator import Outcome as Streamed
from exobridge.simulator.account import Account, serve_account
from exobridge.simulator.client import http_client
from exobridge.simulator.flows.faults import Drawn, draw
from exobridge.simulator.flows.load import load_flow
from exobridge.simulator.flows.report import Ending, FlowReport
from exobridge.simulator.flows.walk import Around, walk
from exobridge.simulator.scripts import Speech
from exobridge_codecs.resample import resample
from exobridge_codecs.wav import write_wav
from tests.server import SHORT, Server, bot, serving, until
from tests.soak.checks import CUT_WORDS, once
from tests.soak.tones import BOTS, WORD_MS, spoken, understood
from tests.tone_speech import RATE

FLOW = Path(__file__).parent / "desk.toml"
SECRET = "a-secret-of-the-soak"
AGENTS = ["+918041112233", "+918041112244"]
AT_ONCE = 8
"""Calls at a time: with more, this machine's own delay would be a fault that nobody drew."""
ANSWERS = ("ash bay elm", "fir gum ivy", "koa lime moss")
"""What the bot says; after the last it hands the caller over."""
NUMBERS = ("9811122233", "8041112233", "8041112244")
"""Of the caller and the agents; none of them is to be found in a log."""
_LATE_WORDS = 3
"""So many words may be on their way, or be spoken while a busy machine does something else."""
_STREAMED = (Streamed.COMPLETED, Streamed.DROPPED, Streamed.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the server has of a call."""

    call: Call | None
    keys: Sequence[str]
    turns: Sequence[Turn]


def template() -> str:
    """The bot."""
    script: list[Any] = [[{"text": text}] for text in ANSWERS[1:]]
    script[-1].append({"target": "desk", "summary": "Wants shoes."})
    return bot(
        greeting=ANSWERS[0],
        turns={"end_silence_ms": 300},
        stt={"provider": "tests.soak.tones:Ears", "options": None},
        tts={"provider": "tests.soak.tones:Voice", "options": None},
        dialogue={"options": {"script": [*script, *[[]] * 20]}},
        transfer={"target": "desk", "whisper": "text", "targets": {"desk": {"numbers": AGENTS}}},
    )


async def run(folder: Path, seeds: Sequence[int]) -> Mapping[int, list[str]]:
    """What does not hold, by the seed; under -1 what does not of the server."""
    flow = load_flow(FLOW)
    for words in ("ant bee cat", "dog eel fly", "gnu hen ibis"):
        audio = spoken(words)
        write_wav(folder / f"{words.replace(' ', '-')}.wav", RATE, audio, audio)
    found: dict[int, list[str]] = {}
    places = asyncio.Semaphore(AT_ONCE)
    async with serve_account(Account()) as account:
        variables: dict[str, Any] = {
            **account.variables,
            "EXOBRIDGE_SECRET": SECRET,
            "RECORDING_HOSTS": account.url.removeprefix("http://"),
        }
        async with (
            serving(
                folder, {"default": template()}, waits=replace(SHORT, line=3.0), **variables
            ) as server,
            Exotel() as exotel,
            http_client() as http,
            Speech(transcribe=False) as speech,
        ):
            around = Around(exotel, http, speech, account, auth_token=SECRET)

            async def one(seed: int) -> None:
                async with places:
                    drawn = draw(flow, seed)
                    table = drawn.flow.server.model_copy(update={"url": server.url})
                    drawn = replace(drawn, flow=drawn.flow.model_copy(update={"server": table}))
                    found[seed] = await _one(folder, around, server, drawn)

            async with asyncio.TaskGroup() as tasks:
                for seed in seeds:
                    tasks.create_task(one(seed))
            found[-1] = await _server_problems(server)
    return found


async def _one(folder: Path, around: Around, server: Server, drawn: Drawn) -> list[str]:
    call_sid = f"soak{drawn.seed:028}"
    assert around.account is not None
    around.account.fail(*drawn.api, where=call_sid)
    report = await walk(drawn.flow, folder, around, call_sid=call_sid, faults=drawn)
    kept = await _settled(server, report)
    return [*_problems(drawn, report, kept)]


async def _settled(server: Server, report: FlowReport) -> Kept:
    """What the server has once all that it was told is written, and no stream is open."""
    sid, store = report.call_sid, server.bridge.store
    if any(each.outcome in _STREAMED for each in report.streams):

        async def is_over() -> bool:
            await store.flush()
            call = await store.call(sid)
            held = sid in server.bridge.desk.sessions
            return not held and (call is None or not call.open_streams)

        await until(is_over)
    await store.flush()
    keys = [event.key for event in await store.events(sid)]
    return Kept(await store.call(sid), keys, await store.turns(sid))


def _problems(drawn: Drawn, report: FlowReport, kept: Kept) -> list[str]:
    said = list(report.problems)
    said += [f"{each} was answered" for each in report.asked if (each.status or 0) >= 500]
    if len(kept.keys) != len(set(kept.keys)):
        said.append(f"an event twice: {kept.keys}")
    streamed = [each for each in report.streams if each.outcome in _STREAMED]
    call = kept.call
    # A stream that breaks off at once may not have got so far as to be told of.
    if streamed and streamed[-1].duration_ms > 500:
        if call is None or call.state is not State.ENDED:
            said.append(f"the call is {call.state if call else 'unknown'}")
        elif call.outcome not in (fitting := _outcomes(drawn, report, kept, streamed[-1])):
            said.append(f"the call is {call.outcome}, not {sorted(fitting)}")
    for stream in streamed:
        turns = [turn for turn in kept.turns if turn.stream_sid == stream.stream_sid]
        said += _words_of(drawn, stream, turns)
    return said


def _outcomes(drawn: Drawn, report: FlowReport, kept: Kept, last: CallReport) -> set[Outcome]:
    """How the call may have ended, by what the caller's side saw."""
    handing_over = any(turn.text == ANSWERS[-1] for turn in kept.turns)
    if any(each.status == "completed" for each in report.dialled):
        return {Outcome.TRANSFERRED}
    stops = drawn.flow.stream.sends_stop
    match last.ended_by:
        case EndedBy.BOT if report.dialled:
            left = report.ending is Ending.CALLER
            return {Outcome.LEFT_ON_HOLD, Outcome.UNANSWERED} if left else {Outcome.UNANSWERED}
        case EndedBy.BOT:  # nobody was dialled: the caller left, or the flow led elsewhere
            return {
                Outcome.TRANSFERRED,
                Outcome.UNANSWERED,
                Outcome.LEFT_ON_HOLD,
                Outcome.COMPLETED,
            }
        case EndedBy.CALLER | EndedBy.LIMIT if stops and drawn.line.half_open_at_ms is None:
            return {Outcome.COMPLETED}
        case _:  # it broke off; where Exotel told later that the caller ended it, all is well
            broke = {Outcome.COMPLETED, Outcome.FAILED}
            # The bot may have been about to close it, to hand the caller over.
            return broke | {Outcome.TRANSFERRED, Outcome.UNANSWERED} if handing_over else broke


def _words_of(drawn: Drawn, stream: CallReport, turns: Sequence[Turn]) -> list[str]:
    """Both sides' words are written down, none twice, none that was not said."""
    said: list[str] = []
    assert stream.tracks is not None
    lines = [
        word for line in stream.tracks.lines for word in line.text.removesuffix(".wav").split("-")
    ]
    callers = [word for turn in turns if turn.role is Role.CALLER for word in turn.text.split()]
    if not _in_order(callers, lines):
        said.append(f"the caller said {lines}, and {callers} is written down")
    answered = [line for line in stream.tracks.lines if _is_answered(line.voiced_to_ms, stream)]
    for line in answered:
        words = set(line.text.removesuffix(".wav").split("-"))
        if not words <= set(callers):
            said.append(f"{words} was answered, and {callers} is written down")
    heard = once(understood(resample(stream.tracks.bot(), stream.sample_rate, RATE)))
    heard = [word for word in heard if word in BOTS]
    written = [
        word
        for turn in turns
        if turn.role is Role.BOT
        for word in turn.text.split()
        if word in BOTS
    ]
    everything = " ".join(ANSWERS).split()
    for words_, verb in ((heard, "heard"), (written, "written down")):
        if not _in_order(words_, everything):
            said.append(f"{words_} was {verb} of the bot's")
    late = drawn.line.return_delay_ms + drawn.line.delay_ms + drawn.line.jitter_ms
    doubtful = CUT_WORDS + _LATE_WORDS + round(late / WORD_MS)
    silent = drawn.line.half_open_at_ms is not None
    if len(heard) - len(written) > doubtful or (
        len(written) - len(heard) > doubtful and not silent
    ):
        said.append(f"{heard} was heard, and {written} is written down")
    return said


def _is_answered(said_ms: float, stream: CallReport) -> bool:
    return any(turn.role == "bot" and turn.start_ms > said_ms + 250 for turn in stream.turns)


def _in_order(some: Sequence[str], everything: Sequence[str]) -> bool:
    left = iter(everything)
    return all(each in left for each in some)


def _is_bad(entry: Mapping[str, Any]) -> bool:
    """A busy machine may be late; the store then does by itself what nobody waits for any more."""
    if entry.get("error") in ("no answer in time", "not kept in time"):
        return False
    return entry["level"] in ("error", "critical") or "crashed" in entry["event"]


async def _server_problems(server: Server) -> list[str]:
    """What does not hold of the server, after all of it."""
    said = [f"the log tells of an error: {entry}" for entry in server.log() if _is_bad(entry)]
    text = server.text.getvalue()
    said += [f"a whole number in the log: {each}" for each in NUMBERS if each in text]
    if SECRET in text:
        said.append("the secret is in the log")
    async with http_client() as http:
        answer = await http.get(f"{server.url}/health/ready")
    if answer.status_code != 200:
        said.append(f"the server is not ready any more: {answer.status_code}")
    if server.bridge.desk.sessions:
        said.append("calls are held that are over")
    return said
