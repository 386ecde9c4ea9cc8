"""Every mutation there is."""

from __future__ import annotations

from tests.mutations import (
    call,
    calling_out,
    codecs,
    dialogue,
    exotel,
    exotel_api,
    failover,
    flows,
    pieces,
    recordings,
    routing,
    simulator,
    transfer,
    turns,
    wire,
)
from tests.mutations.mutation import Module

MODULES: tuple[Module, ...] = (
    *codecs.MODULES,
    *exotel.MODULES,
    *exotel_api.MODULES,
    *turns.MODULES,
    *call.MODULES,
    *pieces.MODULES,
    *failover.MODULES,
    *dialogue.MODULES,
    *routing.MODULES,
    *transfer.MODULES,
    *calling_out.MODULES,
    *recordings.MODULES,
    *flows.MODULES,
    *simulator.MODULES,
    *wire.MODULES,
)
