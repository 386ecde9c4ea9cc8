"""The receiver of webhooks, tried with a ping."""

from __future__ import annotations

import secrets

from exobridge.doctor.case import OFFLINE, Case
from exobridge.doctor.finding import Finding, info, ok, warning
from exobridge.webhooks.trial import try_receiver


async def look(case: Case) -> list[Finding]:
    """Whether the user's own system takes what it is told; nothing where it is not to be told."""
    if case.settings.webhook_url is None:
        return []
    if case.scope.offline:
        return [info("doctor.skipped", f"webhooks: {OFFLINE}")]
    trial = await try_receiver(case.settings, f"wh_ping{secrets.token_hex(8)}")
    if trial is None:
        return []
    found = f"{trial.receiver} answers a ping: {trial.found}"
    if trial.is_taken:
        return [ok("webhooks.receiver", found)]
    if trial.status is None:
        found = f"{trial.receiver} does not take a ping: {trial.found}"
    return [warning("webhooks.receiver", found, trial.cure)]
