"""Whom an item shows as its author: the identifiers by which an erasure finds it.

Owns what counts as the author's own: the account or mailbox that speaks, its handle, a mail or phone that is vouched for; never what is
merely claimed. The same as crm-sync's evidence says of an item.
"""

from collections.abc import Iterator

from earshot_shared.identifiers import Shown, email, handle, noreply_account, phone, speaker_of
from earshot_shared.item import Item


def own_identifiers(item: Item) -> Iterator[Shown]:
    """Yield the identifiers that an item shows as its author's own; of a withdrawn one only the author key is left."""
    author = item.author
    speaker = Shown("account", item.author_key) if author.id else speaker_of(item.author_key)
    yield speaker
    if speaker.kind == "account" and (own := handle(author.handle)):
        yield Shown("handle", f"{item.channel}:@{own}")
    if author.email_verified and (address := email(author.email)):
        yield mailbox_or_account(address)
    if author.phone_verified and (number := phone(author.phone)):
        yield Shown("phone", number)


def mailbox_or_account(address: str) -> Shown:
    """Return what a normalised mail address stands for: the mailbox, or the account that a no-reply address names."""
    named = noreply_account(address)
    if named is None:
        return Shown("email", address)
    if named.account_id:
        return Shown("account", f"{named.channel}:{named.account_id}")
    return Shown("handle", f"{named.channel}:@{named.handle}")
