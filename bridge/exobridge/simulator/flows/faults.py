"""What goes wrong in a run, drawn from a seed. Pure: the same flow and seed give the same.

Two sorts are drawn. Exotel writes the same facts in many ways, and a server has to read all of
them: how the stream and the webhooks are written changes in most runs. And things go wrong: on the
line, on the API, with the callbacks, the recording, the agents, the caller; of these a run has one
to three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exobridge.simulator.account.faults import Fault
from exobridge.simulator.flows.dice import Dice
from exobridge.simulator.flows.model import Agent, Doing, Flow, HangUpTable
from exobridge.simulator.line_faults import LineFaults, Odd, OddFrame, Stall, Try

MOST_FAULTS = 3
"""That go wrong in one run."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A flow, and what goes wrong in it.

    Attributes:
        seed: What it was drawn from.
        flow: To be walked in place of the one that it was drawn for.
        line: What goes wrong on the line of the call's first stream; those that follow go well.
        api: What requests to the account meet, in this order.
        told: All of it, a sentence each.
    """

    seed: int
    flow: Flow
    line: LineFaults
    api: tuple[Fault, ...]
    told: tuple[str, ...]


def draw(flow: Flow, seed: int) -> Drawn:
    """What goes wrong in this flow with this seed.

    Args:
        flow: As its file tells it.
        seed: Any integer.
    """
    dice = Dice(seed)
    drawing = _Drawing(flow, LineFaults(seed=seed))
    for vary in _VARIATIONS:
        vary(dice, drawing)
    fitting = [fault for applies, fault in _FAULTS if applies(flow)]
    for fault in dice.some(fitting, dice.whole(1, MOST_FAULTS)):
        fault(dice, drawing)
    return Drawn(seed, drawing.flow, drawing.line, tuple(drawing.api), tuple(drawing.told))


@dataclass(slots=True)
class _Drawing:
    """What has been drawn so far."""

    flow: Flow
    line: LineFaults
    api: list[Fault] = field(default_factory=list[Fault])
    told: list[str] = field(default_factory=list[str])

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    def table(self, name: str, **values: Any) -> None:
        """Lay values over a table of the flow."""
        table = getattr(self.flow, name).model_copy(update=values)
        self.flow = self.flow.model_copy(update={name: table})

    def on_line(self, **values: Any) -> None:
        """Lay values over the line's faults."""
        self.line = replace(self.line, **values)


# ------------------------------------------------------------------ how things are written


def _frames(dice: Dice, drawing: _Drawing) -> None:
    frame_ms = dice.pick((20, 20, 20, 10, 37, 60, 100, 200))
    if frame_ms != 20:
        drawing.table("stream", frame_ms=frame_ms)
        drawing.tell(f"the caller's frames are {frame_ms} ms long")


def _keys(dice: Dice, drawing: _Drawing) -> None:
    written = {
        "keys": dice.pick(("snake", "snake", "camel")),
        "text_numbers": dice.chance(0.7),
        "ids": dice.pick(("both", "both", "top", "inside")),
    }
    drawing.table("stream", **written)
    if written != {"keys": "snake", "text_numbers": True, "ids": "both"}:
        numbers = "text" if written["text_numbers"] else "numbers"
        drawing.tell(f"keys are {written['keys']} case, numbers {numbers}, ids {written['ids']}")


def _format(dice: Dice, drawing: _Drawing) -> None:
    if dice.chance(0.25):
        table = drawing.flow.stream
        mulaw = table.encoding == "mulaw"
        said = "audio/x-mulaw;rate=8000" if mulaw else dice.pick(("raw", "raw/slin", "audio/x-l16"))
        drawing.table("stream", media_encoding=said)
        drawing.tell(f"the stream's encoding is called {said}")


def _marks_after_clear(dice: Dice, drawing: _Drawing) -> None:
    if dice.chance(0.4):
        drawing.table("stream", marks_after_clear=False)
        drawing.tell("marks that wait are dropped by clear")


def _ending(dice: Dice, drawing: _Drawing) -> None:
    if dice.chance(0.25):
        drawing.table("stream", sends_stop=False)
        drawing.tell("streams end without stop")
    elif dice.chance(0.5):
        reason = dice.pick(("stopped", "canceled or call ended"))
        drawing.table("stream", stop_reason=reason)
        drawing.tell(f'stop gives "{reason}" as its reason')


