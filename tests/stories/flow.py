"""Exotel, walking one call through its flow: Voicebot, Passthru, Connect, the status callback.

It keeps to Exotel's documents where a server might rely on them, and judges every answer as Exotel
would: one that breaks a rule fails the test.
"""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from exobridge.exotel.times import IST
from exobridge.simulator import CallPlan, CallReport, Exotel, Patience, Step

CALLER = "+919811122233"
EXOPHONE = "+918047112233"
E164 = re.compile(r"\+[1-9][0-9]{7,14}")
PATIENCE = Patience(bot_done_ms=250, bot_timeout_ms=3000)


class Agent(StrEnum):
    """What an agent's phone does."""

    ANSWERS = "completed"
    BUSY = "busy"
    SILENT = "no-answer"
    CALLER_LEAVES = "canceled"
    """The caller hangs up while it rings."""


class Branch(StrEnum):
    """Where the flow goes on after a Connect applet."""

    TALKED = "after the conversation ends"
    NOBODY = "nobody answers"
    NOT_DIALLED = "we didn't dial anyone"
    CALLER_LEFT = "the caller hung up"


@dataclass(slots=True)
class Connected:
    """What became of a Connect applet.

    Attributes:
        dialled: Numbers in the order in which they were dialled.
        payloads: What the server answered each time it was asked.
        whispered: What the agent who answered heard first: the text, or how many ms of audio.
    """

    branch: Branch = Branch.NOT_DIALLED
    dialled: list[str] = field(default_factory=list[str])
    payloads: list[Any] = field(default_factory=list[Any])
    whispered: str | float = ""


