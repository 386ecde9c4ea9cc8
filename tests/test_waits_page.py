"""The page of waits says what the code says, and every wait on it runs out in a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from exobridge import provider_pool
from exobridge.call import digits, playout, prompts, session
from exobridge.call.failover import breaker, relay
from exobridge.call.plan import Waits
from exobridge.call.turns import interruption, segment
from exobridge.cluster import member
from exobridge.details import DetailsWaits
from exobridge.exotel import detection
from exobridge.exotel.api import retry
from exobridge.jobs import RunnerOptions
from exobridge.live import feed, orders
from exobridge.outbound.dialler import STREAM_SECONDS, DiallerWaits
from exobridge.own_recording import recorder, shelf
from exobridge.recordings import schedule, service
from exobridge.recordings.fetch import FetchOptions
from exobridge.recordings.rules import Rules
from exobridge.routing import delivery
from exobridge.store.dial_types import AFTERWARDS, RetryPolicy
from exobridge.templates.models import LimitsTable, TurnsTable, VoicemailTable
from exobridge.templates.routing import LookupTable
from exobridge.templates.transfer import DialLookupTable
from exobridge.transfer import whispers
from exobridge.web import protocol
from exobridge.web.control import operation
from exobridge.webhooks import circuit
from exobridge.webhooks.delivery import EXPIRE_SECONDS
from exobridge.webhooks.sender import SEND_SECONDS
from exobridge_providers.base import CollectDigits
from exobridge_providers.dialogue.openai_options import OpenAiOptions
from exobridge_providers.dialogue.tools_http import HttpTool
from exobridge_providers.dialogue.webhook_options import WebhookOptions
from exobridge_providers.tts.espeak import EspeakOptions
from exobridge_providers.tts.openai import OpenAiTtsOptions
from exobridge_providers.vendor import SttProtocol, VendorOptions, link, tts_session

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reference" / "waits.md"
TURNS, LIMITS = TurnsTable(), LimitsTable()
DEFAULTS = Waits()
FETCH = FetchOptions(Rules(()), 0)


def default(options: type[BaseModel], name: str) -> float:
    """Of an option, in seconds."""
    return float(options.model_fields[name].default)


SECONDS: dict[str, float] = {
    "Exotel's `start`, once the socket is open": DEFAULTS.start,
    "the decision what to do with a stream": DEFAULTS.plan,
    "the database, when a webhook or a stream asks": DEFAULTS.store.desk,
    "the database, when a Passthru applet asks for a branch": DEFAULTS.store.passthru,
    "the database, when a Greeting applet asks for its text": DEFAULTS.store.greeting,
    "the database, when a status callback comes": DEFAULTS.store.callback,
    "the database, when a whisper is asked for": DEFAULTS.store.whisper,
    "an operation of the control API, where it says nothing else": operation.HANDLER_SECONDS,
    "a look-up's answer": LookupTable().timeout_ms / 1000,
    "the database, when a Connect applet asks whom to dial": DEFAULTS.dialling,
    "your own system, asked whom to dial": DialLookupTable().timeout_ms / 1000,
    "a whisper's audio, when it is asked for": whispers.RENDER_SECONDS,
    "an application to take a fact of `[log]`": delivery.DELIVERY_SECONDS,
    "the other workers' word on a free place": member.ANSWER_SECONDS,
    "a transfer to be kept, before the line is left to Exotel's flow": DEFAULTS.transfer,
    "the worker that holds a call, to do an operator's order": orders.ORDER_SECONDS,
    "an event, for who follows the live ones": feed.SILENCE_SECONDS,
    "an answer of Exotel's API": retry.READ.seconds,
    "the same with all tries, at most four, and the pauses that Exotel asks for": (
        retry.READ.total_seconds
    ),
    "frames that tell the audio's format": detection.WAIT_MS / 1000,
    "any frame from Exotel, whose audio flows in silence too": DEFAULTS.line,
    "a mark, after its time": playout.MARK_GRACE_S,
    "a peer that does not read": DEFAULTS.send,
    "the answer to a close frame": protocol.CLOSE_SECONDS,
    "a provider to start: a model to be loaded": provider_pool.START_SECONDS,
    "a session to be opened": DEFAULTS.open,
    "the audio of the greeting, or of a last line": DEFAULTS.greeting,
    "a line that is rendered ahead": prompts.RENDER_SECONDS,
    "the same, where another provider can make it": prompts.HURRY_SECONDS,
    "the final text of what the caller said": DEFAULTS.stt_final,
    "words of what the caller is saying": segment.PEEK_LIMIT_S,
    "each action of the dialogue": DEFAULTS.dialogue,
    "a line's first audio, or more of it, or that a line is taken": DEFAULTS.tts_first_audio,
    "a session, or an answer, to be closed": DEFAULTS.close,
    "the call that tries a provider whose circuit was open": breaker.TRIAL_S,
    "a pause in which the next session can take over, before the vendor ends this one": (
        relay.EARLY_S * 3 / 4
    ),
    "a provider to close, when the server stops": provider_pool.CLOSE_SECONDS,
    "`openai`, `webhook`: a connection": default(OpenAiOptions, "connect_seconds"),
    "`openai`: the first word": default(OpenAiOptions, "first_token_seconds"),
    "`openai`: the next word": default(OpenAiOptions, "token_seconds"),
    "`webhook`: the first action": default(WebhookOptions, "first_seconds"),
    "`webhook`: the next action": default(WebhookOptions, "next_seconds"),
    "a tool's answer": default(HttpTool, "timeout_seconds"),
    "a speech vendor: a connection that is ready to work": default(
        VendorOptions, "connect_seconds"
    ),
    "a speech vendor: the text that was asked for": SttProtocol.answer_seconds,
    "a speech vendor: its word that it has stopped, after a cancel": tts_session.LEAVING_SECONDS,
    "a speech vendor: a connection to be closed": 3 * link.CLOSE_SECONDS,
    "`openai` (tts): an answer to begin, or more of it": default(
        OpenAiTtsOptions, "answer_seconds"
    ),
    "`espeak`: a sentence": default(EspeakOptions, "timeout_seconds"),
    "a caller who pauses in the middle of a sentence": TURNS.max_end_silence_ms / 1000,
    "a caller who does not stop": TURNS.max_turn_seconds,
    "words that decide on an interruption": interruption.DECIDE_S,
    "the next key": digits.UNASKED.timeout_seconds,
    "the next key, where the dialogue asked for keys": CollectDigits().timeout_seconds,
    "a caller who says nothing": LIMITS.idle_seconds,
    "an answering machine's beep": VoicemailTable().beep_seconds,
    "a caller, until the answer begins": LIMITS.filler_ms / 1000,
    "the end of the call": LIMITS.max_call_seconds,
    "the last words to be played, since audio of them last came or was sent": DEFAULTS.goodbye,
    "the last words of a call that has reached its maximum length": session.LAST_WORDS_S,
    "an own recording to be put away": shelf.STORE_S,
    "own recordings to be written, when the server stops": recorder.CLOSE_S,
    "a recording to be there, once its URL was told": schedule.GIVE_UP_SECONDS,
    "the first word of a recording": schedule.UNHEARD_SECONDS,
    "one try at fetching it": service.FETCH_SECONDS,
    "its host to be found, and to take a connection": FETCH.connect_seconds,
    "the next of its bytes": FETCH.read_seconds,
    "a call's sums to settle, before they are asked for": DetailsWaits().first,
    "the end of a call that goes on, and its sums": DetailsWaits().at_most,
    "a call to become known to Exotel's API": DetailsWaits().unknown,
    "Exotel's API to answer": DetailsWaits().at_most,
    "the end of a job whose process has died": RunnerOptions().lease,
    "the answer to a webhook": SEND_SECONDS,
    "your own system to take a webhook": EXPIRE_SECONDS,
    "a receiver that is down, until it is probed again": circuit.LONGEST_WAIT,
    "the same, as its `Retry-After` says": circuit.LONGEST_HOLD,
    "jobs that are running, when the server stops": RunnerOptions().drain,
    "the answer to a request for a call": retry.CHANGE.seconds,
    "the same, when the server stops": DiallerWaits().drain,
    "the stream of a telephone that was rung, after its ringing, as the server is to stop": (
        STREAM_SECONDS
    ),
    "word of a call that was placed, or may have been, after its ringing and its longest time": (
        AFTERWARDS.total_seconds()
    ),
    "a process that was about to ask for a call": DiallerWaits().claim,
    "a process that asks for a call": DiallerWaits().asking,
    "a free line, or the hours, for somebody who is due": RetryPolicy().patience,
}
"""What the page has to say, by the code."""


def rows() -> dict[str, list[str]]:
    """The page's tables, by their first column."""
    lines = re.findall(r"^\| (?!Wait|---)(.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    cells = [line.split(" | ") for line in lines]
    assert len({row[0] for row in cells}) == len(cells), "a row stands twice"
    return {row[0]: row[1:] for row in cells}


def test_the_page_has_every_limit_as_it_is() -> None:
    """None differs from the code, and none is made up."""

    def shown(seconds: float) -> str:
        return f"{seconds * 1000:g} ms" if seconds < 0.5 else f"{seconds:g} s"

    said = {name: row[0] for name, row in rows().items()}
    assert said == {name: shown(seconds) for name, seconds in SECONDS.items()}


@pytest.mark.parametrize("name", SECONDS)
def test_every_wait_runs_out_in_a_test(name: str) -> None:
    """The page names it, and it exists."""
    path, _, test = rows()[name][3].strip("`").partition("::")
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert test in {node.name for node in tree.body if isinstance(node, functions)}
