"""Suggestions: pairs of customers that may be one, for a person to say.

Owns their id and stored form. An id is a function of the two identifiers, so that a suggestion looked at keeps it over any rebuild.
"""

import msgspec

from earshot_crm_sync.identity import Suggestion
from earshot_shared import ids


class StoredSuggestion(msgspec.Struct, array_like=True, gc=False):
    """Why two customers may be one. ``refused``: the veto that forbids to join them by score alone. ``rules_version``: what judged it."""

    weight: float
    reasons: tuple[str, ...]
    refused: str | None
    evidence_id: str
    rules_version: str = ""  # those of before it was kept have none until they are judged again


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(StoredSuggestion)


def suggestion_id(a: str, b: str) -> str:
    """Return the id of a suggestion about two identifiers, by their aliases in any order."""
    first, second = sorted((a, b))
    return ids.uuid5_text(ids.NAMESPACE.bytes, f"suggestion{ids.UNIT_SEPARATOR}{first}{ids.UNIT_SEPARATOR}{second}")


def pack_suggestion(one: Suggestion, rules_version: str) -> bytes:
    """Return the stored form."""
    refused = None if one.refused is None else str(one.refused)
    return _packer.encode(StoredSuggestion(one.weight, one.reasons, refused, one.evidence_id, rules_version))


def unpack_suggestion(packed: bytes) -> StoredSuggestion:
    """Return what `pack_suggestion` was given."""
    return _unpacker.decode(packed)
