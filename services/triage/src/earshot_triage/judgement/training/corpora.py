"""The material that the shipped judge learns from, and what each set may be used for.

Owns the names, licences and label meanings of the sets, read from a data folder of the shape `NAME/dev.jsonl`. Sets that
are not for commercial use are never read here. Must not fit anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """One set. `cleared` says that its licence is known and allows commercial use."""

    name: str
    kind: str  # the kind of text, which chooses the expert: one of panel.KINDS, `apart` if need be
    licence: str
    cleared: bool
    teaches: str
    apart: str | None = None  # a field of its records whose values are kinds of text of their own

    def kind_of(self, row: dict[str, Any]) -> str:
        """Return the kind of text of one of its records."""
        return f"{self.kind} {row[self.apart]}" if self.apart else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text with what its set says about it. `row` is the set's own record."""

    corpus: str
    kind: str
    text: str
    row: dict[str, Any]

    @property
    def label(self) -> str:
        """The set's label, "" when it has none."""
        return str(self.row.get("label", ""))


CORPORA: Final = (
    Corpus(name="complaints", kind="tweet", licence="unknown", cleared=False, teaches="complaint"),
    Corpus(name="tweeteval_sentiment", kind="tweet", licence="unknown", cleared=False, teaches="sentiment"),
    Corpus(name="tweeteval_offensive", kind="tweet", licence="unknown", cleared=False, teaches="abusive conduct"),
    Corpus(name="tweeteval_emotion", kind="tweet", licence="unknown", cleared=False, teaches="emotion"),
    Corpus(name="appreviews_maalej", kind="maalej", licence="unknown", cleared=False, teaches="bug, idea", apart="store"),
    Corpus(name="appreviews_panichella", kind="panichella", licence="unknown", cleared=False, teaches="bug, idea, question"),
    Corpus(name="appreviews_googleplay", kind="googleplay", licence="unknown", cleared=False, teaches="bug, idea"),
    Corpus(name="github_issues", kind="issue", licence="unknown", cleared=False, teaches="bug, idea, question"),
    Corpus(name="banking77", kind="tweet", licence="CC BY 4.0", cleared=True, teaches="question (by its form)"),
    Corpus(name="ibm_conversations", kind="tweet", licence="Apache-2.0", cleared=True, teaches="how customers write"),
    Corpus(name="feature_search", kind="googleplay", licence="MIT", cleared=True, teaches="how reviewers write"),
)  # fmt: skip
NON_COMMERCIAL: Final = ("airline_sentiment", "suggestion_mining", "twacs_airline_intents", "twcs_sample")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of one JSON-lines file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def load(folder: Path, *, only_cleared: bool = False) -> list[Example]:
    """Return every example of the sets that may teach, in the order of CORPORA; sets that are absent are left out."""
    found: list[Example] = []
    for corpus in CORPORA:
        path = folder / corpus.name / "dev.jsonl"
        if (only_cleared and not corpus.cleared) or not path.is_file():
            continue
        found += [
            Example(corpus=corpus.name, kind=corpus.kind_of(row), text=row["text"], row=row)
            for row in rows(path)
            if not row.get("author_is_brand")
        ]
    return found
