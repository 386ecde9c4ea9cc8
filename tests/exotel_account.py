"""The simulator's stand-in for an Exotel account, for the length of a test."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from exobridge.simulator.account import (
    KEY,
    SID,
    TOKEN,
    Fault,
    Recording,
    serve_account,
    silent_mp3,
)
from exobridge.simulator.account import Account as FakeAccount
from exobridge.simulator.account import AccountCall as FakeCall

__all__ = [
    "KEY",
    "SID",
    "TOKEN",
    "FakeAccount",
    "FakeCall",
    "Fault",
    "Recording",
    "exotel_account",
    "silent_mp3",
]


@asynccontextmanager
async def exotel_account(sid: str = SID) -> AsyncGenerator[FakeAccount]:
    """Run an account on a free port of this machine; at the end every connection is over."""
    async with serve_account(FakeAccount(sid=sid)) as account:
        yield account
