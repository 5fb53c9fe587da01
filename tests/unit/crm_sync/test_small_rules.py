"""Small pure rules of crm-sync: what an identifier may mean, revisions of contacts, aliases, names of queries."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from earshot_crm_sync.acts import SERVICE, Decided, read_act
from earshot_crm_sync.config import CrmSyncConfig, rules_of
from earshot_crm_sync.contacts import Contact, contact_id
from earshot_crm_sync.desk import Slice
from earshot_crm_sync.domain.aliases import alias_of, speaker_of
from earshot_crm_sync.domain.lookup import identifiers_meant
from earshot_crm_sync.identity import Identifier, IdentityRules
from earshot_crm_sync.repository_read import query_of
from earshot_crm_sync.rows import RevisionRow
from earshot_crm_sync.taking_contacts import decide_revisions
from earshot_shared.actions import Actor, new_action

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("forum:1", Identifier("account", "forum:1"), id="author key"),
        pytest.param(" forum:@Anna ", Identifier("handle", "forum:@anna"), id="handle in any case"),
        pytest.param("Anna@Example.org", Identifier("email", "anna@example.org"), id="mail"),
        pytest.param("+49 30 1234567", Identifier("phone", "+49301234567"), id="phone"),
        pytest.param("crm:0031", Identifier("crm_id", "crm:0031"), id="record of a CRM"),
        pytest.param("email:Anna@Example.org", Identifier("email", "anna@example.org"), id="mail after its kind"),
        pytest.param("phone:+49 30 1234567", Identifier("phone", "+49301234567"), id="phone after its kind"),
        pytest.param("account:forum:1", Identifier("account", "forum:1"), id="author key after its kind"),
        pytest.param("handle:forum:@Anna", Identifier("handle", "forum:@anna"), id="handle after its kind"),
        pytest.param("crm_id:crm:0031", Identifier("crm_id", "crm:0031"), id="record of a CRM after its kind"),
        pytest.param("email:1", Identifier("account", "email:1"), id="channel that is called like a kind"),
    ],
)
def test_what_an_identifier_may_mean(text: str, meant: Identifier) -> None:
    assert meant in identifiers_meant(text)


@pytest.mark.parametrize("text", ["", "   ", "anna"])
def test_what_no_identifier_is(text: str) -> None:
    assert identifiers_meant(text) == []


@pytest.mark.parametrize(
    ("key", "kind"),
    [("forum:1", "account"), ("forum:@anna", "handle"), ("web:mail:0af3", "mailbox")],
)
def test_which_identifier_an_author_key_names(key: str, kind: str) -> None:
    assert speaker_of(key) == Identifier(kind, key)


def test_an_alias_is_a_uuid_that_depends_on_kind_value_and_key() -> None:
    one = alias_of(Identifier("email", "a@example.org"), b"k" * 32)
    assert str(UUID(one)) == one
    assert UUID(one).version == 8
    others = {alias_of(Identifier("phone", "a@example.org"), b"k" * 32), alias_of(Identifier("email", "a@example.org"), b"l" * 32)}
    assert one not in others


def contact(name: str = "Anna", *, hour: int = 12) -> Contact:
    return Contact(
        contact_id=contact_id("crm", "1"), connector="crm", record_id="1", revision=0, updated_at=NOON.replace(hour=hour), name=name
    )


def test_revisions_go_up_with_new_content_alone() -> None:
    fresh, known, fates = decide_revisions([contact(), contact(), contact("Ann", hour=13), contact("Old", hour=11)], {})
    assert [status for _, status in fates] == ["created", "unchanged", "updated", "outdated"]
    (newest,) = fresh.values()
    assert (newest.revision, newest.name) == (2, "Ann")
    assert known[newest.contact_id].revision == 2


def test_a_known_revision_is_gone_on_from() -> None:
    key = contact_id("crm", "1")
    fresh, _, _ = decide_revisions([contact("Ann", hour=13)], {key: RevisionRow(key, 7, NOON, b"x" * 16)})
    assert fresh[key].revision == 8


@pytest.mark.parametrize(
    ("words", "query"),
    [("anna schm", "'anna':* & 'schm':*"), ("o'neil\\", "'oneil':*"), ("  ", ""), ("'", "")],
)
def test_what_people_type_is_no_query_language(words: str, query: str) -> None:
    assert query_of(words) == query


def test_acts_of_other_verbs_are_passed_over_and_broken_ones_are_not() -> None:
    slice_ = Slice()
    said = Decided("same", "a", "b", ("a",), ("b",))
    common = {"action_id": UUID(int=1), "service": SERVICE, "actor": Actor("key", "Pat"), "subject": "a", "at": NOON}
    read_act(new_action(**common, verb="dance", arguments={}), slice_)  # type: ignore[arg-type]  # fields by name
    read_act(new_action(**common, verb="decide", arguments=said), slice_)  # type: ignore[arg-type]  # fields by name
    assert [(one.verb, one.actor) for one in slice_.said] == [("same", "Pat")]
    with pytest.raises(msgspec.DecodeError):
        read_act(new_action(**common, verb="decide", arguments={"word": "same"}), slice_)  # type: ignore[arg-type]  # fields by name


def test_an_empty_file_means_the_shipped_rules() -> None:
    rules = rules_of(CrmSyncConfig())
    assert rules.identity.version == IdentityRules().version
