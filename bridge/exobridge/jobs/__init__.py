"""Does the work that is kept in the table of jobs, beside the calls.

Every process runs one :class:`JobRunner`; they share the work by leases (see
:mod:`exobridge.store.jobs`). A job is done at least once: after a crash, or a lease that was lost,
it is done again, so what a handler does must be the same twice as once.
"""

from exobridge.jobs.kinds import Care, Failed, GiveUp, Handler, Later, RunnerOptions
from exobridge.jobs.runner import JobRunner

__all__ = ["Care", "Failed", "GiveUp", "Handler", "JobRunner", "Later", "RunnerOptions"]
