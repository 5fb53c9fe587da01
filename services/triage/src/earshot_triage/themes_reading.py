"""What the HTTP side reads of themes: lists, one theme, questions worth an article, and how the loop stands.

Owns the shapes of these answers. Changes nothing.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from earshot_shared.actions import decode_action
from earshot_shared.item import decode_item
from earshot_triage import repository
from earshot_triage.decisions import words_of
from earshot_triage.domain.message import Role, Stance
from earshot_triage.events import key_of
from earshot_triage.judgement.themes import stem
from earshot_triage.reading import Article, excerpt
from earshot_triage.repository import QUERIES, Thread, thread_of
from earshot_triage.wide_acts import SetThemeStatus

MOST_SHOWN = 500
MOST_ANSWERS = 3
MOST_PEOPLE = 5
MOST_LOOKED_AT = 50
"""So many of the latest like cases are looked at for people who could help."""


class ThemeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A theme: what many ask for, in the words of the first. ``words`` tell it from others."""

    theme_id: str
    kind: str
    brand: str | None
    excerpt: str
    words: tuple[str, ...]
    items: int
    supporters: int
    first_at: datetime
    last_at: datetime
    status: str
    status_at: datetime | None
    status_by: str | None


class ThemeItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a theme."""

    feedback_id: str
    author_key: str
    occurred_at: datetime
    excerpt: str
    case_id: str | None


class ThemeAct(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did about a theme."""

    action_id: str
    verb: str
    actor: str
    key_id: str
    at: datetime
    arguments: msgspec.Raw


class ThemeView(ThemeLine, frozen=True, kw_only=True):
    """A theme with its latest items and all that was done about it."""

    latest: tuple[ThemeItem, ...]
    history: tuple[ThemeAct, ...]


class FaqCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A question that recurs and was answered."""

    theme_id: str
    brand: str | None
    question: str
    words: tuple[str, ...]
    items: int
    supporters: int
    answered: int
    answers: tuple[Article, ...]


class LoopHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the cases of one key. ``never_answered``: due by now, neither answered nor closed."""

    key: str
    cases: int
    acknowledged: int
    answered: int
    closed: int
    reported_back: int
    never_answered: int


_WORD = re.compile(r"\w+")
_status = msgspec.json.Decoder(SetThemeStatus)


async def theme_of(conn: Any, feedback_id: str) -> tuple[str, str | None] | None:
    """Return the theme that holds an item, and its brand."""
    row = await conn.fetchrow(QUERIES["find_theme"], key_of(feedback_id))
    return None if row is None else (str(row["theme"]), row["brand"])


async def list_themes(
    conn: Any, *, kind: str | None, brand: str | None, status: str | None, brands: Sequence[str] | None, least: int,
    after: tuple[int, str] | None, limit: int,
) -> tuple[list[ThemeLine], list[tuple[int, str]]]:  # fmt: skip
    """Return up to ``limit`` themes with their places in the order, the largest first."""
    rows = await conn.fetch(
        QUERIES["list_themes"],
        kind,
        brand,
        None if brands is None else list(brands),
        least,
        after[0] if after else None,
        after[1] if after else None,
        status,
        limit,
    )
    return await _lines(conn, rows), [(row["items"], str(row["theme"])) for row in rows]


async def theme_view(conn: Any, theme: str) -> ThemeView | None:
    """Return a theme with everything about it, None when it holds nothing (any more)."""
    rows = await conn.fetch(QUERIES["read_theme"], theme)
    if not rows:
        return None
    (line,) = await _lines(conn, rows)
    items = await conn.fetch(QUERIES["items_of_theme"], theme, MOST_SHOWN)
    acts = [decode_action(row["body"]) for row in await conn.fetch(QUERIES["acts_of_theme"], theme)]
    latest = tuple(
        ThemeItem(
            feedback_id=str(row["feedback_id"]),
            author_key=row["author_key"],
            occurred_at=row["at"],
            excerpt=excerpt(words_of(decode_item(row["item"]))),
            case_id=str(row["held"]) if row["has_case"] else None,
        )
        for row in items
    )
    history = tuple(
        ThemeAct(
            action_id=str(act.action_id),
            verb=act.verb,
            actor=str(act.actor),
            key_id=act.actor.key_id,
            at=act.at,
            arguments=act.arguments,
        )
        for act in acts
    )
    return ThemeView(**{name: getattr(line, name) for name in ThemeLine.__struct_fields__}, latest=latest, history=history)


async def _lines(conn: Any, rows: Sequence[Any]) -> list[ThemeLine]:
    firsts = await _firsts(conn, [row["theme"] for row in rows])
    found = []
    for row in rows:
        feedback_id, words, text = firsts[str(row["theme"])]
        act = None if row["status"] is None else decode_action(row["status"])
        found.append(
            ThemeLine(
                theme_id=feedback_id,
                kind=row["kind"],
                brand=row["brand"],
                excerpt=text,
                words=words,
                items=row["items"],
                supporters=row["supporters"],
                first_at=row["first_at"],
                last_at=row["last_at"],
                status="open" if act is None else _status.decode(act.arguments).status,
                status_at=None if act is None else act.at,
                status_by=None if act is None else str(act.actor),
            )
        )
    return found