def _webhooks(dice: Dice, drawing: _Drawing) -> None:
    times = dice.pick(("mixed", "plain", "rfc", "iso"))
    stream = dice.pick(("brackets", "brackets", "json", "lower"))
    nulls = dice.chance(0.4)
    drawing.table("webhooks", times=times, stream=stream, nulls=nulls)
    empty = "null" if nulls else "empty"
    drawing.tell(f"webhooks write times {times}, the stream as {stream}, what is not there {empty}")


def _callback_type(dice: Dice, drawing: _Drawing) -> None:
    if drawing.flow.callback is not None:
        content_type = dice.pick(("multipart", "form", "json"))
        drawing.table("callback", content_type=content_type)
        drawing.tell(f"the status callback is {content_type}")


_VARIATIONS: Sequence[Callable[[Dice, _Drawing], None]] = (
    _frames,
    _keys,
    _format,
    _marks_after_clear,
    _ending,
    _webhooks,
    _callback_type,
)


# ------------------------------------------------------------------ what goes wrong on the line


def _handshake(dice: Dice, drawing: _Drawing) -> None:
    fate = dice.pick((Try.UNREACHED, Try.CUT, Try.UNHEARD))
    drawing.on_line(tries=(fate,))
    drawing.tell(f"the first handshake is {_FATES[fate]}, the second goes well")


_FATES = {Try.UNREACHED: "not delivered", Try.CUT: "cut off", Try.UNHEARD: "answered in vain"}


def _late_handshake(dice: Dice, drawing: _Drawing) -> None:
    late_ms = dice.whole(100, 2000)
    drawing.on_line(handshake_delay_ms=late_ms)
    drawing.tell(f"the handshake comes {late_ms} ms late")


def _early_media(dice: Dice, drawing: _Drawing) -> None:
    frames = dice.whole(1, 10)
    drawing.on_line(early_frames=frames)
    drawing.tell(f"{frames} media frames come before start")


def _delay(dice: Dice, drawing: _Drawing) -> None:
    there, back, jitter = dice.whole(0, 300), dice.whole(0, 300), dice.whole(0, 100)
    drawing.on_line(delay_ms=there, return_delay_ms=back, jitter_ms=jitter)
    drawing.tell(f"the line takes {there} ms there, {back} ms back, and up to {jitter} ms more")


def _stall(dice: Dice, drawing: _Drawing) -> None:
    at_ms, ms = dice.whole(200, 5000), dice.whole(100, 1500)
    drawing.on_line(stalls=(Stall(at_ms, ms),))
    drawing.tell(f"nothing reaches the server for {ms} ms, {_s(at_ms)} into the stream")


def _payloads(dice: Dice, drawing: _Drawing) -> None:
    sizes = tuple(dice.whole(81, 900) for _ in range(dice.whole(1, 3)))
    drawing.on_line(payload_bytes=sizes)
    drawing.tell(f"the caller's payloads have {', '.join(map(str, sizes))} bytes by turns")


def _odd_frames(dice: Dice, drawing: _Drawing) -> None:
    times = sorted(dice.whole(0, 5000) for _ in range(dice.whole(1, 6)))
    found = tuple(OddFrame(at_ms, dice.pick(list(Odd))) for at_ms in times)
    drawing.on_line(odd_frames=found)
    drawing.tell(f"odd frames: {', '.join(f'{each.odd} at {_s(each.at_ms)}' for each in found)}")


def _lost_marks(dice: Dice, drawing: _Drawing) -> None:
    every = dice.whole(1, 3)
    drawing.on_line(lost_marks=every)
    drawing.tell("no mark comes back" if every == 1 else f"one mark in {every} does not come back")


def _late_marks(dice: Dice, drawing: _Drawing) -> None:
    late_ms = dice.whole(50, 3000)
    drawing.on_line(late_marks_ms=late_ms)
    drawing.tell(f"marks come back {late_ms} ms late")


def _reset(dice: Dice, drawing: _Drawing) -> None:
    at_ms = dice.whole(0, 5000)
    drawing.on_line(reset_at_ms=at_ms)
    drawing.tell(f"the connection is reset {_s(at_ms)} into the stream")


def _half_open(dice: Dice, drawing: _Drawing) -> None:
    at_ms = dice.whole(0, 5000)
    drawing.on_line(half_open_at_ms=at_ms)
    drawing.tell(f"the line falls silent {_s(at_ms)} into the stream, and nobody closes it")


