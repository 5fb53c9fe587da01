"""``config/sources.yaml``: what operators say about the sources of feedback.

Owns the form of the file and of one source; what the rights mean is `domain.sources`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, field_validator

from earshot_ingest.domain.sources import ANY, Rights, SourceBook
from earshot_shared.config import fault_at
from earshot_shared.item import Visibility

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
LONGEST_SILENCE_S: Final = 366 * 24 * 3600


class SourceConfig(BaseModel):
    """One source: what it may assert, and how it is to be treated. Everything left out is the careful choice."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    title: Annotated[str, Field(max_length=200)] = ""
    """What people call it."""
    type: Literal["cluster", "connector"] | None = None
    """A tight community (forum, group), or what links people without one (blog, widget, feed)."""
    verifies: frozenset[Literal["email", "phone", "account"]] = frozenset()
    """What the source has made sure of before it sends it: then `email_verified` and the like are believed."""
    speaks_for: frozenset[Annotated[str, Field(min_length=1, max_length=300)]] = frozenset()
    """The brands whose own accounts it can tell; `*` for all."""
    staff: StrictBool = False
    """Whether it can tell our staff from others."""
    visibility: Visibility | None = None
    """Who may see its items that do not say so themselves."""
    silent_after_s: Annotated[StrictInt, Field(ge=60, le=LONGEST_SILENCE_S)] | None = None
    """After how many seconds without an item the source counts as silent; never, unless given."""

    def rights(self) -> Rights:
        """Return what the source may assert."""
        return Rights(
            verifies=frozenset(self.verifies),
            speaks_for=frozenset(brand.casefold() for brand in self.speaks_for),
            staff=self.staff,
            visibility=self.visibility,
        )


class SourcesConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: dict[str, SourceConfig] = {}

    @field_validator("sources")
    @classmethod
    def _check_names(cls, value: dict[str, SourceConfig]) -> dict[str, SourceConfig]:
        for name in value:
            if name != ANY and not NAME.fullmatch(name):
                raise fault_at("a source's name holds letters, digits and . _ : - only, up to 128, a letter or digit first", name)
        return value


def book_of(configured: Mapping[str, SourceConfig]) -> SourceBook:
    """Return the rights of all sources; ``*`` is the default for those that are not named."""
    named = {name: source.rights() for name, source in configured.items() if name != ANY}
    return SourceBook(named, configured[ANY].rights()) if ANY in configured else SourceBook(named)
