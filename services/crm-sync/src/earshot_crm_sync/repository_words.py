"""The queries of what people and other systems say: decisions, edits, consents, contacts, standings, suggestions.

Takes a connection, begins and ends no transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from earshot_crm_sync.domain.profile import StandingView
from earshot_crm_sync.domain.words import Act, StoredConsent, StoredEdit, Word, pack_word, unpack_consent, unpack_edit
from earshot_crm_sync.repository import QUERIES
from earshot_crm_sync.rows import ContactRow, RevisionRow, SuggestionRow

_packer = msgspec.msgpack.Encoder()
_standings = msgspec.msgpack.Decoder(StandingView)


async def load_words(conn: Any, identifiers: Collection[int]) -> list[Word]:
    """Return people's decisions that name some identifiers."""
    rows = await conn.fetch(QUERIES["load_decisions"], sorted(identifiers))
    return [
        Word(str(row["decision_id"]), row["verb"], row["a"], row["b"], tuple(row["left"]), tuple(row["right"]), row["at"], row["actor"])
        for row in rows
    ]


async def insert_words(conn: Any, words: Iterable[Word]) -> None:
    """Keep people's decisions; one that is known changes nothing."""
    for word in words:  # people decide one at a time
        await conn.execute(
            QUERIES["insert_decisions"], word.decision_id, word.verb, word.a, word.b, word.left, word.right, word.at, word.actor
        )
        named = sorted(word.named())
        bonds = [word.verb == "same" and number in (word.a, word.b) for number in named]
        await conn.execute(QUERIES["insert_decision_parts"], named, word.decision_id, bonds)


async def insert_act(conn: Any, act: Act, identifiers: Collection[int], version: int) -> None:
    """Keep what a person did, for the history of each identifier it names."""
    await conn.execute(QUERIES["insert_acts"], sorted(identifiers), act.action_id, version, act.verb, act.actor, act.at, act.key_id)


async def insert_edits(conn: Any, edits: Sequence[tuple[int, StoredEdit]]) -> None:
    """Keep values set by hand, by identifier."""
    await conn.execute(
        QUERIES["insert_edits"],
        [no for no, _ in edits],
        [edit.action_id for _, edit in edits],
        [edit.field for _, edit in edits],
        [pack_word(edit) for _, edit in edits],
    )


async def insert_consents(conn: Any, consents: Sequence[tuple[int, StoredConsent]]) -> None:
    """Keep consents, by identifier."""
    await conn.execute(
        QUERIES["insert_consents"],
        [no for no, _ in consents],
        [consent.action_id for _, consent in consents],
        [pack_word(consent) for _, consent in consents],
    )


async def load_edits(conn: Any, identifiers: Collection[int]) -> list[tuple[int, StoredEdit]]:
    """Return values set by hand for some identifiers."""
    return [(row[0], unpack_edit(row[1])) for row in await conn.fetch(QUERIES["load_edits"], sorted(identifiers))]


async def load_consents(conn: Any, identifiers: Collection[int]) -> list[tuple[int, StoredConsent]]:
    """Return consents recorded for some identifiers."""
    return [(row[0], unpack_consent(row[1])) for row in await conn.fetch(QUERIES["load_consents"], sorted(identifiers))]


async def load_standings(conn: Any, author_keys: Collection[str]) -> dict[str, tuple[int, StandingView]]:
    """Return version and standing of some accounts, as recognition last said."""
    rows = await conn.fetch(QUERIES["load_standings"], sorted(author_keys))
    return {row["author_key"]: (row["version"], _standings.decode(row["standing"])) for row in rows}


async def upsert_standings(conn: Any, standings: Sequence[tuple[int, StandingView]]) -> None:
    """Keep what recognition says now."""
    await conn.execute(
        QUERIES["upsert_standings"],
        [standing.author_key for _, standing in standings],
        [version for version, _ in standings],
        [_packer.encode(standing) for _, standing in standings],
    )


async def load_contacts(conn: Any, contact_ids: Sequence[str]) -> dict[str, ContactRow]:
    """Return what is known of some records of other systems, by contact_id."""
    rows = await conn.fetch(QUERIES["load_contacts"], contact_ids)
    return {
        str(row["contact_id"]): ContactRow(
            str(row["contact_id"]), "", "", row["revision"], row["statement_no"], row["updated_at"], row["record"]
        )
        for row in rows
    }


async def upsert_contacts(conn: Any, contacts: Sequence[ContactRow]) -> None:
    """Write records of other systems."""
    await conn.execute(
        QUERIES["upsert_contacts"],
        [row.contact_id for row in contacts],
        [row.connector for row in contacts],
        [row.record_id for row in contacts],
        [row.revision for row in contacts],
        [row.statement_no for row in contacts],
        [row.updated_at for row in contacts],
        [row.record for row in contacts],
    )


async def replace_suggestions(conn: Any, about: Collection[int], suggestions: Mapping[str, SuggestionRow]) -> None:
    """Forget what was suggested about some identifiers, and keep what is suggested now."""
    await conn.execute(QUERIES["replace_suggestions"], sorted(about))
    if suggestions:
        rows = list(suggestions.values())
        await conn.execute(
            QUERIES["insert_suggestions"],
            list(suggestions),
            [row.a for row in rows],
            [row.b for row in rows],
            [row.weight for row in rows],
            [row.packed for row in rows],
        )


async def load_revisions(conn: Any, contact_ids: Sequence[str]) -> dict[str, RevisionRow]:
    """Return the newest revisions we ever gave some records."""
    rows = await conn.fetch(QUERIES["load_revisions"], contact_ids)
    return {str(row["contact_id"]): RevisionRow(str(row["contact_id"]), row["revision"], row["updated_at"], row["digest"]) for row in rows}


async def upsert_revisions(conn: Any, revisions: Sequence[RevisionRow]) -> None:
    """Remember the revisions we give now."""
    await conn.execute(
        QUERIES["upsert_revisions"],
        [row.contact_id for row in revisions],
        [row.revision for row in revisions],
        [row.updated_at for row in revisions],
        [row.digest for row in revisions],
    )
