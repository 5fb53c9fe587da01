"""What HTTP shows of members, advocates and thank-yous.

Owns their shapes and how they are made from what the book holds. Decides nothing.
"""

from uuid import UUID

from pydantic import BaseModel

from earshot_recognition.book import Book
from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.deeds import Act, Deeds
from earshot_recognition.domain.standing import decide_standing
from earshot_recognition.events import standing_with_deeds, totals_of
from earshot_recognition.rules import RecognitionRules
from earshot_shared.envelope import rfc3339


class Points(BaseModel):
    """A member's points by board."""

    helpful: int
    active: int
    reach: int


class Member(BaseModel):
    """The standing of one member, with the reasons for it."""

    author_key: str
    name: str
    points: Points
    tier: str
    abilities: list[str]
    badges: list[str]
    reasons: list[str]
    next_step: str | None
    advocate_stage: str | None
    thank_you_due: bool
    rules_version: str


class EvidenceShown(BaseModel):
    """What speaks for an advocate."""

    kind: str
    what: str
    url: str | None


class Disclosure(BaseModel):
    """How the tie to the company is made plain, in public."""

    statement: str
    url: str | None
    at: str


class Advocate(BaseModel):
    """Somebody on the way to being an advocate; ``disclosure`` is null until the tie is disclosed."""

    author_key: str
    name: str
    stage: str
    since: str
    by: str
    reason: str | None
    evidence: list[EvidenceShown]
    topics: list[str]
    disclosure: Disclosure | None


class ThankYou(BaseModel):
    """A cause to thank a member for; ``done`` says who did, how and when."""

    thank_you_id: str
    author_key: str
    name: str
    cause: str
    done: "ThanksSaid | None"


class ThanksSaid(BaseModel):
    """Thanks that were said: in public or offline."""

    by: str
    at: str
    how: str
    what: str | None
    url: str | None


def member_view(account: Account, book: Book, rules: RecognitionRules) -> Member:
    """Return the standing of a member."""
    totals, excluded = totals_of(account), book.excluded(account.author_key)
    standing = decide_standing(totals, rules.tiers, rules.badges, excluded=excluded)
    told = standing_with_deeds(account, rules, book.deeds(account.author_key), excluded=excluded)
    return Member(
        author_key=account.author_key,
        name=account.name,
        points=Points(helpful=totals.helpful, active=totals.active, reach=totals.reach),
        tier=standing.tier,
        abilities=list(standing.abilities),
        badges=list(told.badges),
        reasons=list(told.reasons),
        next_step=told.next_step,
        advocate_stage=told.advocate_stage,
        thank_you_due=told.thank_you_due,
        rules_version=rules.version,
    )


def advocate_view(account: Account, book: Book) -> Advocate:
    """Return an advocate; the account has a stage."""
    deeds = book.deeds(account.author_key)
    assert deeds.stage is not None, "an advocate has a stage"
    assert deeds.turned is not None, "an act led to it"
    return Advocate(
        author_key=account.author_key,
        name=account.name,
        stage=deeds.stage.value,
        since=rfc3339(deeds.turned.at),
        by=deeds.turned.actor,
        reason=deeds.turned.particulars.reason,
        evidence=[EvidenceShown(kind=each.kind, what=each.what, url=each.url) for each in deeds.evidence],
        topics=list(deeds.topics),
        disclosure=_disclosure(deeds),
    )


def _disclosure(deeds: Deeds) -> Disclosure | None:
    if deeds.disclosure is None:
        return None
    said = deeds.disclosure.particulars
    return Disclosure(statement=said.statement or "", url=said.url, at=rfc3339(deeds.disclosure.at))


def thank_you_view(thank_you_id: UUID, account: Account, cause: str, book: Book) -> ThankYou:
    """Return a thank-you as it stands."""
    done = book.deeds(account.author_key).thanked.get(cause)
    return ThankYou(
        thank_you_id=str(thank_you_id),
        author_key=account.author_key,
        name=account.name,
        cause=cause,
        done=None if done is None else _thanks(done),
    )


def _thanks(act: Act) -> ThanksSaid:
    said = act.particulars
    return ThanksSaid(by=act.actor, at=rfc3339(act.at), how=said.how or "", what=said.statement, url=said.url)
