"""The whole system on the broker in memory, as on a machine where no Kafka is to be had."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from support.system import PROGRAM, running


def test_items_flow_and_imports_are_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    item = {"source": "forum", "external_id": "1", "channel": "forum", "author": {"id": "ann"}, "text": "My order never came, help!"}
    with running(tmp_path / "data", "--mock-broker") as system:
        assert system.state["mock_broker"] is True
        status, told = system.ask("ingest", "/v1/feedback", method="POST", body={**item, "occurred_at": datetime.now(UTC).isoformat()})
        assert status == 202, told
        stats = system.settle(60)
        assert (stats["recognition"]["feedback"], stats["crm-sync"]["feedback"], stats["crm-sync"]["customers"]) == (1, 1, 1)
        (tmp_path / "past.jsonl").write_text("{}", encoding="utf-8")
        done = subprocess.run(
            [*PROGRAM, "import", str(tmp_path / "past.jsonl"), "--data-dir", str(system.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "wants a real Kafka" in done.stderr) == (1, True), done.stderr
