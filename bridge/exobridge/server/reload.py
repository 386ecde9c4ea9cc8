"""New templates for a process that goes on serving."""

from __future__ import annotations

import asyncio

import structlog

from exobridge.bridge import Bridge
from exobridge.errors import ConfigError
from exobridge.templates import Templates, load_templates

_log = structlog.stdlib.get_logger("exobridge")


async def reload_templates(bridge: Bridge) -> None:
    """Read the templates again, and put them in force for the calls that come from now on.

    They are read, checked and made ready beside the serving. If anything is wrong with any of them,
    the log tells what and how to mend it, and the old ones stay.
    """
    settings, before = bridge.settings, bridge.templates
    try:
        templates = await asyncio.to_thread(load_templates, settings.templates_dir, settings)
        await bridge.use_templates(templates)
    except ConfigError as error:
        for each in (error, *error.also):
            _log.error(
                "templates not reloaded", where=each.where, problem=each.problem, cure=each.cure
            )
    except Exception:  # a plugin's bug, when it is imported
        _log.exception("templates not reloaded")
    else:
        _log.info("templates reloaded", changed=_changed(before, templates))


def _changed(before: Templates, after: Templates) -> list[str]:
    """The names of those that are new, gone or different."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
