"""Reads one template's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from exobridge.errors import ConfigError
from exobridge.settings import Settings
from exobridge.templates import (
    Template,
    load_templates,
)


def load(folder: Path, text: str, settings: Settings | None = None) -> Template:
    """The template of one file with this content."""
    (folder / "reception.toml").write_text(text, "utf-8")
    return load_templates(folder, settings or Settings())["reception"]


def refused(folder: Path, text: str, settings: Settings | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, settings)
    return caught.value
