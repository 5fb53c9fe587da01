"""What people have done about a member by hand: badges given, the advocate's path, thanks said.

Owns what a set of acts comes to. It is folded in the order of (at, action_id), whatever order they came in; an act that does not fit where
it falls changes nothing. What a member says moves none of this: only people's acts do, and those that end something state a reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID


class Verb(StrEnum):
    """What can be done about a member."""

    BADGE = "badge"
    INVITE = "invite"
    ACCEPT = "accept"
    DECLINE = "decline"
    DISCLOSE = "disclose"
    LEAVE = "leave"
    THANK = "thank"


class Stage(StrEnum):
    """Where somebody stands on the way to being an advocate."""

    INVITED = "invited"
    ADVOCATE = "advocate"
    DECLINED = "declined"
    LEFT = "left"


# From which stages each verb leads where; None is somebody whom nobody has asked yet.
_PATH: Final[Mapping[Verb, tuple[frozenset[Stage | None], Stage | None]]] = MappingProxyType(
    {
        Verb.INVITE: (frozenset({None, Stage.DECLINED, Stage.LEFT}), Stage.INVITED),
        Verb.ACCEPT: (frozenset({Stage.INVITED}), Stage.ADVOCATE),
        Verb.DECLINE: (frozenset({Stage.INVITED}), Stage.DECLINED),
        Verb.DISCLOSE: (frozenset({Stage.INVITED, Stage.ADVOCATE}), None),
        Verb.LEAVE: (frozenset({Stage.ADVOCATE}), Stage.LEFT),
    }
)
ADVOCACY: Final = frozenset(_PATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for an advocate: a blog, a following, talks, answers given."""

    kind: str
    what: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What an act says beside its verb; each verb has its own fields, the others are empty."""

    badge: str | None = None
    reason: str | None = None
    evidence: tuple[Evidence, ...] = ()
    topics: tuple[str, ...] = ()
    statement: str | None = None
    url: str | None = None
    cause: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of a person about a member; ``subject`` is the author key it was said of."""

    action_id: UUID
    subject: str
    verb: Verb
    at: datetime
    actor: str
    particulars: Particulars = Particulars()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """What the acts about one member come to. ``thanked``: causes that thanks were said for."""

    badges: Mapping[str, Act]
    thanked: Mapping[str, Act]
    stage: Stage | None = None
    turned: Act | None = None
    evidence: tuple[Evidence, ...] = ()
    topics: tuple[str, ...] = ()
    disclosure: Act | None = None


NO_DEEDS: Final = Deeds(badges={}, thanked={})


def may(verb: Verb, stage: Stage | None) -> bool:
    """Say whether ``verb`` leads anywhere from ``stage``."""
    return stage in _PATH[verb][0]


def fold_deeds(acts: Iterable[Act]) -> Deeds:
    """Return what a set of acts comes to."""
    badges: dict[str, Act] = {}
    thanked: dict[str, Act] = {}
    stage: Stage | None = None
    turned: Act | None = None
    disclosure: Act | None = None
    evidence: tuple[Evidence, ...] = ()
    topics: tuple[str, ...] = ()
    for act in sorted(acts, key=lambda act: (act.at, act.action_id)):
        said = act.particulars
        if act.verb is Verb.BADGE and said.badge:
            badges.setdefault(said.badge, act)
        elif act.verb is Verb.THANK and said.cause:
            thanked.setdefault(said.cause, act)
        elif act.verb in ADVOCACY and may(act.verb, stage):
            if act.verb is Verb.DISCLOSE:
                disclosure = act
                continue
            stage, turned = _PATH[act.verb][1], act
            evidence = said.evidence or evidence
            topics = said.topics or topics
            if act.verb is Verb.INVITE:
                disclosure = None  # a new beginning is disclosed anew
    return Deeds(badges=badges, thanked=thanked, stage=stage, turned=turned, evidence=evidence, topics=topics, disclosure=disclosure)
