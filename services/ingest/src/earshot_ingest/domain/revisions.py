"""How an item changes after its first acceptance: links added, edited, withdrawn, erased.

Owns the rules of contract §4 for the next revision. Every function returns the next revision, or None when nothing changes; applied in
any order, the same calls end in the same item (the greatest ``edited_at`` stands, links are a union).
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from earshot_shared.item import Author, Item

MOST_LINKS: Final = 500  # a source that links one item to more than this is broken, and every link is carried by every revision

ERASED_AUTHOR: Final = "erased"  # the author key of all skeletons


def with_links(item: Item, other: Item) -> Item | None:
    """Return ``item`` with the links of a duplicate, None when it has them all."""
    parents = _union(item.parents, other.parents)
    conversations = _union(item.conversations, other.conversations)
    if parents == item.parents and conversations == item.conversations:
        return None
    if len(parents) + len(conversations) > MOST_LINKS:
        return None
    if item.erased:  # what links it is hashed; the words of the link are the person's
        return replace(item, revision=item.revision + 1, parents=parents, conversations=conversations)
    return replace(
        item,
        revision=item.revision + 1,
        parents=parents,
        conversations=conversations,
        in_reply_to=item.in_reply_to or other.in_reply_to,
        conversation=item.conversation or other.conversation,
    )


def edited(item: Item, now_it_is: Item, edited_at: datetime) -> Item | None:
    """Return ``item`` as an edit leaves it: the content of ``now_it_is``, what is ours (topic, receipt, links) as it was.

    An edit of a withdrawn item that is later than the withdrawal revives it. None when a later (or the same) change already stands, or
    when the item is erased: the person asked to be forgotten.
    """
    if item.erased or (item.edited_at is not None and edited_at <= item.edited_at):
        return None
    return replace(
        now_it_is,
        revision=item.revision + 1,
        received_at=item.received_at,
        backfill=item.backfill,
        parents=_union(item.parents, now_it_is.parents),
        conversations=_union(item.conversations, now_it_is.conversations),
        in_reply_to=now_it_is.in_reply_to or item.in_reply_to,
        conversation=now_it_is.conversation or item.conversation,
        edited_at=edited_at,
        withdrawn=False,
    )


def withdrawn(item: Item, edited_at: datetime) -> Item | None:
    """Return ``item`` as a withdrawal leaves it: what threads need, without text and author. None as for `edited`.

    Of an edit and a withdrawal of the same moment the withdrawal stands, whichever came first.
    """
    if item.erased or (item.edited_at is not None and (edited_at < item.edited_at or (edited_at == item.edited_at and item.withdrawn))):
        return None
    return Item(
        feedback_id=item.feedback_id,
        revision=item.revision + 1,
        source=item.source,
        external_id=item.external_id,
        channel=item.channel,
        author_key=item.author_key,
        author=Author(),
        occurred_at=item.occurred_at,
        received_at=item.received_at,
        kind=item.kind,
        visibility=item.visibility,
        in_reply_to=item.in_reply_to,
        conversation=item.conversation,
        parents=item.parents,
        conversations=item.conversations,
        brand=item.brand,
        edited_at=edited_at,
        withdrawn=True,
        backfill=item.backfill,
    )


def erased(item: Item) -> Item:
    """Return the skeleton that an erasure leaves: that something was said, then, in answer to that. It speaks of nobody.

    Whether the brand itself spoke stays, since the figures of threads hang on it.
    """
    return Item(
        feedback_id=item.feedback_id,
        revision=item.revision + 1,
        source=item.source,
        channel=item.channel,
        author_key=ERASED_AUTHOR,
        author=Author(is_staff=item.author.is_staff, on_behalf_of_brand=item.author.on_behalf_of_brand),
        occurred_at=item.occurred_at,
        received_at=item.received_at,
        kind=item.kind,
        visibility=item.visibility,
        parents=item.parents,
        conversations=item.conversations,
        brand=item.brand,
        withdrawn=item.withdrawn,
        erased=True,
        backfill=item.backfill,
    )


def _union(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return ours, then what theirs adds; sorted, so that the order of arrival leaves no trace."""
    if not theirs or set(theirs) <= set(ours):
        return ours
    return tuple(sorted({*ours, *theirs}))
