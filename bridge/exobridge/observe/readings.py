"""What is read when it is asked for: numbers that the process keeps anyway."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

from prometheus_client import Metric as Family
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from exobridge.account_limit import AccountWatch
from exobridge.call.lateness import BOUNDS_S, Lateness
from exobridge.call.plan import Services
from exobridge.desk import Desk
from exobridge.jobs import JobRunner
from exobridge.observe import catalogue
from exobridge.observe.catalogue import Metric
from exobridge.observe.loop_lag import LoopLag
from exobridge.store import Store

Values = Iterable[tuple[Sequence[str], float]]
"""The values of the labels, and the value."""


class Webhooks(Protocol):
    """What is sent to the user's own system."""

    @property
    def sent(self) -> Counter[tuple[str, str]]:
        """By type and outcome."""
        ...

    @property
    def is_held(self) -> bool:
        """Its receiver is down."""
        ...


class Dials(Protocol):
    """What is known of people to call."""

    outcomes: Counter[Any]
    waiting: int
    under_way: int

    @property
    def trouble(self) -> str:
        """Why nobody is called at present."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers are.

    Attributes:
        requests_refused: By the word of the refusal.
        max_calls: The most places.
        is_ready: Whether calls can be taken.
        jobs: What is done beside the calls.
        account: What Exotel says of the account; ``None``: it cannot be asked.
        dials: People to call; ``None``: another process calls them, or nobody.
        webhooks: ``None``: none are sent.
    """

    services: Services
    store: Store
    desk: Desk
    requests_refused: Counter[str]
    lag: LoopLag
    max_calls: int
    is_ready: Callable[[], bool]
    jobs: JobRunner
    account: AccountWatch | None = None
    dials: Callable[[], Dials | None] = lambda: None
    webhooks: Webhooks | None = None


