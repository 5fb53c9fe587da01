"""What crm-sync answers, as its OpenAPI document tells it.

Owns the shapes of answers that hold views: a customer's view is kept as JSON, so the structs that make it (`profile.Head`,
`events.Counters`) describe it. Answers that are one struct are described by it where they are made.
"""

from typing import Final

from earshot_crm_sync.contacts import Contact
from earshot_crm_sync.domain.profile import Head
from earshot_crm_sync.domain.timeline import TimelineEntry
from earshot_crm_sync.events import Counters
from earshot_crm_sync.rows import ActLine, MoveLine
from earshot_crm_sync.taking_contacts import TakenContact
from earshot_crm_sync.why import Why
from earshot_shared.http.shapes import FLAG, NUMBER, NUMBERS, TIME, WORD, fields, list_of, or_null, shape

CUSTOMER: Final = {"allOf": [shape(Head), shape(Counters)]}
HISTORY: Final = fields(customer_id=WORD, acts=list_of(shape(ActLine)), moves=list_of(shape(MoveLine)))
EXPORT: Final = fields(
    customer=CUSTOMER, timeline=list_of(shape(TimelineEntry)), contacts=list_of(shape(Contact)), why=shape(Why), history=HISTORY
)
SUGGESTION: Final = fields(
    suggestion_id=WORD,
    weight={"type": "number"},
    reasons=list_of(WORD),
    refused=or_null(WORD),
    evidence_id=WORD,
    rules_version=WORD,
    customers=list_of(CUSTOMER),
)
ACTED: Final = fields(customer=CUSTOMER, others=list_of(CUSTOMER), action_id=WORD)
PREVIEW: Final = fields(
    before=list_of(CUSTOMER), after=list_of(CUSTOMER), refused=list_of(fields(reason=WORD, detail=WORD)), changes_nothing=FLAG
)
ERASURE: Final = fields(
    erasure_id=WORD, requested_at=TIME, identifiers=NUMBER, receipts=list_of(fields(service=WORD, at=TIME, counts=NUMBERS))
)
TAKEN: Final = {"anyOf": [shape(TakenContact), fields(items=list_of(shape(TakenContact)))]}
