"""Webhooks of a flow that break one rule each, and right ones that break none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from exobridge.simulator import Rule
from exobridge.simulator.flows.around import Waits
from exobridge_codecs.wav import write_wav
from tests.simulator.flows.ground import HANGUP, Given

AGENT = "+918041112231"
SLOW_S = 1.1
"""An answer so late is one of those for which the caller waits too long."""
NEVER_S = 20.0
SHORT = Waits(dial_text=0.3, dial_json=0.3, callback=0.3, dial_event=0.3, audio=0.3, retry=0.01)

PASSTHRU = """
[applet.first]
type = "passthru"
url = "/asked"
ok = "end"
other = "end"
on_timeout = "end"
on_error = "end"
"""
GREETING = """
[applet.first]
type = "greeting"
url = "/asked"
next = "end"
"""
CONNECT = f"""
[applet.first]
type = "connect"
url = "/asked"
after_conversation = "end"
nobody_answers = "end"
not_dialled = "end"
[[agent]]
number = "{AGENT}"
ring_seconds = 0.02
talk_seconds = 0.05
"""
DIAL_WHOM = CONNECT.replace('url = "/asked"', 'url = "/asked"\ncontract = "text"')
CALLBACK = """
[flow]
start = "end"
[callback]
url = "/asked"
"""


def music_of_a_disc() -> bytes:
    """Half a second as it is on a disc: 44.1 kHz, two channels."""
    file = BytesIO()
    write_wav(file, 44_100, bytes(44_100), bytes(44_100))
    return file.getvalue()


def dial(*numbers: Any, **keys: Any) -> Given:
    """An answer of the JSON contract."""
    return Given({"destination": {"numbers": list(numbers)}, **keys})


def music(path: str) -> dict[str, Any]:
    """A key of it that names audio."""
    return {"music_on_hold": {"type": "custom_tone", "value": f"{{url}}/{path}"}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A flow, and what a server answers in it.

    Attributes:
        flow: Its tables.
        answers: By path. ``{url}`` in a text is the server's own address.
        waits: How long Exotel waits.
    """

    flow: str
    answers: Mapping[str, Given] = field(default_factory=dict[str, Given])
    waits: Waits = field(default_factory=Waits)

    @classmethod
    def once(cls, flow: str, answer: Given, **more: Any) -> Asked:
        """What the flow's one URL is answered."""
        return cls(HANGUP + flow, {"asked": answer}, **more)


NOBODY = "http://127.0.0.1:9/asked"
"""An address at which nothing listens."""

WRONG: dict[Rule, Asked] = {
    Rule.PASSTHRU_STATUS: Asked.once(PASSTHRU, Given(status=500)),
    Rule.PASSTHRU_BODY: Asked.once(PASSTHRU, Given("<html>hello</html>", kind="text/html")),
    Rule.PASSTHRU_LATE: Asked.once(PASSTHRU, Given(delay_s=SLOW_S)),
    Rule.PASSTHRU_TIMEOUT: Asked.once(PASSTHRU + "timeout_seconds = 0.3\n", Given(delay_s=NEVER_S)),
    Rule.GREETING_STATUS: Asked.once(GREETING, Given("Hello.", status=404)),
    Rule.GREETING_TYPE: Asked.once(GREETING, Given("Hello.", kind="text/html")),
    Rule.GREETING_TEXT: Asked.once(GREETING, Given(" \n", kind="text/plain")),
    Rule.GREETING_TIMEOUT: Asked.once(GREETING + "timeout_seconds = 0.3\n", Given(delay_s=NEVER_S)),
    Rule.DIAL_STATUS: Asked.once(CONNECT, Given(status=500)),
    Rule.DIAL_TYPE: Asked.once(DIAL_WHOM, Given(AGENT, kind="text/html")),
    Rule.DIAL_BODY: Asked.once(CONNECT, Given({"numbers": [AGENT]})),
    Rule.DIAL_NUMBERS: Asked.once(CONNECT, dial("08041112231")),
    Rule.DIAL_KEY: Asked.once(CONNECT, dial(AGENT, max_ringing_duration=61)),
    Rule.DIAL_AUDIO: Asked(
        HANGUP + CONNECT,
        {"asked": dial(AGENT, **music("tone.wav")), "tone.wav": Given(music_of_a_disc())},
    ),
    Rule.DIAL_LATE: Asked.once(DIAL_WHOM, Given(AGENT, kind="text/plain", delay_s=SLOW_S)),
    Rule.DIAL_TIMEOUT: Asked.once(CONNECT, Given(delay_s=NEVER_S), waits=SHORT),
    Rule.DIAL_EVENT_STATUS: Asked(
        HANGUP + CONNECT,
        {
            "asked": dial(AGENT, dial_passthru_event_url="{url}/events"),
            "events": Given(status=500),
        },
    ),
    Rule.CALLBACK_STATUS: Asked.once(CALLBACK, Given(status=503), waits=Waits(retry=0.01)),
    Rule.CALLBACK_TIMEOUT: Asked.once(CALLBACK, Given(delay_s=NEVER_S), waits=SHORT),
    Rule.WEBHOOK_UNREACHABLE: Asked.once(PASSTHRU.replace("/asked", NOBODY), Given()),
}
"""For each rule of a flow's webhooks an answer that breaks it, and nothing else."""

RIGHT: dict[str, Asked] = {
    "200": Asked.once(PASSTHRU, Given()),
    "302": Asked.once(PASSTHRU, Given(status=302)),
    "json": Asked.once(PASSTHRU, Given({"url": "wss://bot.example/media"})),
    "greeting": Asked.once(GREETING, Given("Hi.", kind="text/plain; charset=utf-8")),
    "dial-whom": Asked.once(DIAL_WHOM, Given(AGENT, kind="text/plain")),
    "nobody": Asked.once(CONNECT, dial()),
    "connect": Asked(
        HANGUP + CONNECT,
        {
            "asked": dial(
                AGENT,
                fetch_after_attempt=False,
                outgoing_phone_number="+918047112233",
                record=True,
                recording_channels="dual",
                max_ringing_duration=60,
                max_conversation_duration=4500,
                parallel_ringing={"activate": True, "max_parallel_attempts": 10},
                start_call_playback={"playback_to": "callee", "type": "text", "value": "Hi."},
                dial_passthru_event_url="{url}/events",
                **music("tone.mp3"),
            ),
            "events": Given(),
            "tone.mp3": Given(b"\xff\xfb\x90\x00" + bytes(413), kind="audio/mpeg"),
        },
    ),
    "callback": Asked.once(CALLBACK, Given()),
}
"""Answers that keep every rule."""
