"""The bodies of triage's topics, for whoever reads or documents them.

Owns the documented shapes alone: what is written is put together from known JSON in `events`, and a test decodes it strictly by these.
"""

from typing import Final

import msgspec

from earshot_shared.item import Item
from earshot_shared.outreach import OutreachRequested
from earshot_shared.topics import Topic
from earshot_triage import alarms
from earshot_triage.events import CaseMerged, CaseWithdrawn, Decision, Shown
from earshot_triage.reading import CaseLine


class Triaged(Decision, frozen=True, kw_only=True, gc=False):
    """`feedback.triaged`, and the feeds of teams: the item, whole, beside the decision on it. Readers keep the highest ``version``."""

    item: Item
    case_id: str | None
    version: int


class CaseTold(CaseLine, frozen=True, kw_only=True):
    """`case.changed`: a case after a change, with its latest 20 messages."""

    messages: tuple[Shown, ...]


BODIES: Final[dict[Topic, tuple[type[msgspec.Struct], ...]]] = {
    Topic.FEEDBACK_TRIAGED: (Triaged,),
    Topic.FEEDBACK_PRODUCT: (Triaged,),
    Topic.FEEDBACK_SUPPORT: (Triaged,),
    Topic.CASE_CHANGED: (CaseTold, CaseMerged, CaseWithdrawn),
    Topic.ALERT_RAISED: alarms.KINDS,
    Topic.OUTREACH_REQUESTED: (OutreachRequested,),
}
"""What each topic's body may be; on the topics of teams and where a customer was forgotten a tombstone, too."""
