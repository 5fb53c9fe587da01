"""What people may mean by an identifier they type: an author key, a mail, a phone, a record of another system, alone or after its kind.

Owns that guess, by the engine's own spellings. Pure.
"""

from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.identity.normalise import email, phone

_KEY_KINDS = ("account", "handle", "mailbox", "crm_id")
_KINDS = (*_KEY_KINDS, "email", "phone")


def identifiers_meant(text: str) -> list[Identifier]:
    """Return every identifier that the text may name, the likeliest first; none that the text cannot be."""
    trimmed = text.strip()
    meant = []
    if ":" in trimmed:
        meant += [Identifier(kind, trimmed) for kind in _KEY_KINDS]
        channel, _, name = trimmed.partition(":")
        if name.startswith("@"):
            meant.append(Identifier("handle", f"{channel}:@{name.lstrip('@').lower()}"))
        if channel in _KINDS:  # `kind:value`, as `why` and the configuration write it, unless there is a channel of that name
            meant += [each for each in identifiers_meant(name) if each.kind == channel]
    if address := email(trimmed):
        meant.append(Identifier("email", address))
    if number := phone(trimmed):
        meant.append(Identifier("phone", number))
    return list(dict.fromkeys(meant))
