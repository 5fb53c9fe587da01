"""`outreach.requested`: somebody is to be written to. Two services ask for it, so its form lives here.

Owns the body. Whether it may happen is decided by consent (crm-sync); what is said stands in templates.
"""

import msgspec


class OutreachRequested(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A wish to write to an author, if consent allows: no text, no address. ``cause`` is what it is for: an item, a theme, an entry."""

    outreach_id: str
    author_key: str
    purpose: str
    template: str
    brand: str | None = None
    cause: str | None = None
