"""What people do to customers, as ``action.taken`` carries it.

Owns the verbs and their arguments. Identifiers are named by their aliases: keyed hashes that mean the same after any rebuild and tell
nobody an address. Verbs this version does not know are passed over.
"""

from datetime import datetime
from typing import Final

import msgspec

from earshot_crm_sync.desk import Said, Slice
from earshot_crm_sync.domain.words import Act, StoredConsent, StoredEdit
from earshot_shared.actions import Action

SERVICE: Final = "crm-sync"
DECIDE, EDIT, CONSENT = "decide", "edit", "consent"


class Decided(msgspec.Struct, frozen=True):
    """Arguments of ``decide``: identity.Decision by aliases; ``word`` is same, not_same, lock or unlock."""

    word: str
    a: str
    b: str
    left: tuple[str, ...]
    right: tuple[str, ...]


class Edited(msgspec.Struct, frozen=True):
    """Arguments of ``edit``: fields set by hand for one identifier; None takes earlier values back."""

    identifier: str
    fields: dict[str, str | None]


class Consented(msgspec.Struct, frozen=True):
    """Arguments of ``consent``: given or refused for these identifiers; an opt-out for all names all there were."""

    identifiers: tuple[str, ...]
    purpose: str
    brand: str
    granted: bool
    at: datetime
    proof: str
    source: str


_decided = msgspec.json.Decoder(Decided)
_edited = msgspec.json.Decoder(Edited)
_consented = msgspec.json.Decoder(Consented)


def read_act(action: Action, slice_: Slice) -> None:
    """Put what an action says into a slice.

    Raises: msgspec.DecodeError when the arguments are not those of its verb.
    """
    action_id, actor, key_id = str(action.action_id), str(action.actor), action.actor.key_id
    if action.verb == DECIDE:
        word = _decided.decode(action.arguments)
        slice_.acts.append(Act(action_id, word.word, actor, key_id, action.at, frozenset((word.a, word.b, *word.left, *word.right))))
        slice_.said.append(Said(action_id, word.word, word.a, word.b, word.left, word.right, action.at, actor))
    elif action.verb == EDIT:
        edited = _edited.decode(action.arguments)
        slice_.acts.append(Act(action_id, EDIT, actor, key_id, action.at, frozenset((edited.identifier,))))
        for name, value in edited.fields.items():
            slice_.edits.append((edited.identifier, StoredEdit(name, value, action.at, action_id, actor)))
    elif action.verb == CONSENT:
        given = _consented.decode(action.arguments)
        slice_.acts.append(Act(action_id, CONSENT, actor, key_id, action.at, frozenset(given.identifiers)))
        stored = StoredConsent(given.purpose, given.brand, given.granted, given.at, action_id, given.proof, given.source)
        slice_.consents.extend((alias, stored) for alias in given.identifiers)
