"""Aliases: the id that an identifier would have alone, and that leads for ever to whatever holds it.

Owns their meaning here; the derivation is `earshot_shared.identifiers`'. Without the installation's key it cannot be guessed from an
address, and it tells nothing. The id of a customer is the alias of its earliest identifier.
"""

from earshot_crm_sync.identity import Identifier
from earshot_shared import identifiers


def alias_of(identifier: Identifier, key: bytes) -> str:
    """Return the alias as text; ``key`` is the installation's for customers (`stage.ID_PURPOSE`)."""
    return identifiers.alias_of(*identifier, key)


def speaker_of(author_key: str) -> Identifier:
    """Return the identifier that an author key names."""
    return Identifier(*identifiers.speaker_of(author_key))
