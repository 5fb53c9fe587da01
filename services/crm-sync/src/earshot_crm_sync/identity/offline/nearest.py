"""Whose slip a misspelt name is, when more than one name lies near: the nearest one's. Claara is Clara, not Laura.

Owns that judgement about two names. Must not weigh it: see `levels`.
"""

from __future__ import annotations

from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from .spelling import common_names, nicknames, share_a_group, translations


def has_nearer(text: str, name: str) -> bool:
    """Whether a folded text that is no name itself is one slip from another name than `name`, and no form of that."""
    return any(near != name and not share_a_group(nicknames(), near, name) for near in _one_slip_from(text))


@lru_cache(maxsize=8_000)
def _one_slip_from(text: str) -> tuple[str, ...]:
    near = {name for form in _lacking_a_letter(text) for name in _by_form().get(form, ())}
    return tuple(name for name in near if OSA.distance(name, text, score_cutoff=1) == 1)


@cache
def _by_form() -> dict[str, list[str]]:
    """Return the names on the lists by each form that they and a text one slip away have in common."""
    found: dict[str, list[str]] = {}
    for name in common_names() | nicknames().keys() | translations().keys():
        for form in _lacking_a_letter(name):
            found.setdefault(form, []).append(name)
    return found


def _lacking_a_letter(text: str) -> set[str]:
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}
