"""What people say of identifiers: who is the same, which value is right, what is allowed. In the store's numbers.

Owns the stored shapes, and their translation to what the engine judges by. Identifiers are named by numbers here and by aliases on the
topic: a keyed hash tells nobody the address, and means the same after any rebuild.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from earshot_crm_sync.identity import Consent, Decision, Edit, Identifier, Verb


@dataclass(frozen=True, slots=True)
class Word:
    """A decision (identity.Decision) in numbers of identifiers."""

    decision_id: str
    verb: str
    a: int
    b: int
    left: tuple[int, ...]
    right: tuple[int, ...]
    at: datetime
    actor: str

    def named(self) -> set[int]:
        """Return the numbers of all identifiers it names."""
        return {self.a, self.b, *self.left, *self.right}

    def decision(self, name_of: Mapping[int, Identifier]) -> Decision:
        """Return the decision; identifiers that are not in ``name_of`` are elsewhere, and left out of its sides."""
        nobody = Identifier("", "")
        return Decision(
            Verb(self.verb),
            name_of.get(self.a, nobody),
            name_of.get(self.b, nobody),
            frozenset(name_of[each] for each in self.left if each in name_of),
            frozenset(name_of[each] for each in self.right if each in name_of),
            self.at,
            self.decision_id,
            self.actor,
        )


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did, for the history: ``aliases`` are the identifiers it names."""

    action_id: str
    verb: str
    actor: str
    key_id: str
    at: datetime
    aliases: frozenset[str]


class StoredEdit(msgspec.Struct, array_like=True, gc=False):
    """A value set by hand; None takes earlier ones back."""

    field: str
    value: str | None
    at: datetime
    action_id: str
    actor: str

    def edit(self, identifier: Identifier) -> Edit:
        """Return it as the engine knows it."""
        return Edit(field=self.field, value=self.value, identifier=identifier, at=self.at, edit_id=self.action_id, actor=self.actor)


class StoredConsent(msgspec.Struct, array_like=True, gc=False):
    """A consent given or refused."""

    purpose: str
    brand: str
    granted: bool
    at: datetime
    action_id: str
    proof: str
    source: str

    def consent(self, identifier: Identifier) -> Consent:
        """Return it as the engine knows it."""
        return Consent(
            identifier=identifier,
            purpose=self.purpose,
            brand=self.brand,
            granted=self.granted,
            at=self.at,
            consent_id=self.action_id,
            proof=self.proof,
            source=self.source,
        )


_packer = msgspec.msgpack.Encoder()
_edits = msgspec.msgpack.Decoder(StoredEdit)
_consents = msgspec.msgpack.Decoder(StoredConsent)


def pack_word(word: StoredEdit | StoredConsent) -> bytes:
    """Return the stored form."""
    return _packer.encode(word)


def unpack_edit(packed: bytes) -> StoredEdit:
    """Return what `pack_word` was given."""
    return _edits.decode(packed)


def unpack_consent(packed: bytes) -> StoredConsent:
    """Return what `pack_word` was given."""
    return _consents.decode(packed)
