"""What the configuration file says of outreach, and all names of one account."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from earshot_crm_sync.config import CrmSyncConfig, rules_of
from earshot_crm_sync.domain.outreach import OutreachRules, Unasked, names_of
from earshot_crm_sync.domain.statements import Saying, statement_of
from earshot_crm_sync.identity import Claim, Identifier


def saying(author_key: str, **fields: Any) -> Saying:
    channel = author_key.partition(":")[0]
    told = statement_of(
        Claim(evidence_id="", source=channel, at=datetime(2024, 5, 1, tzinfo=UTC), channel=channel, author_key=author_key, **fields)
    )
    assert told is not None
    return told.saying


@pytest.mark.capability("G2")
def test_without_a_word_everything_is_refused_unless_the_file_says_otherwise() -> None:
    shipped = rules_of(CrmSyncConfig()).outreach
    assert shipped == OutreachRules()
    assert shipped.unasked("thank-you") is Unasked.OPT_IN
    told = rules_of(CrmSyncConfig.model_validate({"outreach": {"purposes": {"thank-you": "opt_out"}, "valid_hours": 1}})).outreach
    assert (told.unasked("thank-you"), told.unasked("survey"), told.valid_for) == (Unasked.OPT_OUT, Unasked.OPT_IN, timedelta(hours=1))
    assert told.version != shipped.version


def test_a_word_for_a_purpose_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        CrmSyncConfig.model_validate({"outreach": {"default": "maybe"}})


def test_an_account_is_known_by_its_id_and_handles_and_a_mailbox_by_its_address() -> None:
    account, handle = Identifier("account", "x:1"), Identifier("handle", "x:@anna")
    said = [saying("x:1", account_id="1", handle="anna"), saying("shop:2", account_id="2", handle="anna", email="a@example.org")]
    assert names_of(account, said) == names_of(handle, said) == {account, handle}
    box = Identifier("mailbox", "mail:mail:h")
    assert names_of(box, [saying("mail:mail:h", email="a@example.org")]) == {box, Identifier("email", "a@example.org")}
