"""From what one call showed to findings. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.simulator.flows.conformance import BOT, Urls
from exobridge.simulator.flows.report import FlowReport, What
from exobridge.simulator.report import CallReport, EndedBy, Outcome
from exobridge.simulator.rules import Rule, Severity

GREETING_MS = 2000
"""After so long without a sound callers say hello themselves, or hang up."""
ANSWER_MS = 2500
"""After so long without an answer callers ask whether anybody is there."""
SILENT_MS = 1000
"""How soon a bot that is spoken into should be silent."""

_OF_RULES = (
    ("answer-", "against.answer"),
    ("stream-", "against.stream"),
    ("handshake", "against.stream"),
    ("audio-after-stop", "against.end"),
    ("closed-before-played", "against.end"),
    ("passthru-", "against.passthru"),
    ("dial-", "against.dialling"),
    ("callback-", "against.callback"),
    ("webhook-", "against.call"),
)
"""What a rule is about, by the beginning of its name; the others are about the bot's audio."""


def findings(report: FlowReport, urls: Urls, *, spoke: bool) -> list[Finding]:
    """What one call showed.

    Args:
        report: The call, through the conformance flow.
        urls: What was asked in it.
        spoke: Whether the caller had a voice.
    """
    broken = list(_broken(report))
    bad = {each.id for each in broken}
    stream = report.streams[0] if report.streams else None
    fine = [*_webhooks(report, urls), *_stream(stream, report), *_bot(stream, spoke)]
    return [_done(report), *broken, *(each for each in fine if each.id not in bad)]


def _done(report: FlowReport) -> Finding:
    """What was done there."""
    asked = Counter(str(each.what) for each in report.asked)
    said = ", ".join(f"{count} × {what}" for what, count in asked.items())
    found = f"one call of {report.seconds:.1f} s, CallSid {report.call_sid}; asked: {said or '–'}"
    return info("against.call", found)


def _broken(report: FlowReport) -> Iterator[Finding]:
    """Each rule that was broken, once."""
    counts = Counter(each.rule for each in report.violations)
    for rule, count in counts.items():
        detail = next(each.detail for each in report.violations if each.rule is rule)
        found = f"{rule}, {count} × ({detail})" if detail else f"{rule}, {count} ×"
        bad = rule.severity is Severity.ERROR
        tell = error if bad else warning
        yield tell(_about(rule), f"{rule.sentence} Not so: {found}", f"{rule.cure} [{rule.source}]")


def _about(rule: Rule) -> str:
    found = (about for start, about in _OF_RULES if str(rule).startswith(start))
    return next(found, "against.audio")


def _webhooks(report: FlowReport, urls: Urls) -> Iterator[Finding]:
    for about, what, url in (
        ("against.passthru", What.PASSTHRU, urls.passthru),
        ("against.dialling", What.DIAL_UP, urls.dial_up),
        ("against.callback", What.CALLBACK, urls.callback),
    ):
        took = [each.ms for each in report.asked if each.what is what and each.ms is not None]
        if took:
            times = ", ".join(f"{ms:.0f} ms" for ms in took)
            yield ok(about, f"answered as it should be, after {times}")
        elif url:
            yield info("against.untried", f"{what}: the call did not come so far")


def _stream(stream: CallReport | None, report: FlowReport) -> Iterator[Finding]:
    if stream is None:
        if BOT in report.path:
            yield error("against.stream", "no stream was opened", "Mend the answer first.")
        return
    if stream.answer_ms is not None and stream.outcome is not Outcome.NOT_ANSWERED:
        yield ok("against.answer", f"a stream's URL after {stream.answer_ms:.0f} ms")
    if stream.outcome is Outcome.REFUSED:
        cure = "Call a number that the server answers for: --to."
        yield warning("against.stream", "the server refused the call with 302", cure)
    if stream.handshake_ms is None:
        return
    tries = stream.handshake_attempts
    took = f"open after {stream.handshake_ms:.0f} ms, at try {tries}"
    yield ok("against.stream", took)
    if stream.chunks_received:
        sent = f"{stream.chunks_received} chunks, {stream.bytes_received} bytes of audio"
        yield ok("against.audio", f"{sent}, all as documented")
    if stream.outcome is Outcome.DROPPED:
        found = f"the server broke the stream off (close code {stream.close_code})"
        cure = "Look into its log; a stream is closed with 1000 once the bot has finished."
        yield error("against.end", found, cure)
    elif stream.outcome is Outcome.TIMED_OUT:
        yield warning("against.end", "the call did not end within its limit", "Look into its log.")
    elif stream.ended_by is EndedBy.BOT:
        yield info("against.end", "the bot hung up before the caller did")
    else:
        yield ok("against.end", "the caller hung up, and nothing came after stop")


def _bot(stream: CallReport | None, spoke: bool) -> Iterator[Finding]:
    """How the bot behaves; of no rule of Exotel's, and of what callers put up with."""
    if stream is None or stream.handshake_ms is None:
        return
    yield _greeting(stream)
    yield _marks(stream)
    if any(turn.role == "caller" for turn in stream.turns):
        yield ok("against.keys", "a key was pressed, and the stream went on")
    if spoke:
        yield _answers(stream.voice_to_voice_ms)
        yield _interruption(stream)


def _greeting(stream: CallReport) -> Finding:
    cure = "Speak at the start event; make the greeting's audio beforehand."
    if stream.greeting_ms is None:
        return error("against.greeting", "the bot was never heard", cure)
    found = f"the bot is heard after {stream.greeting_ms:.0f} ms"
    if stream.greeting_ms > GREETING_MS:
        return warning("against.greeting", found, cure)
    return ok("against.greeting", found)


def _marks(stream: CallReport) -> Finding:
    if not stream.marks_received:
        cure = "Send a mark behind what the bot says: it comes back once that was heard."
        return info("against.marks", "the bot sends none", cure)
    found = f"{stream.marks_received} sent, {stream.marks_returned} returned"
    return ok("against.marks", found)


def _answers(times: Sequence[float | None]) -> Finding:
    took = [ms for ms in times if ms is not None]
    if not took:
        cure = "Look into the server's log whether it heard the caller; mind the encoding."
        return warning("against.talk", "nothing that the caller said was answered", cure)
    found = f"answered after {', '.join(f'{ms:.0f} ms' for ms in took)}"
    if max(took) > ANSWER_MS:
        return warning("against.talk", found, "Callers wait about a second; look what takes it.")
    return ok("against.talk", found)


def _interruption(stream: CallReport) -> Finding:
    if not stream.barge_in_ms:
        found = "an interruption: the bot was not talking when the caller spoke into its turn"
        return info("against.untried", found)
    slowest = max(stream.barge_in_ms)
    found = f"the bot is silent {slowest:.0f} ms after the caller spoke into its turn"
    if slowest > SILENT_MS:
        cure = "Send clear as soon as the caller is heard, and send audio only a little ahead."
        return warning("against.interruption", found, cure)
    return ok("against.interruption", found)
