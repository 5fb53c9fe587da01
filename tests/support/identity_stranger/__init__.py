"""An adversarial suite for identity, written by somebody who had read the issue and the contract, not the engine."""

from __future__ import annotations

from collections.abc import Callable

from support.identity_stranger import apart, together
from support.identity_stranger.world import World

SCENES: dict[str, Callable[[World, int], None]] = {
    scene.__name__: scene
    for scene in (
        apart.families,
        apart.couples,
        apart.twins,
        apart.father_and_son,
        apart.shared_mailboxes,
        apart.switchboards,
        apart.namesakes,
        apart.numbered_mails,
        apart.recycled,
        apart.impersonators,
        apart.flatmates,
        apart.placeholders,
        apart.wrong_types,
        together.transliterated,
        together.nicknames,
        together.swapped_names,
        together.phone_prefixes,
        together.mail_spellings,
        together.lives,
        together.misspelt,
        together.channels,
        together.scalar_types,
    )
}


def fill(world: World, name: str, count: int) -> None:
    """Add a scene to a world."""
    world.case = name
    SCENES[name](world, count)
