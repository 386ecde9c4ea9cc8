"""What all calls through fake vendors need."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from exobridge_providers.testing.fake_vendor import KEY_VARIABLE
from tests.vendors.ground import KEY


@pytest.fixture(autouse=True, scope="session")
def key_of_the_fakes() -> Generator[None]:
    """It stands where the plugins look for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, KEY)
        yield
