"""An endpoint of a language model."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from exobridge_providers.testing.fake_chat import (
    FakeChat,
)


@pytest.fixture
async def fake() -> AsyncGenerator[FakeChat]:
    """An endpoint."""
    async with FakeChat().listening() as fake:
        yield fake
