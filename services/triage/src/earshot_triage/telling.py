"""What a transaction of triage says: decided items, the feeds of teams, cases, and where those went that are no more.

Owns which topics hear of what, under which event ids. Must not know how it came about.
"""

import msgspec

from earshot_shared.messages import Message as Record
from earshot_triage.domain.message import Message
from earshot_triage.events import CASES, FEEDS, TRIAGED, CaseMerged, CaseWithdrawn, case_body
from earshot_triage.repository import Thread


class Teller:
    """Gathers what one transaction says, in order. ``time``: RFC 3339."""

    def __init__(self, version: int, time: str) -> None:
        self.said: list[Record] = []
        self._version = version
        self._time = time

    def item(self, message: Message, body: msgspec.Raw) -> None:
        """Tell an item to everybody, and to the teams it goes to."""
        feedback_id = message.feedback_id
        event_id = f"{feedback_id}.{self._version}"
        said = self.said
        said.append(TRIAGED.write(feedback_id, event_id, body, time=self._time))
        for team in message.routes:
            feed = FEEDS.get(team)
            if feed is not None:
                said.append(feed.write(feedback_id, event_id, body, time=self._time))

    def taken_from(self, team: str, feedback_id: str) -> None:
        """Tell a team's feed, if it has one, that an item is not its own any more."""
        if team in FEEDS:
            self.said.append(FEEDS[team].tombstone(feedback_id))

    def case(self, thread: Thread) -> None:
        """Tell a case as it stands."""
        label, version = thread.state.label, thread.version
        body = case_body(thread.state, due_at=thread.due_at, tail=thread.tail_json, version=version)
        self.said.append(CASES.write(label, f"{label}.{version}", body, time=self._time))

    def gone(self, case_id: str, into: str | None) -> None:
        """Tell where the holder of a case's id went: into another case, or nowhere."""
        version = self._version
        body = CaseMerged(case_id, case_id, into, version) if into is not None else CaseWithdrawn(case_id, version)
        self.said.append(CASES.write(case_id, f"{case_id}.{version}", body, time=self._time))
