"""What triage tells has the documented shape, to the last field."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from earshot_shared import envelope
from earshot_shared.topics import Topic
from earshot_triage.events import CaseMerged, CaseWithdrawn
from earshot_triage.wire import BODIES
from support.triage import migrate, running_triage, watchman_of
from support.triage_world import DAY, case_of, plain_item

ONLY_WHEN_SAID = {"labels", "corrections"}


ALARMING = """
escalation: {ladders: [{rungs: [{after_s: 0, people: [Ann Lee]}]}]}
spikes: {window_s: 300, baseline_s: 2400, known_s: 2400, complaints_at_least: 1, items_at_least: 1, times: 1, distance: 0.1}
silence: [{source: forum, within_s: 60}]
"""


async def test_every_body_decodes_strictly_and_encodes_back_to_itself(fresh_database: Any, tmp_path: Path) -> None:
    (tmp_path / "triage.yaml").write_text(ALARMING, encoding="utf-8")
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, config_dir=tmp_path, clock=lambda: DAY) as triage:
        times = [DAY - timedelta(days=1)]
        watchman = watchman_of(triage, lambda: times[-1])
        await watchman.look()
        await triage.fold(plain_item("a", 0, "bug 3"), plain_item("b", 1, "idea 1 dark mode"), plain_item("c", 2))
        await triage.fold(plain_item("b", 1, "idea 1 dark mode", talk="x", revision=2), plain_item("a", 0, "bug 3", talk="x", revision=2))
        await triage.fold(plain_item("c", 2, revision=2, withdrawn=True))
        await triage.http.post(f"/v1/cases/{case_of('a')}/assign", json={"assignee": "ann"})
        times.append(DAY + timedelta(hours=23))
        await watchman.look()
        await triage.wiring.gatherer(triage.runtime).gather()
        theme = plain_item("b", 1).feedback_id
        assert (await triage.http.post(f"/v1/themes/{theme}/status", json={"status": "planned"})).status_code == 200
        seen: set[Topic] = set()
        kinds: set[type[msgspec.Struct]] = set()
        for message in await triage.said():
            if message.value is None or message.topic is Topic.ACTION_TAKEN:
                continue
            data = envelope.decode(message.value).data
            fields = msgspec.json.decode(data)
            kind = next(kind for kind in BODIES[message.topic] if _is(kind, fields))
            assert set(fields) == set(kind.__struct_fields__) - (ONLY_WHEN_SAID - set(fields))
            assert msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(data, type=kind))) == fields
            seen.add(message.topic)
            kinds.add(kind)
        assert seen == set(BODIES)
        assert kinds >= set(BODIES[Topic.ALERT_RAISED])


def _is(kind: type[msgspec.Struct], fields: dict[str, Any]) -> bool:
    if "rule" in fields:
        return bool(fields["rule"] == next(field.default for field in msgspec.structs.fields(kind) if field.name == "rule"))
    if "merged_into" in fields:
        return kind is CaseMerged
    return (kind is CaseWithdrawn) == ("withdrawn" in fields)
