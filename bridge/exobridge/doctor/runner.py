"""Runs the checks: side by side, each within its time; none of them can break another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from exobridge.doctor import (
    clock,
    disk,
    exotel_account,
    flow_checks,
    machine,
    model_checks,
    number_checks,
    outbound_checks,
    port_check,
    provider_checks,
    secret_checks,
    storage_check,
    template_checks,
    url_checks,
    visit_checks,
    webhook_checks,
)
from exobridge.doctor.aside import aside
from exobridge.doctor.case import OFFLINE, Case, Check, Scope, blocking
from exobridge.doctor.catalogue import GROUPS
from exobridge.doctor.finding import Finding, info, warning
from exobridge.doctor.kept import read_kept
from exobridge.doctor.variables import Read, read, secret_values
from exobridge.log import MIN_SECRET, Redactor

READ_SECONDS = 10.0
"""For the settings, and again for the templates."""

CHECKS = (
    Check("secrets", blocking(secret_checks.look)),
    Check("templates", blocking(template_checks.look), needs_templates=True),
    Check("flow", blocking(flow_checks.look), needs_templates=True),
    Check("numbers", blocking(number_checks.look)),
    Check("providers", blocking(provider_checks.look), seconds=20, needs_templates=True),
    Check("models", model_checks.look, seconds=120, needs_templates=True),
    Check("port", port_check.look),
    Check("url", url_checks.look, seconds=30),
    Check("webhooks", webhook_checks.look, seconds=15),
    Check("clock", clock.look, seconds=8),
    Check("disk", blocking(disk.look)),
    Check("storage", storage_check.look, seconds=20),
    Check("machine", blocking(machine.look)),
    Check("exotel", exotel_account.look, seconds=20),
    Check("visits", blocking(visit_checks.look)),
    Check("outbound", blocking(outbound_checks.look), needs_templates=True),
)

Tell = Callable[[str], None]


async def examine(
    scope: Scope, tell: Tell, environ: Mapping[str, str] | None = None
) -> list[Finding]:
    """Look at everything; the findings in the order of the groups. Never raises.

    Args:
        tell: Told what takes its time.
        environ: In place of ``os.environ``.
    """
    variables: Mapping[str, str] = {}
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(READ_SECONDS):
            found = await aside(lambda: read(environ))
        variables = found.variables
        findings += found.findings
        findings += await _with_settings(found, scope, tell)
    except Exception as problem:
        findings.append(_failed("settings", problem, READ_SECONDS))
    order = list(GROUPS)
    clean = _cleaned(findings, secret_values(variables))
    return sorted(clean, key=lambda finding: order.index(finding.group))


async def _with_settings(found: Read, scope: Scope, tell: Tell) -> list[Finding]:
    settings = found.settings
    if settings is None:
        cure = "Mend the settings, then run exobridge doctor again."
        return [info("doctor.skipped", "everything else: the settings cannot be read", cure)]
    templates = None
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(READ_SECONDS):
            templates, findings = await aside(lambda: template_checks.load(settings))
    except Exception as problem:
        findings = [_failed("templates", problem, READ_SECONDS)]
    kept, unread = await read_kept(settings)
    case = Case(settings, templates, found.variables, scope, tell, kept)
    return [*findings, *unread, *await run(CHECKS, case)]


async def run(checks: Iterable[Check], case: Case) -> list[Finding]:
    """Run these checks side by side."""
    done = await asyncio.gather(*(_one(check, case) for check in checks))
    return [finding for findings in done for finding in findings]


async def _one(check: Check, case: Case) -> list[Finding]:
    if why := _left_out(check, case):
        return [info("doctor.skipped", f"{check.name}: {why}")]
    try:
        async with asyncio.timeout(check.seconds):
            return await check.run(case)
    except Exception as problem:  # whatever the machine is like, the others are told
        return [_failed(check.name, problem, check.seconds)]


def _left_out(check: Check, case: Case) -> str:
    """Why a check is not run; empty: it is."""
    if check.needs_templates and case.templates is None:
        return "the templates have to be mended first"
    if check.name == "models" and case.scope.fast:
        return "--fast starts no provider"
    if check.name == "exotel" and case.scope.offline and case.settings.exotel_api_key:
        return OFFLINE
    if check.name == "url" and case.scope.offline and case.settings.public_url:
        return OFFLINE
    return ""


def _failed(name: str, problem: Exception, seconds: float) -> Finding:
    if isinstance(problem, TimeoutError):
        found = f"{name}: not done within {seconds:.0f} s"
        return warning("doctor.late", found, "Run it again; look at the machine's load and disk.")
    # Not its text: nobody has looked at what may stand in it.
    found = f"{name}: the check itself failed ({type(problem).__name__})"
    return warning("doctor.crashed", found, "Please report this with your Python and system.")


def _cleaned(findings: Iterable[Finding], secrets: list[str]) -> list[Finding]:
    """Without secrets and full numbers, whoever wrote the texts: plugins and systems do, too."""
    redact = Redactor(secrets).text
    literal = [secret for secret in secrets if len(secret) >= MIN_SECRET]

    def cure(text: str) -> str:
        # Only by the letter: a line to paste, like NAME=…, looks like a secret to the redactor.
        for secret in literal:
            text = text.replace(secret, "***")
        return text

    return [Finding(each.id, each.level, redact(each.found), cure(each.cure)) for each in findings]
