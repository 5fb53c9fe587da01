"""The topics recognition reads and writes, and their translation to what the ledger needs."""

from typing import Final

import msgspec
from asyncpg.pgproto.pgproto import UUID

from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.deeds import NO_DEEDS, Act, Deeds, Particulars, Verb
from earshot_recognition.domain.ledger import Contribution
from earshot_recognition.domain.standing import Totals, decide_standing
from earshot_recognition.rules import RecognitionRules
from earshot_shared.actions import Action, ActionWriter
from earshot_shared.envelope import EventWriter
from earshot_shared.item import AuthorKey, Followers, Moment, ShortText, Version
from earshot_shared.messages import Message
from earshot_shared.outreach import OutreachRequested
from earshot_shared.receipts import ReceiptWriter
from earshot_shared.topics import Topic


class _Author(msgspec.Struct, frozen=True, gc=False):
    name: ShortText | None = None
    followers: Followers | None = None
    is_staff: bool = False
    on_behalf_of_brand: bool = False


_NOBODY: Final = _Author()


class _Item(msgspec.Struct, gc=False):
    """The part of an item that is ground for points; what else it carries is passed over."""

    feedback_id: str
    author_key: AuthorKey
    occurred_at: Moment
    received_at: Moment
    kind: str = "post"
    author: _Author = _NOBODY
    handle_key: AuthorKey | None = None
    parents: tuple[str, ...] = ()
    withdrawn: bool = False
    erased: bool = False
    backfill: bool = False


class _Triaged(msgspec.Struct, gc=False):
    item: _Item
    version: Version
    intent: str = "unknown"


class _TriagedEvent(msgspec.Struct, gc=False):
    data: _Triaged


class RecognitionChanged(msgspec.Struct, omit_defaults=True, kw_only=True):
    """``recognition.changed``: the standing of one author; with ``merged_into``, a handle that turned out to be an account's."""

    author_key: str
    version: int
    name: str = ""
    points: dict[str, int] = {}
    tier: str | None = None
    badges: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    next_step: str | None = None
    excluded: bool = False
    advocate_stage: str | None = None
    thank_you_due: bool = False
    merged_into: str | None = None


class _Head(msgspec.Struct, kw_only=True):
    """The part of `RecognitionChanged` that is the account's own; the rest depends on its sums alone, and many have the same."""

    author_key: str
    version: int
    name: str


class ErasureRequested(msgspec.Struct, gc=False):
    """A person is to be forgotten: everything up to ``at`` by the authors that these hashes stand for (`erasing.alias_of`)."""

    erasure_id: str
    identifiers: tuple[str, ...]
    at: Moment


class _ErasureRequestedEvent(msgspec.Struct, gc=False):
    data: ErasureRequested


SERVICE: Final = "recognition"
WRITER: Final = EventWriter(Topic.RECOGNITION_CHANGED, SERVICE)
ACTIONS: Final = ActionWriter(SERVICE)
_OUTREACH: Final = EventWriter(Topic.OUTREACH_REQUESTED, SERVICE)
RECEIPTS: Final = ReceiptWriter(SERVICE)
_VERBS: Final = frozenset(verb.value for verb in Verb)
_erasure_decoder = msgspec.json.Decoder(_ErasureRequestedEvent)
_particulars_decoder = msgspec.json.Decoder(Particulars)
_decoder = msgspec.json.Decoder(_TriagedEvent)
_encoder = msgspec.json.Encoder()


def decode_triaged(value: bytes) -> tuple[Contribution, bool]:
    """Return what the ledger needs of a ``feedback.triaged`` record, and whether the item comes from an import of the past.

    Ids become asyncpg's UUIDs: equal to Python's, at a fifth of the price.
    Raises: msgspec.DecodeError when it is none; ValueError when an id in it is none.
    """
    triaged = _decoder.decode(value).data
    item = triaged.item
    author = item.author
    present = not (item.withdrawn or item.erased)
    feedback_id = UUID(item.feedback_id)
    contribution = Contribution(
        triaged.version,
        feedback_id,
        # One key each: skeletons are nobody's, and must not look like the items of one prolific author.
        f"erased:{item.feedback_id}" if item.erased else item.author_key,
        item.occurred_at,
        item.handle_key,
        present,
        present and author.is_staff,
        present and author.on_behalf_of_brand,
        item.kind == "question" or triaged.intent == "question",
        item.kind,
        tuple(map(UUID, item.parents)),
        (author.name or "").strip() or None,
        min(item.occurred_at, item.received_at),
        author.followers,
    )
    return contribution, item.backfill


