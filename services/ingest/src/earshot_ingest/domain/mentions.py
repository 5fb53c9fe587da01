"""What an erasure leaves of an item: its skeleton, or its words without the handles, mail addresses and phone numbers of who is erased.

Owns what counts as naming somebody. A name alone is none: it is many people's, and an erasure knows hashes only.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from earshot_ingest.domain import revisions
from earshot_ingest.domain.erasing import mailbox_or_account, own_identifiers
from earshot_shared.identifiers import Shown, email, handle, phone
from earshot_shared.item import MAX_TEXT_CHARACTERS, Item

STRUCK: Final = "[erased]"
"""What stands where somebody was named."""

_MAYBE = re.compile(r"@|\bu/|\d[\d ().\-/]{5,}\d")
_MAIL = re.compile(r"[^\s@<>()\",;:\[\]]{1,64}@[^\s@<>()\",;:\[\]/]{3,255}")
_HANDLE = re.compile(r"(?<![\w@/])(?<!\w\.)(?:@|/?u/)(\w[\w.\-]*(?:@[\w.\-]+)?)")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d ().\-/]{5,30}\d(?!\w)")
_ENDS: Final = ".-_!?'*"


class Mention(NamedTuple):
    """Somebody named in a text from character ``start`` up to ``end``; ``shown`` are the identifiers that may be meant."""

    start: int
    end: int
    shown: tuple[Shown, ...]


def mentions_in(text: str, channel: str) -> Iterator[Mention]:
    """Yield whom a text on a channel names; a handle means an account of that channel."""
    if _MAYBE.search(text) is None:
        return
    for found in _MAIL.finditer(text):
        written = found[0].rstrip(_ENDS)
        if address := email(written):
            yield Mention(found.start(), found.start() + len(written), (mailbox_or_account(address),))
    for found in _HANDLE.finditer(text):
        for written in dict.fromkeys((found[1], found[1].rstrip(_ENDS), found[1].partition("@")[0].rstrip(_ENDS))):
            if own := handle(written):
                shown = (Shown("handle", f"{channel}:@{own}"), Shown("account", f"{channel}:{written}"))
                yield Mention(found.start(), found.start(1) + len(written), shown)
    for found in _PHONE.finditer(text):
        if number := phone(found[0].replace("(", "")):
            yield Mention(found.start(), found.end(), (Shown("phone", number),))


def left_of(item: Item, is_erased: Callable[[Shown], bool]) -> Item | None:
    """Return the next revision of an item, in which nobody is left who is erased: its skeleton when its author is; None when nobody was."""
    if item.erased:
        return None
    if any(map(is_erased, own_identifiers(item))):
        return revisions.erased(item)
    return without(item, is_erased)


def without(item: Item, is_erased: Callable[[Shown], bool]) -> Item | None:
    """Return the next revision of an item, in whose words nobody is named who is erased; None when nobody is.

    Whether it is the author's own item is not looked at. What was written when stays as it was: no edit of the author's.
    """
    text = _struck(item.text, item.channel, is_erased)
    title = item.title and _struck(item.title, item.channel, is_erased)
    if text == item.text and title == item.title:
        return None
    return replace(item, revision=item.revision + 1, text=text[:MAX_TEXT_CHARACTERS], title=title)


def _struck(text: str, channel: str, is_erased: Callable[[Shown], bool]) -> str:
    pieces, at = [], 0
    for start, end, shown in sorted(mentions_in(text, channel), key=lambda mention: (mention.start, -mention.end)):
        if start >= at and any(map(is_erased, shown)):
            pieces += [text[at:start], STRUCK]
            at = end
    return "".join((*pieces, text[at:])) if pieces else text