class Flow:
    """One call.

    Args:
        url: ``http://`` and where the server listens.
        http: For the webhooks.
        secret: As it would stand in the applets' URLs; empty: none does.
    """

    def __init__(
        self, exotel: Exotel, http: httpx.AsyncClient, url: str, call_sid: str, secret: str = ""
    ) -> None:
        self.call_sid = call_sid
        self._exotel = exotel
        self._http = http
        self._url = url
        self._secret = {"auth_token": secret} if secret else {}
        self._legs: list[tuple[str, Agent, int]] = []

    # -------------------------------------------------------------- applets

    async def voicebot(self, *script: Step) -> CallReport:
        """The Voicebot applet: asks, opens a stream, plays the caller's script."""
        plan = CallPlan(
            url=self._url,
            script=script,
            patience=PATIENCE,
            call_sid=self.call_sid,
            caller=CALLER,
            called=EXOPHONE,
            auth_token=self._secret.get("auth_token", ""),
        )
        return await self._exotel.call(plan)

    async def passthru(self, path: str, **more: str) -> bool:
        """A sync Passthru applet: whether the flow takes branch A."""
        answer = await self._get(path, {**self._parameters(), **more})
        assert answer.status_code in (200, 302), answer.text
        return answer.status_code == 200

    async def connect(self, agents: Mapping[str, Agent]) -> Connected:
        """A programmable Connect applet (JSON)."""
        connected = Connected()
        last: dict[str, str] = {}
        before: set[str] = set()
        while True:
            payload = await self._ask_whom(last)
            connected.payloads.append(payload)
            numbers: list[str] = payload["destination"]["numbers"]
            if not numbers or set(numbers) == before:
                return connected
            before = set(numbers)
            for number in numbers:
                connected.dialled.append(number)
                agent = agents[number]
                await self._dial(payload, number, agent)
                last = {"DialCallStatus": agent.value, "DialWhomNumber": number}
                if agent is Agent.ANSWERS:
                    connected.whispered = await self._whisper(payload)
                    connected.branch = Branch.TALKED
                    return connected
                if agent is Agent.CALLER_LEAVES:
                    connected.branch = Branch.CALLER_LEFT
                    return connected
            connected.branch = Branch.NOBODY
            if not payload.get("fetch_after_attempt", False):
                return connected

    async def after_connect(self, **more: str) -> bool:
        """The Passthru applet behind a Connect applet, which tells of the legs."""
        legs: dict[str, str] = {}
        for index, (number, agent, seconds) in enumerate(self._legs):
            legs[f"Legs[{index}][Number]"] = number.replace("+91", "0")
            legs[f"Legs[{index}][Type]"] = "single"
            legs[f"Legs[{index}][OnCallDuration]"] = str(seconds)
            legs[f"Legs[{index}][CauseCode]"] = "NORMAL_CLEARING"
            legs[f"Legs[{index}][Cause]"] = "16"
            legs["DialCallStatus"] = agent.value
            legs["DialWhomNumber"] = number
        return await self.passthru("/exotel/passthru", **{**legs, **more})

    async def status(self, status: str = "completed", **more: str) -> int:
        """The status callback, as multipart; the HTTP status of the answer."""
        told = {
            "CallSid": self.call_sid,
            "Status": status,
            "EventType": "terminal",
            "DateUpdated": _now(),
            **more,
        }
        answer = await self._http.post(
            f"{self._url}/exotel/callback/status",
            params=self._secret,
            files={name: (None, value) for name, value in told.items()},
        )
        return answer.status_code

    # -------------------------------------------------------------- how it is done

    async def _ask_whom(self, last: Mapping[str, str]) -> Any:
        answer = await self._get(
            "/exotel/dial-up", {**self._parameters(), **last}, {"Exotel-Version": "1.0"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == "application/json"
        payload = json.loads(answer.content)
        for number in payload["destination"]["numbers"]:
            assert E164.fullmatch(number), number
        assert payload.get("max_ringing_duration", 30) <= 60
        assert payload.get("max_conversation_duration", 900) <= 4500
        assert payload.get("recording_channels", "single") in ("single", "dual")
        return payload

    async def _dial(self, payload: Any, number: str, agent: Agent) -> None:
        reached = agent is Agent.ANSWERS
        self._legs.append((number, agent, 42 if reached else 0))
        url = payload.get("dial_passthru_event_url")
        if not url:
            return
        events = ["Dial", "Ringing", *(["Answered"] if reached else []), "Terminal"]
        for kind in events:
            told = {
                **self._parameters(),
                "DialWhomNumber": number,
                "EventType": kind,
                "Status": "free" if kind == "Terminal" else "busy",
                "AgentEmail": "null",
            }
            where, given = _split(url)
            answer = await self._http.get(self._here(where), params={**given, **told})
            assert answer.status_code == 200, answer.text

    async def _whisper(self, payload: Any) -> str | float:
        playback = payload.get("start_call_playback")
        if not playback:
            return ""
        assert playback["playback_to"] in ("callee", "both")
        if playback["type"] == "text":
            return str(playback["value"])
        assert playback["type"] == "audio_url"
        where, given = _split(playback["value"])
        answer = await self._http.get(self._here(where), params=given)
        assert answer.status_code == 200, answer.text
        with wave.open(BytesIO(answer.content)) as audio:
            assert audio.getframerate() == 8000
            assert audio.getsampwidth() == 2
            assert audio.getnchannels() == 1
            return float(audio.getnframes() / 8)

    def _here(self, url: str) -> str:
        """The same path on the server under test, which the public URL need not name."""
        return f"{self._url}{urlsplit(url).path}"

    async def _get(
        self, path: str, given: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return await self._http.get(
            f"{self._url}{path}", params={**self._secret, **given}, headers=dict(headers or {})
        )

    def _parameters(self) -> dict[str, str]:
        return {
            "CallSid": self.call_sid,
            "CallFrom": CALLER,
            "CallTo": EXOPHONE,
            "Direction": "incoming",
            "Created": _now(),
            "From": CALLER,
            "To": EXOPHONE,
            "CurrentTime": _now(),
        }


def _now() -> str:
    return datetime.now(IST).strftime("%Y-%m-%d %H:%M:%S")


def _split(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return url, dict(parse_qsl(parts.query, keep_blank_values=True))
