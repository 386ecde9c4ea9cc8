"""Every metric: its name, what it means, and how those of several processes become one.

``docs/reference/metrics.md`` is held against this by a test. Names follow Prometheus' conventions:
base units (seconds, bytes), counters end in ``_total``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exobridge.call.lateness import BOUNDS_S

WEBHOOK_BUCKETS = (0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)
LATENESS_BUCKETS = BOUNDS_S
TURN_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)
CALL_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Upper bounds of histograms, in seconds."""


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """What several processes' values of one metric and label set become."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: As it is exposed; a histogram's without ``_bucket``, ``_sum`` and ``_count``.
        meaning: A sentence, for ``# HELP`` and the reference page.
        labels: Names of labels, ``le`` apart.
        buckets: A histogram's upper bounds, in seconds.
        merge: Counters and histograms are always summed.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Merge = Merge.SUM


METRICS: dict[str, Metric] = {}
"""All of them by name, in the order of the reference page."""


def _add(metric: Metric) -> Metric:
    METRICS[metric.name] = metric
    return metric


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return _add(Metric(name, Kind.COUNTER, meaning, labels))


def _gauge(name: str, meaning: str, *labels: str, merge: Merge = Merge.SUM) -> Metric:
    return _add(Metric(name, Kind.GAUGE, meaning, labels, merge=merge))


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return _add(Metric(name, Kind.HISTOGRAM, meaning, labels, buckets))


# ------------------------------------------------------------------ webhooks and calls

WEBHOOK_SECONDS = _histogram(
    "exobridge_webhook_duration_seconds",
    "How long webhooks took to be answered.",
    WEBHOOK_BUCKETS,
    "endpoint",
    "outcome",
)
CALLS_ASKED = _counter(
    "exobridge_calls_asked_total",
    "Calls that Exotel asked about, by what was decided.",
    "decision",
    "template",
)
CALLS_REFUSED = _counter(
    "exobridge_calls_refused_total",
    "Calls that were turned away, by a spoken line or without a word, by reason.",
    "reason",
)
STREAMS_REFUSED = _counter(
    "exobridge_streams_refused_total",
    "Streams that came unasked (a static URL) and were turned away, by reason.",
    "reason",
)
REQUESTS_REFUSED = _counter(
    "exobridge_requests_refused_total",
    "Webhooks and handshakes that were not let in, by the error they were told.",
    "error",
)
STREAM_REPORTS = _counter(
    "exobridge_stream_reports_total",
    "Streams that Exotel reported on in a Passthru: completed, canceled, failed, throttled, other.",
    "result",
)
CALLS_STARTED = _counter(
    "exobridge_calls_started_total", "Streams that began and were wanted.", "template"
)
CALLS_ENDED = _counter(
    "exobridge_calls_ended_total",
    "Calls that ended, by outcome; one that comes back after it ended counts again.",
    "outcome",
    "template",
)
CALL_SECONDS = _histogram(
    "exobridge_call_duration_seconds",
    "How long streams lasted.",
    CALL_BUCKETS,
    "template",
)
CALLS_OPEN = _gauge("exobridge_calls_open", "Calls whose stream is open now.")
SLOTS_USED = _gauge(
    "exobridge_slots_used",
    "Places that conversations hold now, of open calls and of those whose stream is awaited.",
)
SLOTS_LIMIT = _gauge(
    "exobridge_slots_limit", "The most places there are: MAX_CALLS.", merge=Merge.MAX
)
EXOTEL_STREAMS = _gauge(
    "exobridge_exotel_streams",
    "Streams that the account at Exotel has open, of whatever server, as it said last.",
    merge=Merge.MAX,
)
EXOTEL_STREAMS_LIMIT = _gauge(
    "exobridge_exotel_streams_limit",
    "The most streams that the account at Exotel may have open.",
    merge=Merge.MAX,
)
EXOTEL_REQUESTS = _counter(
    "exobridge_exotel_requests_total",
    "Requests to Exotel's API, by what was asked and what came back: a status, or what went wrong.",
    "request",
    "outcome",
)

# ------------------------------------------------------------------ conversations

TURN_STAGE_SECONDS = _histogram(
    "exobridge_turn_stage_seconds",
    "Where the time of an answer to the caller went: eot, stt, dialogue, tts, send.",
    TURN_BUCKETS,
    "stage",
)
VOICE_TO_VOICE_SECONDS = _histogram(
    "exobridge_voice_to_voice_seconds",
    "From the caller's last voiced frame until the answer's first audio was sent.",
    TURN_BUCKETS,
)
TURNS = _counter("exobridge_turns_total", "Turns that were kept, by who spoke.", "role")
BARGE_INS = _counter("exobridge_barge_ins_total", "Times a caller cut the bot short.")
TRANSFERS = _counter(
    "exobridge_transfers_total", "Times the bot asked to hand a caller over.", "template"
)

# ------------------------------------------------------------------ the media stream

FRAMES_IN = _counter("exobridge_frames_received_total", "WebSocket messages from Exotel.")
FRAMES_OUT = _counter("exobridge_frames_sent_total", "WebSocket messages to Exotel.")
MEDIA_IN = _counter("exobridge_media_frames_received_total", "Frames of the callers' audio.")
MEDIA_OUT = _counter("exobridge_media_frames_sent_total", "Frames of audio to the callers.")
MEDIA_BYTES_IN = _counter(
    "exobridge_media_bytes_received_total", "The callers' audio, as it was encoded, in bytes."
)
MEDIA_BYTES_OUT = _counter(
    "exobridge_media_bytes_sent_total", "Audio to the callers, likewise, in bytes."
)
FRAMES_UNUSED = _counter(
    "exobridge_frames_unused_total",
    "Messages from Exotel that were passed over: bad (could not be read), ignored, misplaced.",
    "why",
)
LATENESS_SECONDS = _histogram(
    "exobridge_timer_lateness_seconds",
    "How late the timers that pace playout and limits fired; up to 5 ms are by design.",
    LATENESS_BUCKETS,
)

# ------------------------------------------------------------------ providers

PROVIDER_ERRORS = _counter(
    "exobridge_provider_errors_total",
    "Failures of providers in calls; retryable says whether trying again may help.",
    "kind",
    "provider",
    "retryable",
)
PROVIDER_START_FAILURES = _counter(
    "exobridge_provider_start_failures_total",
    "Times a provider could not be made or started.",
    "kind",
    "provider",
)
PROVIDER_CIRCUITS = _gauge(
    "exobridge_provider_circuits",
    "Circuits by state: open, calls pass the provider over; half-open, one tries it.",
    "kind",
    "provider",
    "state",
)
PROMPTS = _counter(
    "exobridge_prompts_total",
    "Fixed lines that were wanted: cached, rendered, failed.",
    "result",
)
PROMPT_BYTES = _gauge("exobridge_prompts_bytes", "Audio of fixed lines that is kept, in bytes.")
PROMPT_CHARACTERS = _counter(
    "exobridge_prompt_characters_total",
    "Text of fixed lines that text-to-speech rendered ahead; no call is charged with it.",
    "provider",
)
STT_SECONDS = _counter(
    "exobridge_stt_audio_seconds_total", "Audio sent to speech-to-text.", "provider"
)
TTS_CHARACTERS = _counter(
    "exobridge_tts_characters_total", "Text sent to text-to-speech in calls.", "provider"
)
DIALOGUE_TOKENS = _counter(
    "exobridge_dialogue_tokens_total",
    "Tokens that dialogues reported: input, output.",
    "provider",
    "direction",
)
REALTIME_SECONDS = _counter(
    "exobridge_realtime_audio_seconds_total",
    "Audio of speech-to-speech sessions: heard, spoken.",
    "provider",
    "direction",
)

# ------------------------------------------------------------------ the store

STORE_PENDING = _gauge("exobridge_store_pending", "Facts that wait to be written.")
STORE_TRANSACTIONS = _counter(
    "exobridge_store_transactions_total", "Transactions that were committed."
)
STORE_DROPPED = _counter(
    "exobridge_store_dropped_total", "Facts that were given up: the record is without them."
)

# ------------------------------------------------------------------ jobs

JOBS = _counter(
    "exobridge_jobs_total",
    "Tries at jobs, by how they ended: done, later, retried, failed, lost.",
    "kind",
    "outcome",
)
JOBS_WAITING = _gauge(
    "exobridge_jobs_waiting", "Jobs that are not done yet, due or not.", merge=Merge.MAX
)
JOBS_FAILED = _gauge(
    "exobridge_jobs_failed", "Jobs that were given up and are still listed.", merge=Merge.MAX
)
JOBS_LATE_SECONDS = _gauge(
    "exobridge_jobs_late_seconds",
    "For how long the oldest job that is due has waited; 0: none waits.",
    merge=Merge.MAX,
)

DIALS = _counter(
    "exobridge_dials_total", "People to call that came to an end, by what became of it.", "outcome"
)
DIALS_WAITING = _gauge(
    "exobridge_dials_waiting", "People who are still to be called, due or not.", merge=Merge.MAX
)
DIALS_UNDER_WAY = _gauge(
    "exobridge_dials_under_way", "People who are being called, or may be.", merge=Merge.MAX
)
DIALS_HELD = _gauge(
    "exobridge_dials_held",
    "1 while nobody is called, as Exotel takes no calls from this account; else 0.",
    merge=Merge.MAX,
)

WEBHOOKS = _counter(
    "exobridge_webhooks_total",
    "Tries at webhooks, by what became of them: taken, refused (another status), down (429, 5xx or "
    "no answer).",
    "type",
    "outcome",
)
WEBHOOKS_HELD = _gauge(
    "exobridge_webhooks_held",
    "1 while webhooks are held back, as their receiver is down.",
    merge=Merge.MAX,
)

# ------------------------------------------------------------------ the process

WORKERS = _gauge("exobridge_workers", "Worker processes whose metrics are in these.")
WORKER_CALLS = _gauge(
    "exobridge_worker_slots_used", "Places that conversations hold now, by worker.", "worker"
)
READY = _gauge(
    "exobridge_ready",
    "1 if calls can be taken, 0 if not; of several workers the least.",
    merge=Merge.MIN,
)
LOOP_LAG_SECONDS = _histogram(
    "exobridge_loop_lag_seconds",
    "How late the event loop came to a timer that is due four times a second.",
    LATENESS_BUCKETS,
)
LOOP_LAG_MAX = _gauge(
    "exobridge_loop_lag_max_seconds",
    "The most of it in the last half to one minute.",
    merge=Merge.MAX,
)
TASKS = _gauge("exobridge_tasks", "Tasks of the event loop.")
BUILD_INFO = _gauge("exobridge_build_info", "Always 1.", "version", "python", merge=Merge.MAX)
PROCESS = (
    _counter("process_cpu_seconds_total", "CPU time, user and system. Linux only, as all below."),
    _gauge("process_resident_memory_bytes", "Memory that is resident."),
    _gauge("process_virtual_memory_bytes", "Memory that is mapped."),
    _gauge("process_open_fds", "File descriptors that are open."),
    _gauge("process_max_fds", "The most there may be."),
    _gauge("process_start_time_seconds", "When the process began, since 1970.", merge=Merge.MIN),
)
"""Made by ``prometheus_client``."""
