"""Every mutation there is."""

from __future__ import annotations

from tests.mutations import (
    batches,
    call,
    calling_out,
    codecs,
    control,
    dialling_out,
    dialogue,
    exotel,
    exotel_api,
    failover,
    flows,
    live,
    numbers,
    pieces,
    recordings,
    routing,
    simulator,
    transfer,
    turns,
    webhooks,
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
    *batches.MODULES,
    *calling_out.MODULES,
    *control.MODULES,
    *dialling_out.MODULES,
    *live.MODULES,
    *numbers.MODULES,
    *recordings.MODULES,
    *flows.MODULES,
    *simulator.MODULES,
    *webhooks.MODULES,
    *wire.MODULES,
)
