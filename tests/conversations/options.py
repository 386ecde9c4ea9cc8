"""What a template says to the scripted providers: which call they are in."""

from __future__ import annotations

from exobridge_providers.base import Options
from tests.conversations.world import WORLDS, World


class InWorld(Options):
    """Options of every scripted provider.

    Attributes:
        world: Number of the call in ``WORLDS``.
    """

    world: int


def world_of(options: Options) -> World:
    """The call that a provider was made for."""
    assert isinstance(options, InWorld)
    return WORLDS[options.world]
