"""Seeds, a batch at a time: what a process of its own is given to do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak import sockets, virtual

Found = Mapping[int, Sequence[str]]
"""What does not hold, by the seed; under -1 what does not of the server of all of them."""


def run_virtual(seeds: Sequence[int]) -> Found:
    """What does not hold, by the seed."""
    return {seed: _run_one(seed) for seed in seeds}


def _run_one(seed: int) -> Sequence[str]:
    try:
        return virtual.run(seed)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def run_sockets(seeds: Sequence[int]) -> Found:
    """The same over real sockets."""
    with TemporaryDirectory() as folder:
        return asyncio.run(sockets.run(Path(folder), seeds))
