"""Aliases: the id that an identifier would have alone, and that leads for ever to whatever holds it.

Owns the derivation: a keyed BLAKE2b of kind and value in the layout of a UUID of version 8. Without the installation's key it cannot be
guessed from an address, and it tells nothing. The id of a customer is the alias of its earliest identifier.
"""

import hashlib

from earshot_crm_sync.identity import Identifier


def alias_of(identifier: Identifier, key: bytes) -> str:
    """Return the alias as text; ``key`` is the installation's for customers (`stage.ID_PURPOSE`)."""
    kind, value = identifier
    text = hashlib.blake2b(f"{kind}\x1f{value}".encode(), key=key, digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"


def speaker_of(author_key: str) -> Identifier:
    """Return the identifier that an author key names."""
    name = author_key.partition(":")[2]
    kind = "handle" if name.startswith("@") else "mailbox" if name.startswith("mail:") else "account"
    return Identifier(kind, author_key)
