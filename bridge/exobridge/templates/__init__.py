"""Templates: what the bot is like on one number, as a TOML file.

The file's stem is the template's name; ``EXOTEL_NUMBERS`` says which numbers it answers for.
``default`` and ``demo`` come with exobridge, and a file of the same name replaces them.
"""

from __future__ import annotations

from exobridge.templates.hours import Hours, is_open
from exobridge.templates.loader import Templates, in_use, languages_of, load_templates
from exobridge.templates.models import Template
from exobridge.templates.providers import ProviderUse, provider_uses
from exobridge.templates.text import TextError, call_variables, render

__all__ = [
    "Hours",
    "ProviderUse",
    "Template",
    "Templates",
    "TextError",
    "call_variables",
    "in_use",
    "is_open",
    "languages_of",
    "load_templates",
    "provider_uses",
    "render",
]
