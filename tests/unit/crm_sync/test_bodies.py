"""The bodies of the writing routes: what is wrong with one is named as its sender wrote it."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from earshot_crm_sync.routes_people import ContactIn, Edit, GivenContacts, Unmerge, check_connectors
from earshot_shared.access.keys import Principal
from earshot_shared.http.problems import ForbiddenError
from earshot_shared.http.strict import invalid_of

RECORD = {"connector": "crm", "record_id": "1", "updated_at": "2024-05-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("kind", "body", "fields"),
    [
        pytest.param(GivenContacts, {"connector": "crm", "record_id": "1"}, ["updated_at"], id="a record that lacks a field"),
        pytest.param(GivenContacts, RECORD | {"connector": "C R M"}, ["connector"], id="one record"),
        pytest.param(GivenContacts, {"items": [RECORD, RECORD | {"zz": 1}]}, ["items.1.zz"], id="one of many"),
        pytest.param(GivenContacts, RECORD | {"accounts": [{"channel": "x"}]}, ["accounts.0"], id="a part of a record"),
        pytest.param(GivenContacts, [], ["body"], id="no record at all"),
        pytest.param(Unmerge, {"identifiers": [None]}, ["identifiers.0", "identifiers.0"], id="neither form of an identifier"),
        pytest.param(Unmerge, {}, ["identifiers"], id="nothing"),
        pytest.param(Edit, {"fields": {"A b": "x"}}, ["fields.A b"], id="the name of a field"),
    ],
)
def test_a_fault_is_named_by_its_place_in_the_body(kind: Any, body: Any, fields: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(body)
    found = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors(include_url=False)]
    assert [problem.field for problem in invalid_of(found, body).errors] == fields


def test_a_key_bound_to_sources_brings_records_of_those_alone() -> None:
    record = ContactIn.model_validate(RECORD)
    for sources in (None, frozenset({"crm", "shop"})):
        check_connectors(Principal(key_id="k", scopes=frozenset({"crm-sync:write"}), sources=sources), [record])
    with pytest.raises(ForbiddenError, match="bound to other sources"):
        check_connectors(Principal(key_id="k", scopes=frozenset({"crm-sync:write"}), sources=frozenset({"shop"})), [record])
