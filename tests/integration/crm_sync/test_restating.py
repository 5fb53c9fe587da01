"""What is said again of customers after the log was lost is what was said last of each id, by pages, in few queries."""

from typing import Any

import msgspec
import pytest

from earshot_crm_sync import stage
from earshot_shared.topics import Topic
from support.crm_ground import Bench, item

PHONE = "+49301234567"


def _told(messages: Any) -> dict[str, Any]:
    """The last body by key, without its version; None for a tombstone."""
    last = {each.key.decode(): None if each.value is None else msgspec.json.decode(each.value)["data"] for each in messages}
    return {key: None if body is None else {**body, "version": 0} for key, body in last.items()}


@pytest.mark.capability("C5")
async def test_every_id_is_told_as_it_was_told_last(ground: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = "anna@example.org"
    await ground.tell(item("a", id="1", handle="anna", name="Anna"), item("b", at=1, id="2", channel="shop"), item("z", at=9, id="9"))
    await ground.tell(item("c", at=2, id="1", mail=mail), item("d", at=3, id="2", channel="shop", mail=mail))  # two become one
    for number in range(8):  # a phone that proves to be shared
        await ground.tell(item(f"p{number}", at=20 + number, id=f"p{number}", channel="x", phone=PHONE))
    await ground.tell(item("z", at=9, id="9", withdrawn=True, revision=2))  # nothing is left of one
    monkeypatch.setattr(stage, "PAGE_KEYS", 4)
    again = []
    after: str | None = ""
    async with ground.writer.transaction() as tx:
        while after is not None:
            messages, after = await ground.stage.restate_page(tx, Topic.CUSTOMER_CHANGED, after)
            again += messages
    assert _told(again) == _told(each for each in ground.published if each.topic is Topic.CUSTOMER_CHANGED)