async def _firsts(conn: Any, themes: Sequence[Any]) -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Return of each theme the first item's id, its telling words and the beginning of its text."""
    rows = await conn.fetch(QUERIES["first_of_themes"], list(themes)) if themes else []
    found = {}
    for row in rows:
        text = words_of(decode_item(row["item"]))
        found[str(row["theme"])] = (str(row["feedback_id"]), _spelled(row["stems"], text), excerpt(text))
    return found


def _spelled(stems: Sequence[str], text: str) -> tuple[str, ...]:
    """Return stems as the words of a text that have them; those that no plain word has stay stems."""
    words = {stem(word): word for word in reversed(_WORD.findall(text.lower()))}
    return tuple(words.get(each, each) for each in stems)


async def list_faq_candidates(
    conn: Any, *, brands: Sequence[str] | None, least: int, after: tuple[int, str] | None, limit: int
) -> tuple[list[FaqCandidate], list[tuple[int, str]]]:
    """Return up to ``limit`` questions that recur and were answered, the commonest first, with their places in the order."""
    rows = await conn.fetch(
        QUERIES["list_faq_candidates"],
        None if brands is None else list(brands),
        least,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    themes = [str(row["theme"]) for row in rows]
    firsts = await _firsts(conn, themes)
    answers = await _answers(conn, themes)
    found = [
        FaqCandidate(
            theme_id=firsts[theme][0],
            brand=row["brand"],
            question=firsts[theme][2],
            words=firsts[theme][1],
            items=row["items"],
            supporters=row["supporters"],
            answered=row["answered"],
            answers=answers.get(theme, ()),
        )
        for theme, row in zip(themes, rows, strict=True)
    ]
    return found, [(row["items"], str(row["theme"])) for row in rows]


async def _answers(conn: Any, themes: Sequence[str], *, but: str | None = None) -> dict[str, tuple[Article, ...]]:
    """Return the latest answers in some themes; ``but`` is a thread that does not count."""
    threads: dict[str, dict[str, Thread]] = {}
    for row in await conn.fetch(QUERIES["answered_of_themes"], list(themes), but, MOST_ANSWERS) if themes else []:
        threads.setdefault(str(row["theme"]), {})[str(row["thread"])] = thread_of(row)
    keys = [key_of(each.state.first_response[1]) for held in threads.values() for each in held.values() if each.state.first_response]
    stored = await repository.load_items(conn, keys)
    found: dict[str, tuple[Article, ...]] = {}
    for theme, held in threads.items():
        articles = []
        for label, thread in held.items():
            at, feedback_id = thread.state.first_response or thread.state.opening
            text = decode_item(stored[key_of(feedback_id)].item).text
            articles.append(Article(case_id=label, feedback_id=feedback_id, answered_at=at, excerpt=excerpt(text)))
        found[theme] = tuple(articles)
    return found


async def suggestions(conn: Any, thread: Thread) -> tuple[tuple[Article, ...], tuple[str, ...]]:
    """Return what was answered in cases like this one, and who, customer or staff, spoke in those without having opened them."""
    found = await theme_of(conn, thread.state.opening[1])
    if found is None:
        return (), ()
    articles = (await _answers(conn, [found[0]], but=thread.state.label)).get(found[0], ())
    rows = await conn.fetch(QUERIES["items_of_theme"], found[0], MOST_LOOKED_AT)
    labels = {str(row["held"]) for row in rows if row["held"] is not None} - {thread.state.label}
    threads = await repository.load_threads(conn, labels)
    spoke: Counter[str] = Counter()
    for held in await repository.load_members(conn, labels) if labels else []:
        message, other = held.message, threads.get(held.label)
        if other is not None and not message.withdrawn and not message.erased and message.role != Role.BRAND:
            spoke[message.author_key] += message.author_key not in (other.state.author_key, thread.state.author_key)
    people = sorted((key for key, count in spoke.items() if count), key=lambda key: (-spoke[key], key))
    return articles, tuple(people[:MOST_PEOPLE])


async def loop_health(
    conn: Any, *, by: str, opened_from: datetime | None, opened_to: datetime | None, stance: Stance | None, brands: Sequence[str] | None,
    now: datetime, after: str | None, limit: int,
) -> list[LoopHealth]:  # fmt: skip
    """Return what became of the cases that customers opened, by brand, channel or team, in the order of keys."""
    rows = await conn.fetch(
        QUERIES["loop_health"], by, opened_from, opened_to, stance, None if brands is None else list(brands), now, after, limit
    )
    return [LoopHealth(**{name: row[name] for name in LoopHealth.__struct_fields__}) for row in rows]
