"""Every mutation there is."""

from __future__ import annotations

from tests.mutations import call, codecs, dialogue, exotel, failover, pieces, turns
from tests.mutations.mutation import Module

MODULES: tuple[Module, ...] = (
    *codecs.MODULES,
    *exotel.MODULES,
    *turns.MODULES,
    *call.MODULES,
    *pieces.MODULES,
    *failover.MODULES,
    *dialogue.MODULES,
)
