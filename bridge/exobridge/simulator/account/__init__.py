"""A stand-in for an Exotel account: the REST API, the recordings, and what goes wrong with both.

:class:`Account` is what it holds, :func:`serve_account` lets it be asked over a real socket;
``docs/reference/account.md`` says what it does and what it does not. What happens on the line comes
from whoever plays the calls: :meth:`Account.begin`, :meth:`Account.end`, :meth:`Account.streaming`.
A call that the API is asked for goes to :attr:`Account.place`.
"""

from exobridge.simulator.account.account import KEY, SID, TOKEN, Account
from exobridge.simulator.account.answers import Refusal
from exobridge.simulator.account.faults import Fault
from exobridge.simulator.account.placing import PlacedCall, direct_flow, placed_flow
from exobridge.simulator.account.reading import Asked
from exobridge.simulator.account.records import AccountCall, Recording
from exobridge.simulator.account.serve import attend, serve_account
from exobridge.simulator.account.silence import silent_mp3

__all__ = [
    "KEY",
    "SID",
    "TOKEN",
    "Account",
    "AccountCall",
    "Asked",
    "Fault",
    "PlacedCall",
    "Recording",
    "Refusal",
    "attend",
    "direct_flow",
    "placed_flow",
    "serve_account",
    "silent_mp3",
]
