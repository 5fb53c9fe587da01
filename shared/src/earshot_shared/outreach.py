"""`outreach.requested` and `outreach.decided`: somebody is to be written to, and whether he may be.

Two services ask and one decides, and whoever sends reads both, so their forms live here. Owns the bodies. Whether it may happen is decided
by consent (crm-sync); what is said stands in templates.
"""

from datetime import datetime

import msgspec


class OutreachRequested(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A wish to write to an author, if consent allows: no text, no address. ``cause`` is what it is for: an item, a theme, an entry."""

    outreach_id: str
    author_key: str
    purpose: str
    template: str
    brand: str | None = None
    cause: str | None = None


class OutreachDecided(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an outreach may be sent. Readers keep the highest ``version`` of an outreach_id: what was allowed may be taken back.

    ``reason``: opted-in, not-opted-out; opted-out, no-opt-in, unknown-author, shared-account, erased, too-late. ``rule``: what holds for
    the purpose without a word on record, opt_in or opt_out, in ``rules_version``. ``consents``: the acts that spoke on it. What is allowed
    may be sent until ``valid_until`` and not after; the account is the one of the request.
    """

    outreach_id: str
    allowed: bool
    reason: str
    purpose: str
    template: str
    brand: str | None
    rule: str
    rules_version: str
    consents: tuple[str, ...]
    at: datetime
    valid_until: datetime
    version: int
