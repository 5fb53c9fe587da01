"""What one item proves: normalisation and the edges it gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from earshot_crm_sync.config import CrmSyncConfig, rules_of
from earshot_crm_sync.identity import (
    Claim,
    EvidenceSet,
    Identifier,
    IdentityRules,
    Rule,
    alias_ids,
    customer_id,
    evidence_of,
    identifier_id,
    resolve,
    why,
)
from earshot_crm_sync.identity import normalise as n

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
RULES = IdentityRules()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("Anna.Schmidt+shop@GoogleMail.com", "annaschmidt@gmail.com", id="dots-and-tags"),
        pytest.param(" <anna.schmidt+x@web.de> ", "anna.schmidt@web.de", id="dots-kept-elsewhere"),
        pytest.param("mailto:A@Bücher.de", "a@xn--bcher-kva.de", id="international-domain"),
        pytest.param("12+octo@users.noreply.github.com", "12+octo@users.noreply.github.com", id="no-reply-kept"),
        *(pytest.param(raw, None, id=f"none-{raw}") for raw in ("null", "a@b", "none@none.com", "a b@c.de", "", "@x.de")),
    ],
)
def test_mail(raw: str, expected: str | None) -> None:
    assert n.email(raw) == expected


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        pytest.param("+49 (30) 123-4567", None, "+49301234567", id="international"),
        pytest.param("0049 30 1234567", None, "+49301234567", id="double-zero"),
        pytest.param("030 1234567", "DE", "+49301234567", id="national-with-region"),
        pytest.param("030 1234567", None, "0301234567", id="national-stays-bare"),
        *(pytest.param(raw, None, None, id=f"none-{raw}") for raw in ("0000000000", "123", "1234567890", "n/a")),
    ],
)
def test_phone(raw: str, region: str | None, expected: str | None) -> None:
    assert n.phone(raw, region) == expected


def test_links_to_profiles_and_no_reply_addresses_name_accounts() -> None:
    assert n.profile_link("https://www.Twitter.com/Anna_S/") == ("x", "", "anna_s")
    assert n.profile_link("linkedin.com/in/anna") == ("linkedin", "", "anna")
    assert n.profile_link("https://x.com/home") is None
    assert n.noreply_account("12+octo@users.noreply.github.com") == ("github", "12", "octo")


def claim(number: int, **said: object) -> Claim:
    at = NOON + timedelta(hours=number)
    channel = str(said.pop("channel", "x"))
    account = said.pop("account_id", None)
    key = f"{channel}:{account}" if account else f"{channel}:@{said['handle']}"
    return Claim(evidence_id=f"i{number}", source="s", at=at, channel=channel, author_key=key, account_id=account, **said)  # type: ignore[arg-type]  # a test's shorthand


def together(*claims: Claim) -> EvidenceSet:
    total = EvidenceSet()
    for one in claims:
        total += evidence_of(one)
    return total


@pytest.mark.capability("C1")
def test_a_handle_and_an_id_become_one_account_once_an_item_shows_both() -> None:
    bare, with_id = claim(1, handle="Anna"), claim(2, account_id="7")
    assert len(resolve(together(bare, with_id), RULES).customers) == 2
    both = claim(3, account_id="7", handle="@anna")
    bare = claim(1, handle="anna")
    resolution = resolve(together(bare, with_id, both), RULES)
    assert len(resolution.customers) == 1
    assert resolution.customers[0].anchor == Identifier("handle", "x:@anna"), "the earliest identifier"
    (step,) = why(resolution, Identifier("account", "x:7"))
    assert (step.rule, step.evidence_id) == (Rule.ACCOUNT, "i3")


def test_a_recycled_handle_joins_nobody() -> None:
    first, second = claim(1, account_id="7", handle="anna"), claim(9000, account_id="8", handle="anna")
    assert len(resolve(together(first, second), RULES).customers) == 2


@pytest.mark.capability("C1")
def test_a_verified_mail_joins_channels_and_a_claimed_one_does_not() -> None:
    one = claim(1, account_id="7", email="a@web.de", email_verified=True)
    other = claim(2, channel="forum", account_id="1", email="A@web.de", email_verified=True)
    rogue = claim(3, channel="shop", account_id="2", email="a@web.de", name="Ann Other")
    resolution = resolve(together(one, other, rogue), RULES)
    assert len(resolution.customers) == 2
    assert resolution.by_identifier[Identifier("account", "x:7")] is resolution.by_identifier[Identifier("account", "forum:1")]
    assert resolution.by_identifier[Identifier("account", "shop:2")].identifiers == {Identifier("account", "shop:2")}


def test_a_value_that_proves_shared_lets_them_fall_apart() -> None:
    crowd = [claim(k, channel=f"c{k}", account_id="1", phone="+49301234567", phone_verified=True) for k in range(6)]
    assert len(resolve(together(*crowd[:5]), RULES).customers) == 1
    assert len(resolve(together(*crowd), RULES).customers) == 6


def test_over_years_a_value_may_serve_more_people_than_at_once() -> None:
    year = 24 * 366
    crowd = [claim(k * year, channel=f"c{k}", account_id="1", phone="+49301234567", phone_verified=True) for k in range(6)]
    assert len(resolve(together(*crowd), RULES).customers) == 1


def test_ids_are_keyed_and_every_identifier_leads_to_its_customer() -> None:
    resolution = resolve(together(claim(1, account_id="7", handle="anna")), RULES)
    (customer,) = resolution.customers
    assert customer_id(customer, b"k") == identifier_id(customer.anchor, b"k") != identifier_id(customer.anchor, b"other")
    assert set(alias_ids(customer.identifiers, b"k").values()) == customer.identifiers


def _rules_of(**identity: object) -> IdentityRules:
    return rules_of(CrmSyncConfig.model_validate({"identity": identity})).identity


def test_rules_from_configuration() -> None:
    rules = _rules_of(limits={"phone": {"accounts": 2}}, bands={"merge": 9, "suggest": 1}, blocked=["email:a@b.de"])
    assert rules.limits["phone"].accounts == 2
    assert rules.is_blocked(Identifier("email", "a@b.de"))
    assert rules.version != RULES.version
    assert rules_of(CrmSyncConfig.model_validate({"survivorship": {"source_rank": ["crm"]}})).survivorship.source_rank == ("crm",)
    for wrong in ({"limits": {"shoe": {"accounts": 1}}}, {"bands": {"merge": 1, "suggest": 2}}, {"learned": {"birth": [0.5, 2.0]}}):
        with pytest.raises(ValueError, match=next(iter(wrong)) if "limits" in wrong else "suggest must|five positive"):
            _rules_of(**wrong)
