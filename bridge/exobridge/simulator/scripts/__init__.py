"""Callers whose script is a TOML file: they call a bot, follow the script, and judge the bot.

``model`` is what can stand in a file, ``load`` reads one, ``compile`` makes the caller's steps of
it, ``judge`` holds what was heard against what was expected. These are pure. ``run`` places the
call; ``junit`` writes the results for a build server.
"""

from exobridge.simulator.scripts.judge import Finding
from exobridge.simulator.scripts.load import load_script, script_files
from exobridge.simulator.scripts.model import CallTable, Script
from exobridge.simulator.scripts.run import Audience, Result, run_script
from exobridge.simulator.scripts.speech import Speech

__all__ = [
    "Audience",
    "CallTable",
    "Finding",
    "Result",
    "Script",
    "Speech",
    "load_script",
    "run_script",
    "script_files",
]