class Readings(Collector):
    """Reads the sources. To be asked on the event loop."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Family]:
        """Everything, as it stands now."""
        yield from self._calls()
        yield from self._frames()
        yield from self._providers()
        yield from self._store()
        yield from self._jobs()
        yield from self._dials()
        yield from self._exotel()
        yield from self._process()

    def _calls(self) -> Iterable[Family]:
        desk, meters = self._sources.desk, self._sources.services.meters
        yield _gauge(catalogue.CALLS_OPEN, len(desk.sessions))
        yield _gauge(catalogue.SLOTS_USED, desk.admission.calls)
        yield _gauge(catalogue.SLOTS_LIMIT, self._sources.max_calls)
        yield _counter(catalogue.STREAMS_REFUSED, _by_name(desk.turned_away))
        yield _counter(catalogue.REQUESTS_REFUSED, _by_name(self._sources.requests_refused))
        yield _counter(catalogue.BARGE_INS, [((), meters.barge_ins)])

    def _frames(self) -> Iterable[Family]:
        frames = self._sources.services.meters.frames()
        yield _counter(catalogue.FRAMES_IN, [((), frames.received)])
        yield _counter(catalogue.FRAMES_OUT, [((), frames.sent)])
        yield _counter(catalogue.MEDIA_IN, [((), frames.media_received)])
        yield _counter(catalogue.MEDIA_OUT, [((), frames.media_sent)])
        yield _counter(catalogue.MEDIA_BYTES_IN, [((), frames.bytes_received)])
        yield _counter(catalogue.MEDIA_BYTES_OUT, [((), frames.bytes_sent)])
        unused = {"bad": frames.bad, "ignored": frames.ignored, "misplaced": frames.misplaced}
        yield _counter(catalogue.FRAMES_UNUSED, _by_name(unused))
        yield _histogram(catalogue.LATENESS_SECONDS, self._sources.services.wheel.lateness)

    def _providers(self) -> Iterable[Family]:
        services = self._sources.services
        starts, errors = services.pool.start_failures, services.meters.provider_errors
        # A provider that was never wrong stands at 0, so that its first error is an increase.
        all_errors = Counter({(*known, flag): 0 for known in starts for flag in (False, True)})
        all_errors.update(errors)
        told = [
            ((kind, name, str(flag).lower()), n) for (kind, name, flag), n in all_errors.items()
        ]
        yield _counter(catalogue.PROVIDER_ERRORS, told)
        yield _counter(catalogue.PROVIDER_START_FAILURES, starts.items())
        states = services.pool.circuits.states().items()
        circuits = [((str(kind), name, str(state)), n) for (kind, name, state), n in states]
        yield _gauges(catalogue.PROVIDER_CIRCUITS, circuits)
        prompts = services.prompts
        yield _counter(catalogue.PROMPTS, _by_name(prompts.wanted))
        yield _gauge(catalogue.PROMPT_BYTES, prompts.kept_bytes)
        yield _counter(catalogue.PROMPT_CHARACTERS, _by_name(prompts.characters))

    def _store(self) -> Iterable[Family]:
        store = self._sources.store
        yield _gauge(catalogue.STORE_PENDING, store.pending)
        yield _counter(catalogue.STORE_TRANSACTIONS, [((), store.transactions)])
        yield _counter(catalogue.STORE_DROPPED, [((), store.dropped)])

    def _jobs(self) -> Iterable[Family]:
        jobs = self._sources.jobs
        yield _counter(catalogue.JOBS, jobs.outcomes.items())
        yield _gauge(catalogue.JOBS_WAITING, jobs.backlog.waiting)
        yield _gauge(catalogue.JOBS_FAILED, jobs.backlog.failed)
        yield _gauge(catalogue.JOBS_LATE_SECONDS, jobs.late_seconds())
        webhooks = self._sources.webhooks
        yield _counter(catalogue.WEBHOOKS, webhooks.sent.items() if webhooks else ())
        yield _gauge(catalogue.WEBHOOKS_HELD, float(webhooks is not None and webhooks.is_held))

    def _dials(self) -> Iterable[Family]:
        dials = self._sources.dials()
        outcomes = dials.outcomes.items() if dials else ()
        yield _counter(catalogue.DIALS, [((str(outcome),), n) for outcome, n in outcomes])
        yield _gauge(catalogue.DIALS_WAITING, dials.waiting if dials else 0)
        yield _gauge(catalogue.DIALS_UNDER_WAY, dials.under_way if dials else 0)
        yield _gauge(catalogue.DIALS_HELD, float(bool(dials and dials.trouble)))

    def _exotel(self) -> Iterable[Family]:
        account = self._sources.account
        told = account.latest if account else None
        yield _counter(catalogue.EXOTEL_REQUESTS, account.asked.items() if account else ())
        yield _gauges(catalogue.EXOTEL_STREAMS, [((), told.active)] if told else ())
        limit = told.limit if told else None
        yield _gauges(catalogue.EXOTEL_STREAMS_LIMIT, [((), limit)] if limit else ())

    def _process(self) -> Iterable[Family]:
        lag = self._sources.lag
        yield _gauge(catalogue.READY, float(self._sources.is_ready()))
        yield _histogram(catalogue.LOOP_LAG_SECONDS, lag.lateness)
        yield _gauge(catalogue.LOOP_LAG_MAX, lag.most_s)
        yield _gauge(catalogue.TASKS, len(asyncio.all_tasks()))
        build = catalogue.BUILD_INFO
        info = GaugeMetricFamily(build.name, build.meaning, labels=build.labels)
        info.add_metric([version("exobridge"), platform.python_version()], 1)
        yield info


def _by_name(values: Mapping[str, int]) -> Values:
    return [((name,), value) for name, value in values.items()]


def _gauge(metric: Metric, value: float) -> Family:
    return GaugeMetricFamily(metric.name, metric.meaning, value)


def _gauges(metric: Metric, values: Values) -> Family:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _counter(metric: Metric, values: Values) -> Family:
    family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, lateness: Lateness) -> Family:
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, map(float, lateness.cumulative()), strict=True))
    family = HistogramMetricFamily(metric.name, metric.meaning)
    family.add_metric([], buckets, lateness.total_s)
    return family
