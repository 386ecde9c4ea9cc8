"""What every table of a template has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """One table. Unknown keys are refused, values are taken as TOML typed them (``"500"`` is no
    number), and a refused value is not repeated in the message."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)