def totals_of(account: Account) -> Totals:
    """Return the sums that standing is decided from."""
    return Totals(account.helpful, account.active, account.helped, account.entries, account.followers)


def _event_id(account: Account) -> str:
    return f"{account.author_key}/{account.version}"


def tell_standing(account: Account, rules: RecognitionRules, deeds: Deeds, *, excluded: bool, now: str) -> Message:
    """Return the ``recognition.changed`` message of an account."""
    if deeds is not NO_DEEDS:
        body = standing_with_deeds(account, rules, deeds, excluded=excluded)
        return WRITER.write(account.author_key, _event_id(account), body, time=now)
    head = _encoder.encode(_Head(author_key=account.author_key, version=account.version, name=account.name))
    standing = rules.told_standing(totals_of(account), excluded=excluded)
    return WRITER.write(account.author_key, _event_id(account), msgspec.Raw(b"%b,%b" % (head[:-1], standing[1:])), time=now)


def standing_with_deeds(account: Account, rules: RecognitionRules, deeds: Deeds, *, excluded: bool) -> RecognitionChanged:
    """Return the standing of an account with what people did about it by hand."""
    totals = totals_of(account)
    standing = decide_standing(totals, rules.tiers, rules.badges, excluded=excluded)
    given = () if excluded else tuple(sorted(deeds.badges.keys() - set(standing.badges)))
    return RecognitionChanged(
        author_key=account.author_key,
        version=account.version,
        name=account.name,
        points={"helpful": totals.helpful, "active": totals.active, "reach": totals.reach},
        tier=standing.tier,
        badges=(*standing.badges, *given),
        reasons=(*standing.reasons, *(_given(deeds.badges[badge]) for badge in given)),
        next_step=standing.next_step,
        excluded=excluded,
        advocate_stage=deeds.stage.value if deeds.stage is not None else None,
        thank_you_due=any(cause not in deeds.thanked for cause in rules.causes(totals)),
    )


def _given(act: Act) -> str:
    reason = f": {act.particulars.reason}" if act.particulars.reason else ""
    return f"badge {act.particulars.badge} given by {act.actor} on {act.at.date().isoformat()}{reason}"


def tell_merged(account: Account, into: str, *, now: str) -> Message:
    """Return the message of a handle's account that turned out to be another's."""
    body = RecognitionChanged(author_key=account.author_key, version=account.version, merged_into=into)
    return WRITER.write(account.author_key, _event_id(account), body, time=now)


def tell_outreach(body: OutreachRequested, *, now: str) -> Message:
    """Return the message that asks for somebody to be written to."""
    return _OUTREACH.write(body.outreach_id, body.outreach_id, body, time=now)


def decode_erasure(value: bytes) -> ErasureRequested:
    """Return what a record of ``erasure.requested`` says.

    Raises: msgspec.DecodeError when it is none.
    """
    return _erasure_decoder.decode(value).data


def act_of(action: Action) -> Act | None:
    """Return an action as the domain sees it; None when it is another service's, or a verb that this version does not know.

    Raises: msgspec.DecodeError when its arguments are not those of our verbs.
    """
    if action.service != SERVICE or action.verb not in _VERBS:
        return None
    return Act(
        action_id=action.action_id,
        subject=action.subject,
        verb=Verb(action.verb),
        at=action.at,
        actor=str(action.actor),
        particulars=_particulars_decoder.decode(action.arguments),
    )


def arguments_of(particulars: Particulars) -> dict[str, object]:
    """Return what an act says beside its verb, as `act_of` reads it; fields that are empty are left out."""
    told: dict[str, object] = msgspec.to_builtins(particulars)
    return {name: value for name, value in told.items() if value}