def _short_stream(dice: Dice, drawing: _Drawing) -> None:
    limit_ms = dice.whole(1000, 6000)
    drawing.table("stream", limit_seconds=limit_ms / 1000)
    drawing.tell(f"Exotel ends each stream after {_s(limit_ms)}")


# ------------------------------------------------------------------ what goes wrong elsewhere


def _api(dice: Dice, drawing: _Drawing) -> None:
    faults = [dice.pick(_API_FAULTS) for _ in range(dice.whole(1, 3))]
    drawing.api += faults
    said = ", ".join(fault.how or str(fault.status) for fault in faults)
    drawing.tell(f"the first requests to the API meet: {said}")


_API_FAULTS = (
    Fault(401, message="Authentication is required to view this page"),
    Fault(402, message="Insufficient balance"),
    Fault(403, code=34007, message="KYC is not completed"),
    Fault(404, message="The requested resource was not found"),
    Fault(429, message="Too many requests", headers={"Retry-After": "1"}),
    Fault(500, message="Internal server error"),
    Fault(503, message="Service unavailable"),
    Fault(how="hang"),
    Fault(how="reset"),
    Fault(200, how="cut", body=b'{"Call":{"Sid":'),
)


def _callback(dice: Dice, drawing: _Drawing) -> None:
    times = dice.pick((0, 2, 3))
    late = dice.whole(0, 2000)
    drawing.table("callback", times=times, delay_seconds=late / 1000)
    often = {0: "never comes", 2: "comes twice", 3: "comes three times"}[times]
    drawing.tell(f"the status callback {often}" + (f", {late} ms late" if times else ""))


def _recording(dice: Dice, drawing: _Drawing) -> None:
    not_ready, refused = dice.whole(0, 2), dice.whole(0, 1)
    presigned = dice.chance(0.5)
    drawing.table("recording", not_ready=not_ready, refused=refused, presigned=presigned)
    signed = "with" if presigned else "without"
    drawing.tell(
        f"the recording is not there {not_ready} times, refused {refused} times, "
        f"and told {signed} a presigned URL"
    )


def _agents(dice: Dice, drawing: _Drawing) -> None:
    agents = [_agent(dice, agent) for agent in drawing.flow.agent]
    drawing.flow = drawing.flow.model_copy(update={"agent": agents})
    said = [f"agent {at} {', then '.join(each.does)}" for at, each in enumerate(agents, start=1)]
    drawing.tell("; ".join(said))


def _agent(dice: Dice, agent: Agent) -> Agent:
    does = [dice.pick(_DOINGS) for _ in range(dice.whole(1, 2))]
    return agent.model_copy(
        update={
            "does": does,
            "ring_seconds": dice.whole(0, 5) / 5,
            "talk_seconds": dice.whole(1, 10) / 5,
            "leaves_first": dice.chance(0.5),
        }
    )


_DOINGS: tuple[Doing, ...] = ("answers", "busy", "silent", "rejects", "hangs-up", "fails")


def _caller_leaves(dice: Dice, drawing: _Drawing) -> None:
    during = dice.pick(sorted(drawing.flow.applet))
    after_ms = dice.whole(0, 4000)
    leaving = HangUpTable(during=during, after_seconds=after_ms / 1000)
    drawing.table("caller", hangs_up=leaving)
    drawing.tell(f'the caller hangs up {_s(after_ms)} after applet "{during}" was entered')


def _s(ms: float) -> str:
    return f"{ms / 1000:.1f} s"


def _always(flow: Flow) -> bool:
    return bool(flow.applet)


def _streams(flow: Flow) -> bool:
    return any(applet.type in ("voicebot", "stream") for applet in flow.applet.values())


_FAULTS: Sequence[tuple[Callable[[Flow], bool], Callable[[Dice, _Drawing], None]]] = (
    (_streams, _handshake),
    (_streams, _late_handshake),
    (_streams, _early_media),
    (_streams, _delay),
    (_streams, _stall),
    (_streams, _payloads),
    (_streams, _odd_frames),
    (_streams, _lost_marks),
    (_streams, _late_marks),
    (_streams, _reset),
    (_streams, _half_open),
    (_streams, _short_stream),
    (_always, _api),
    (_always, _caller_leaves),
    (lambda flow: flow.callback is not None, _callback),
    (lambda flow: flow.recording is not None, _recording),
    (lambda flow: bool(flow.agent), _agents),
)
"""What can go wrong, and in which flows."""
