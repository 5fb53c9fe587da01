"""What a source may assert, and what a request may assert through it.

Owns the rule of contract §5: claims beyond a source's rights are kept as claims. Knows neither files nor tables nor keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from earshot_ingest.domain.refusals import Refusal
from earshot_shared import replies
from earshot_shared.item import Visibility

ANY = "*"
OUR_SOURCE = replies.SOURCE
"""The source of our own replies; what comes from it may link to any item by its feedback_id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one source may assert. ``speaks_for`` holds brands in folded case, or ``*`` for all of them; ``everything`` outdoes the rest.

    ``visibility`` is that of its items that do not say.
    """

    verifies: frozenset[str] = frozenset()
    speaks_for: frozenset[str] = frozenset()
    staff: bool = False
    visibility: Visibility | None = None
    everything: bool = False

    def speaks(self, brand: str | None) -> bool:
        """Return whether the source may say that an author speaks for ``brand``."""
        return ANY in self.speaks_for or (brand is not None and brand.casefold() in self.speaks_for)


NOTHING = Rights()


@dataclass(frozen=True, slots=True)
class SourceBook:
    """The rights of all sources, with the default (``*``) for those not named."""

    named: Mapping[str, Rights] = field(default_factory=dict)
    default: Rights = NOTHING

    def rights(self, source: str) -> Rights:
        """Return what a source may assert."""
        return self.named.get(source, self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a request may assert: ``everything`` for a key with ``admin``, ``sources`` the ones a key is bound to (None: any)."""

    everything: bool = False
    sources: frozenset[str] | None = None

    def rights(self, source: str, book: SourceBook) -> Rights:
        """Return what the request may assert for ``source``.

        Raises: Refusal when it may not speak for that source at all.
        """
        if self.sources is not None and source not in self.sources:
            raise Refusal("source-forbidden", "This key is bound to other sources: use a key of this source.", "source")
        if source == OUR_SOURCE and not self.everything and self.sources is None:
            raise Refusal("source-reserved", f"The source {OUR_SOURCE} holds our own replies: name another source.", "source")
        rights = book.rights(source)
        return replace(rights, everything=True) if self.everything else rights
