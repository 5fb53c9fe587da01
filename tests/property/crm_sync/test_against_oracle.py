"""The store against the oracle: random facts, in random order, with duplicates, split anyhow, end in the oracle's customers.

Scores and limits are switched off: the oracle knows sure evidence alone (tests/oracle/README.md 23-25).
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earshot_crm_sync.contacts import Account
from earshot_crm_sync.desk import Rules
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.identity import Identifier as Known
from earshot_crm_sync.identity import IdentityRules, Limit
from earshot_crm_sync.stage import ID_PURPOSE
from earshot_shared.access import Secret
from earshot_shared.pipeline.records import StoredRecord
from oracle import ids
from oracle.accounts import find_accounts
from oracle.customers import customer_id, fold_customers
from oracle.facts import Author, Content, Identifier, ItemRevision, Role, standing
from oracle.facts import Contact as OracleContact
from oracle.ids import account_key, mail_key
from support.crm_ground import KEY, START, contact, item, triaged
from support.crm_runner import Stand
from support.ground import Databases

SURE_ONLY = Rules(IdentityRules(limits={"handle": Limit(1)}, merge_at=1e9, suggest_at=1e9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One revision of one item, for both sides."""

    number: int
    revision: int
    at: int
    channel: str
    account: str | None
    handle: str | None
    mail: str | None
    phone: str | None
    name: str | None
    fate: str  # said, withdrawn, erased

    def record(self) -> StoredRecord:
        said = item(
            f"i{self.number}",
            at=self.at,
            channel=self.channel,
            revision=self.revision,
            withdrawn=self.fate == "withdrawn",
            erased=self.fate == "erased",
            mail=self.mail,
            phone=self.phone,
            id=self.account,
            handle=self.handle,
            name=self.name,
        )
        return triaged(said)

    def fact(self) -> ItemRevision:
        author = Author(
            account_id=self.account,
            handle=self.handle,
            name=self.name,
            mail=self.mail,
            mail_verified=True,
            phone=self.phone,
            phone_verified=True,
        )
        content = Content(source=self.channel, external_id=f"i{self.number}", kind="post", author=author, text="")
        said = item(f"i{self.number}", at=self.at, channel=self.channel, id="1")
        return ItemRevision(
            feedback_id=UUID(said.feedback_id),
            revision=self.revision,
            occurred_at=said.occurred_at,
            received_at=said.received_at,
            channel=self.channel,
            brand=None,
            role=Role.CUSTOMER,
            replies_to=frozenset(),
            conversations=frozenset(),
            content=None if self.fate == "erased" else content,
            withdrawn=self.fate == "withdrawn",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One revision of one contact, for both sides; connectors differ, as two records of one CRM are never joined."""

    number: int
    revision: int
    at: int
    mail: str | None
    phone: str | None
    account: str | None
    name: str | None
    deleted: bool

    def record(self) -> StoredRecord:
        fields: dict[str, Any] = {"name": self.name, "email": self.mail, "phone": self.phone, "deleted": self.deleted}
        if self.account:
            fields["accounts"] = (Account(channel="forum", account_id=self.account),)
        return contact(f"r{self.number}", at=self.at, connector=f"crm{self.number}", revision=self.revision, **fields)

    def fact(self) -> OracleContact:
        found = {("mail", self.mail), ("phone", self.phone), ("account", self.account and account_key("forum", self.account))}
        return OracleContact(
            connector=f"crm{self.number}",
            record_id=f"r{self.number}",
            revision=self.revision,
            updated_at=START + timedelta(minutes=self.at),
            identifiers=frozenset(Identifier(kind=kind, value=value) for kind, value in found if value),
            name=self.name,
            deleted=self.deleted,
        )


_mails = st.sampled_from([None, None, "a@example.org", "b@example.org"])
_phones = st.sampled_from([None, None, None, "+493012345", "+493012346"])
_names = st.sampled_from([None, "Anna A", "Bea B"])


@st.composite
def speeches(draw: st.DrawFn, number: int) -> list[Speech]:
    """The revisions of one item. Times are tens of minutes, so that items and contacts never tie."""
    account, handle, mail = draw(st.sampled_from([None, "1", "2", "3"])), draw(st.sampled_from([None, "ann", "bea"])), draw(_mails)
    if account is None and handle is None and mail is None:
        account = "1"
    first = Speech(
        number=number,
        revision=1,
        at=draw(st.integers(0, 20)) * 10,
        channel=draw(st.sampled_from(["forum", "shop"])),
        account=account,
        handle=handle,
        mail=mail,
        phone=draw(_phones),
        name=draw(_names),
        fate="said",
    )
    fates = draw(st.lists(st.sampled_from(["said", "withdrawn", "erased"]), max_size=2))
    return [first, *(replace(first, revision=n, fate=fate) for n, fate in enumerate(fates, 2))]


@st.composite
def contacts(draw: st.DrawFn, number: int) -> list[Record]:
    """The revisions of one contact."""
    return [
        Record(
            number=number,
            revision=revision,
            at=draw(st.integers(0, 20)) * 10 + 3 + number,
            mail=draw(_mails),
            phone=draw(_phones),
            account=draw(st.sampled_from([None, "1"])),
            name=draw(_names),
            deleted=draw(st.booleans()) and revision > 1,
        )
        for revision in range(1, draw(st.integers(1, 2)) + 1)
    ]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Speech | Record], list[list[StoredRecord]]]:
    """Facts, and their records in some order, some twice, in slices."""
    facts: list[Speech | Record] = []
    for number in range(draw(st.integers(1, 9))):
        facts += draw(speeches(number))
    for number in range(draw(st.integers(0, 3))):
        facts += draw(contacts(number))
    order = draw(st.permutations([*facts, *draw(st.lists(st.sampled_from(facts), max_size=3))]))
    slices: list[list[StoredRecord]] = [[]]
    for fact in order:
        slices[-1].append(fact.record())
        if draw(st.integers(0, 2)) == 0:
            slices.append([])
    return facts, slices


@pytest.fixture(scope="module")
def stand(databases: Databases) -> Iterator[Stand]:
    with Stand.on(databases, SURE_ONLY) as made:
        yield made


def _product_names() -> dict[str, str]:
    """The product keys the hash in a mailbox's author key; the oracle does not."""
    return {
        mail_key(channel, mail): item("x", channel=channel, mail=mail).author_key
        for channel in ("forum", "shop")
        for mail in ("a@example.org", "b@example.org")
    }


_MAILBOXES = _product_names()
_RECORDS = {str(ids.feedback_id(f"crm{number}", f"r{number}")): f"crm{number}:r{number}" for number in range(3)}


def identifier_of(identifier: Identifier) -> Known:
    """The product's spelling of an identifier of the oracle's."""
    if identifier.kind == "contact":
        return Known("crm_id", _RECORDS[identifier.value])
    if identifier.value in _MAILBOXES:
        return Known("mailbox", _MAILBOXES[identifier.value])
    return Known({"mail": "email"}.get(identifier.kind, identifier.kind), identifier.value)


def our_alias(identifier: Identifier) -> str:
    """The product's own id for an identifier of the oracle's."""
    return alias_of(identifier_of(identifier), Secret(KEY).key(ID_PURPOSE))


def _expected(facts: Sequence[Speech | Record]) -> dict[str, Any]:
    """What the oracle says, in the product's ids."""
    stands = standing(fact.fact() for fact in facts)
    accounts = find_accounts(stands.present)
    customers = fold_customers(stands.present, stands.contacts.values(), accounts)
    shown = {identifier for customer in customers.by_id.values() for identifier in customer.identifiers}
    shown |= {Identifier(kind="handle", value=handle) for handle in accounts.shown_by}
    our_id = {customer_id(identifier): our_alias(identifier) for identifier in shown}
    views = {
        our_id[customer.customer_id]: {
            "name": customer.name,
            "identifiers": sorted(identifier_of(each) for each in customer.identifiers),
            "feedback_count": customer.feedback_count,
            "contacts": len(customer.contacts),
            "first_seen_at": _spelt(customer.first_seen_at),
            "last_seen_at": _spelt(customer.last_seen_at),
            "timeline": [str(each) for each in customer.timeline],
        }
        for customer in customers.by_id.values()
    }
    return {"views": views, "holders": {our_id[alias]: our_id[held] for alias, held in customers.aliases.items()}}


def _spelt(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _found(snapshot: dict[str, Any]) -> dict[str, Any]:
    """What the store says, as far as the oracle speaks of it."""
    views = {
        customer: {
            "name": view["name"],
            "identifiers": sorted(Known(each["kind"], each["value"]) for each in view["identifiers"] if not each["shared"]),
            "feedback_count": view["feedback_count"],
            "contacts": sum(each["kind"] == "crm_id" for each in view["identifiers"]),
            "first_seen_at": view["first_seen_at"],
            "last_seen_at": view["last_seen_at"],
            "timeline": snapshot["timelines"][customer],
        }
        for customer, view in snapshot["views"].items()
    }
    return {"views": views, "holders": snapshot["holders"]}


@pytest.mark.capability("C1")
@pytest.mark.capability("C5")
@settings(
    max_examples=int(os.environ.get("CRM_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(worlds())
def test_any_order_and_any_slices_end_in_the_oracles_customers(
    stand: Stand, world: tuple[list[Speech | Record], list[list[StoredRecord]]]
) -> None:
    facts, slices = world
    assert _found(stand.fold(slices)) == _expected(facts)
