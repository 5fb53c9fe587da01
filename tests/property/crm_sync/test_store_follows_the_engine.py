"""The store against the engine: under tight limits, with claims, bots, staff and people's words, any order and any slices end the same.

The engine judges the whole evidence at once; the store judges only what a slice touches. Both must come to the same customers, and the
store to the same rows whatever the order.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earshot_crm_sync.acts import CONSENT, DECIDE, EDIT, SERVICE, Consented, Decided, Edited
from earshot_crm_sync.desk import Rules
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.identity import Identifier, IdentityRules, Limit
from earshot_crm_sync.stage import ID_PURPOSE
from earshot_shared.access import Secret
from earshot_shared.actions import ActionWriter, Actor, new_action
from earshot_shared.pipeline.records import StoredRecord
from support.crm_ground import KEY, START, contact, item, record_of, triaged
from support.crm_runner import Stand
from support.ground import Databases

DAY = timedelta(days=1)
TIGHT = Rules(
    IdentityRules(
        limits={
            "handle": Limit(1),
            "email": Limit(3, 30 * DAY),
            "phone": Limit(2, 10 * DAY),
            "crm_id": Limit(2),
            "listed": Limit(2),
        },
        max_identifiers=8,
        max_accounts=4,
        max_edges=14,
    )
)
_DAY_MINUTES = 24 * 60


def alias(kind: str, value: str) -> str:
    """The id of one identifier."""
    return alias_of(Identifier(kind, value), Secret(KEY).key(ID_PURPOSE))


@st.composite
def item_records(draw: st.DrawFn, number: int) -> list[StoredRecord]:
    """An item of one of a dozen accounts, with claims of all kinds, some withdrawn later."""
    account = draw(st.sampled_from([None, "1", "2", "3", "4"]))
    mail = draw(st.sampled_from([None, None, "a@a.org", "b@a.org", "info@a.org"]))
    author: dict[str, Any] = {
        "id": account,
        "handle": draw(st.sampled_from([None, "p", "q"])) if account else draw(st.sampled_from(["p", "q"])),
        "name": draw(st.sampled_from([None, "Ann Lee", "Bo Ek"])),
        "email": mail,
        "email_verified": draw(st.booleans()),
        "phone": draw(st.sampled_from([None, None, "+4930123456", "+4930123457"])),
        "phone_verified": draw(st.booleans()),
        "url": draw(st.sampled_from([None, None, None, "https://x.com/p"])),
        "is_staff": draw(st.integers(0, 9)) == 0,
    }
    at = draw(st.integers(0, 60)) * _DAY_MINUTES
    said = item(f"i{number}", at=at, channel=draw(st.sampled_from(["x", "forum"])), **author)
    records = [triaged(said)]
    if draw(st.integers(0, 3)) == 0:
        records.append(triaged(item(f"i{number}", at=at, channel=said.channel, withdrawn=True, revision=2, id="-")))
    return records


_accounts = [("account", f"{channel}:{number}") for channel in ("x", "forum") for number in "1234"]
_actors = ActionWriter(SERVICE)


@st.composite
def acts(draw: st.DrawFn, number: int) -> StoredRecord:
    """A person's word about some accounts."""
    a, b = draw(st.permutations(_accounts))[:2]
    verb = draw(st.sampled_from([DECIDE, DECIDE, DECIDE, EDIT, CONSENT]))
    at = START + draw(st.integers(0, 60)) * DAY
    arguments: Any
    if verb == DECIDE:
        word = draw(st.sampled_from(["same", "not_same", "lock", "unlock"]))
        one, other = alias(*a), alias(*b)
        arguments = Decided(word, one, one if "lock" in word else other, (one,), () if "lock" in word else (other,))
    elif verb == EDIT:
        arguments = Edited(alias(*a), {"name": draw(st.sampled_from(["Given By Hand", None]))})
    else:
        arguments = Consented((alias(*a),), "news", "*", draw(st.booleans()), at, "form 7", "desk")
    action = new_action(
        action_id=uuid5(UUID(int=number), "act"),
        service=SERVICE,
        actor=Actor("key", "Pat"),
        verb=verb,
        subject=alias(*a),
        at=at,
        arguments=arguments,
    )
    return record_of(_actors.write(action))


@dataclass(frozen=True, slots=True)
class Histories:
    """The same records in two orders, sliced differently."""

    one: Sequence[Sequence[StoredRecord]]
    other: Sequence[Sequence[StoredRecord]]


@st.composite
def histories(draw: st.DrawFn) -> Histories:
    """A dozen records with some twice."""
    records: list[StoredRecord] = []
    for number in range(draw(st.integers(1, 12))):
        records += draw(item_records(number))
    for number in range(draw(st.integers(0, 2))):
        mail = draw(st.sampled_from([None, "a@a.org"]))
        records.append(contact(f"r{number}", at=draw(st.integers(0, 60)) * _DAY_MINUTES + 1, name="Ann Lee", email=mail))
    for number in range(draw(st.integers(0, 3))):
        records.append(draw(acts(number)))
    return Histories(draw(_slices(records)), draw(_slices(records)))


@st.composite
def _slices(draw: st.DrawFn, records: Sequence[StoredRecord]) -> list[list[StoredRecord]]:
    twice = draw(st.lists(st.sampled_from(records), max_size=3))
    slices: list[list[StoredRecord]] = [[]]
    for record in draw(st.permutations([*records, *twice])):
        slices[-1].append(record)
        if draw(st.integers(0, 2)) == 0:
            slices.append([])
    return slices


@pytest.fixture(scope="module")
def stand(databases: Databases) -> Iterator[Stand]:
    with Stand.on(databases, TIGHT) as made:
        yield made


@pytest.mark.capability("C5")
@settings(
    max_examples=int(os.environ.get("CRM_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories())
def test_order_and_slices_do_not_matter_and_the_engine_agrees(stand: Stand, told: Histories) -> None:
    one = stand.fold(told.one)
    assert stand.people() == stand.judged_at_once()
    assert stand.fold(told.other) == one


def test_an_id_that_nobody_claims_any_more_leads_nowhere(stand: Stand) -> None:
    stand.fold([[triaged(item("i0", at=0, channel="forum", handle="q"))]])  # the id of this handle alone is told of
    claims = [triaged(item(f"i{account}", at=0, channel="forum", id=account, handle="q")) for account in "12"]
    withdrawals = [triaged(item(f"i{account}", at=0, channel="forum", withdrawn=True, revision=2, id="-")) for account in "12"]
    for together in ([withdrawals], [[each] for each in withdrawals], [[each] for each in reversed(withdrawals)]):
        stand.fold([*([each] for each in claims), *together])  # and what was published last is held against the store
