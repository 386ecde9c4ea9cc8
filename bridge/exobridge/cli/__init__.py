"""The command line: ``exobridge serve``, ``call``, ``demo``, ``calls``, ``doctor``."""

from __future__ import annotations

from exobridge.cli.main import main

__all__ = ["main"]
