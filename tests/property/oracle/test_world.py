"""One machine: facts happen, travel in any order, twice, compacted; people act on what they see; services are replayed.

Once everything has arrived every view equals the fold of the bare set of facts. The machine knows no order of delivery at all, which is
more than Kafka promises.
"""

import os
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from oracle import ids
from oracle.cases import Case, Judgement
from oracle.facts import (
    Action,
    Author,
    Contact,
    Content,
    Erasure,
    Fact,
    Identifier,
    ItemRevision,
    Role,
    Verb,
    erasure_hash,
    reply_item,
    shown_identifiers,
    standing,
)
from oracle.services import CrmSync, Recognition, Triage, key_of
from oracle.world import Views, compacted, views

EXAMPLES = int(os.environ.get("EARSHOT_TEST_WORLDS", "60"))  # a few seconds; give thousands for a long look
SOURCES = ("forum", "chat")
NAMES = tuple(f"m{number}" for number in range(7))
TALKS = ("talk-1", "talk-2")
TEXTS = {
    "broken": Judgement(intent="bug", severity=3, team="product"),
    "how?": Judgement(intent="question", severity=1, team="support"),
    "angry": Judgement(intent="complaint", severity=4, team="support"),
    "nice": Judgement(intent="praise"),
}
DAY = datetime(2026, 3, 1, tzinfo=UTC)
AUTHORS = (
    Author(account_id="1", handle="@ann", mail="ann@example.org", mail_verified=True),
    Author(handle="Ann"),
    Author(account_id="2", handle="ANN"),
    Author(account_id="3", mail="ann@example.org", mail_verified=True, name="Ann"),
    Author(account_id="4", mail="ann@example.org", name="not vouched for"),
    Author(handle="bob", phone="+491", phone_verified=True),
    Author(mail="bob@example.org"),
    Author(account_id="5", phone="+491", phone_verified=True, name="Bob"),
)
minutes = st.integers(0, 12).map(lambda minute: DAY + timedelta(minutes=minute))
source_names, item_names = st.sampled_from(SOURCES), st.sampled_from(NAMES)


def judge(item: ItemRevision) -> Judgement:
    """A function of what an item says, as a model would be."""
    return TEXTS.get(item.content.text, TEXTS["nice"]) if item.content else Judgement(intent="unknown")


@st.composite
def posted_items(draw: st.DrawFn) -> ItemRevision:
    source, name = draw(source_names), draw(item_names)
    parent, talk = draw(st.none() | item_names), draw(st.none() | st.sampled_from(TALKS))
    at = draw(minutes)
    return ItemRevision(
        feedback_id=ids.feedback_id(source, name),
        revision=1,
        occurred_at=at,
        received_at=at + timedelta(minutes=draw(st.integers(-1, 3))),
        channel=draw(st.sampled_from(("forum", "mail"))),
        brand=draw(st.sampled_from((None, "Acme", "Other"))),
        role=draw(st.sampled_from((Role.CUSTOMER, Role.CUSTOMER, Role.CUSTOMER, Role.BRAND, Role.STAFF))),
        replies_to=frozenset({ids.feedback_id(source, parent)} if parent and parent != name else ()),
        conversations=frozenset({ids.conversation_node(source, talk)} if talk else ()),
        content=Content(
            source=source,
            external_id=name,
            kind=draw(st.sampled_from(("post", "question"))),
            author=draw(st.sampled_from(AUTHORS)),
            text=draw(st.sampled_from(sorted(TEXTS))),
        ),
    )


class Log:
    """A topic: records in the order of writing, some dropped by compaction."""

    def __init__(self) -> None:
        self.records: list[Fact | None] = []

    def append(self, facts: Iterable[Fact]) -> None:
        self.records.extend(facts)

    def compact(self) -> None:
        """Keep the last record of every key."""
        last = {key_of(fact): at for at, fact in enumerate(self.records) if fact is not None}
        kept = set(last.values())
        self.records = [fact if at in kept else None for at, fact in enumerate(self.records)]


class Reader:
    """What one service has not yet read of some topics; any record may come next, and any old one again."""

    def __init__(self, *logs: Log) -> None:
        self.logs = logs
        self._read: list[set[int]] = [set() for _ in logs]

    def waiting(self) -> list[tuple[int, int]]:
        return [(log, at) for log, read in zip(range(len(self.logs)), self._read, strict=True) for at in self._open(log, read)]

    def take(self, count: int, again: int, draw: random.Random) -> list[Fact]:
        waiting = self.waiting()
        chosen = draw.sample(waiting, min(count, len(waiting)))
        for log, at in chosen:
            self._read[log].add(at)
        known = [(log, at) for log, read in enumerate(self._read) for at in read]
        chosen += draw.sample(known, min(again, len(known)))
        draw.shuffle(chosen)
        return [fact for log, at in chosen if (fact := self.logs[log].records[at]) is not None]

    def begin_anew(self) -> None:
        self._read = [set() for _ in self.logs]

    def _open(self, log: int, read: set[int]) -> list[int]:
        return [at for at, fact in enumerate(self.logs[log].records) if fact is not None and at not in read]


class World(RuleBasedStateMachine):
    """Doors write facts, services read topics, people act on what triage shows them at that moment."""

    @initialize(seed=st.integers(0, 2**32 - 1), posted=st.lists(posted_items(), min_size=3, max_size=9))
    def begin(self, seed: int, posted: list[ItemRevision]) -> None:
        self.draw = random.Random(seed)
        self.received, self.actions, self.contacts, self.erasures, self.triaged = (Log() for _ in range(5))
        self.items: dict[UUID, ItemRevision] = {}
        self.records: dict[UUID, Contact] = {}
        self.history: list[Fact] = []
        self.looked_at: list[Case] = []
        self.triage, self.triage_reads = Triage(judge), Reader(self.received, self.actions, self.erasures)
        self.recognition, self.recognition_reads = Recognition(judge), Reader(self.triaged, self.erasures)
        self.crm, self.crm_reads = CrmSync(), Reader(self.triaged, self.contacts, self.erasures)
        for item in posted:
            self.post(item)

    # What comes in at the doors

    @rule(item=posted_items())
    def post(self, item: ItemRevision) -> None:
        """Sent again, an item is a duplicate, but its links are added; one whose author asked to be forgotten is refused."""
        known = self.items.get(item.feedback_id)
        if known is None:
            if not self._struck(item):
                self._publish(item)
        elif known.content is not None and not (item.replies_to <= known.replies_to and item.conversations <= known.conversations):
            replies_to, conversations = known.replies_to | item.replies_to, known.conversations | item.conversations
            self._publish(replace(known, revision=known.revision + 1, replies_to=replies_to, conversations=conversations))

    @rule(which=st.integers(0, 99), text=st.sampled_from(sorted(TEXTS)))
    def edit(self, which: int, text: str) -> None:
        known = self._known(which)
        assert known.content is not None
        self._publish(replace(known, revision=known.revision + 1, withdrawn=False, content=replace(known.content, text=text)))

    @rule(which=st.integers(0, 99))
    def withdraw(self, which: int) -> None:
        known = self._known(which)
        self._publish(replace(known, revision=known.revision + 1, withdrawn=not known.withdrawn))

    @rule(
        number=st.integers(0, 2), author=st.sampled_from(AUTHORS), at=minutes, name=st.sampled_from(("", "Dr Who")), deleted=st.booleans()
    )
    def contact(self, number: int, author: Author, at: datetime, name: str, deleted: bool) -> None:
        identifiers = [Identifier(kind="mail", value=ids.mail_name(author.mail))] if author.mail else []
        identifiers += [Identifier(kind="phone", value=author.phone)] if author.phone else []
        record = Contact(
            connector="crm",
            record_id=str(number),
            revision=1,
            updated_at=at,
            identifiers=frozenset(identifiers),
            name=name,
            deleted=deleted,
        )
        known = self.records.get(record.contact_id)
        record = replace(record, revision=known.revision + 1 if known else 1)
        self.records[record.contact_id] = record
        self._write(self.contacts, record)

    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        """Somebody is forgotten: all identifiers of a customer, as crm-sync knows him at this moment."""
        customers = sorted(self.crm.customers().by_id.values(), key=lambda customer: customer.customer_id)
        assume(customers and len(self.erasures.records) < 2)
        chosen = data.draw(st.sampled_from(customers))
        erasure_id = uuid5(ids.NAMESPACE, f"erasure {len(self.erasures.records)}")
        self._write(self.erasures, Erasure(erasure_id=erasure_id, hashes=frozenset(map(erasure_hash, chosen.identifiers))))

    @rule()
    def ingest_reads_erasures_and_replies(self) -> None:
        for item in list(self.items.values()):
            if self._struck(item):
                self._publish(item.skeleton())
        for action in self.actions.records:
            if isinstance(action, Action) and action.verb is Verb.RESPOND:
                reply = reply_item(action)
                if reply.feedback_id not in self.items:
                    self._publish(reply)

    # What people do

    @rule()
    def look(self) -> None:
        self.looked_at.extend(self.triage.cases.values())
        self.looked_at[:] = self.looked_at[-8:]

    @rule(verb=st.sampled_from(list(Verb)), data=st.data(), at=minutes)
    def act(self, verb: Verb, data: st.DataObject, at: datetime) -> None:
        """On a case as it was when somebody looked, perhaps long ago. Triage applies the action at once."""
        cases = sorted([*self.looked_at, *self.triage.cases.values()], key=lambda case: (case.case_id, case.messages))
        assume(cases)
        case = data.draw(st.sampled_from(cases))
        subject = next(fid for fid in standing(self.history).items if ids.case_id(fid) == case.case_id)
        action = Action(
            action_id=uuid5(ids.NAMESPACE, f"action {len(self.actions.records)}"),
            verb=verb,
            subject=subject,
            at=at,
            seen=frozenset(case.messages) if verb in (Verb.RESPOND, Verb.RESOLVE) else frozenset(),
            assignee=data.draw(st.sampled_from((None, "ann"))) if verb is Verb.ASSIGN else None,
            team="legal" if verb is Verb.ROUTE else None,
            priority=data.draw(st.sampled_from((None, 2, 4))) if verb is Verb.ESCALATE else None,
            text="words" if verb in (Verb.NOTE, Verb.RESPOND) else None,
            channel=case.channel if verb is Verb.RESPOND else "",
            brand=case.brand if verb is Verb.RESPOND else None,
        )
        self._write(self.actions, action)
        self.triaged.append(self.triage.apply([action]))

    # How it travels

    @rule(count=st.integers(1, 6), again=st.integers(0, 3))
    def triage_folds(self, count: int, again: int) -> None:
        self.triaged.append(self.triage.apply(self.triage_reads.take(count, again, self.draw)))

    @rule(count=st.integers(1, 6), again=st.integers(0, 3))
    def recognition_folds(self, count: int, again: int) -> None:
        self.recognition.apply(self.recognition_reads.take(count, again, self.draw))

    @rule(count=st.integers(1, 6), again=st.integers(0, 3))
    def crm_folds(self, count: int, again: int) -> None:
        self.crm.apply(self.crm_reads.take(count, again, self.draw))

    @rule(which=st.integers(0, 4))
    def compact(self, which: int) -> None:
        (self.received, self.actions, self.contacts, self.erasures, self.triaged)[which].compact()

    @rule(service=st.sampled_from(("triage", "recognition", "crm-sync")))
    def replay(self, service: str) -> None:
        if service == "triage":
            self.triage = Triage(judge)
            self.triage_reads.begin_anew()
        elif service == "recognition":
            self.recognition = Recognition(judge)
            self.recognition_reads.begin_anew()
        else:
            self.crm = CrmSync()
            self.crm_reads.begin_anew()

    # What must hold

    @rule()
    def settle(self) -> None:
        self._settle()

    def teardown(self) -> None:
        if hasattr(self, "draw"):
            self._settle()

    @invariant()
    def triage_is_the_fold_of_what_it_has(self) -> None:
        if hasattr(self, "draw"):
            has = views(self.triage.kept.facts.values(), judge)
            assert (self.triage.cases, self.triage.case_of) == (has.cases, has.case_of)

    def _settle(self) -> None:
        self.ingest_reads_erasures_and_replies()
        while self.triage_reads.waiting():
            self.triage_folds(7, 1)
        while self.recognition_reads.waiting():
            self.recognition_folds(7, 1)
        while self.crm_reads.waiting():
            self.crm_folds(7, 1)
        truth = views(self.history, judge)
        assert (self.triage.cases, self.triage.case_of) == (truth.cases, truth.case_of)
        assert self.recognition.ledger() == truth.ledger
        assert self.crm.customers() == truth.customers
        self._check_laws(truth)
        shuffled = self.draw.sample(self.history, len(self.history))
        assert views([*shuffled, *shuffled[:5]], judge) == truth
        assert views(compacted(self.history), judge) == truth

    def _check_laws(self, truth: Views) -> None:
        """What is true of every world, however it came about."""
        present = standing(self.history).present
        open_items = {item.feedback_id for item in present if item.content is not None}
        assert truth.customers.owner.keys() == open_items
        assert sorted(fid for each in truth.customers.by_id.values() for fid in each.timeline) == sorted(open_items)
        for case_id, case in truth.cases.items():
            assert truth.case_of[case.messages[0]] == case_id
            assert {truth.case_of[fid] for fid in case.messages} == {case_id}
        said = [fid for case in truth.cases.values() for fid in case.messages]
        assert len(said) == len(set(said))

    def _known(self, which: int) -> ItemRevision:
        """One of the items that may still be changed, replies of ours included."""
        known = [item for item in self.items.values() if item.content is not None and not self._struck(item)]
        assume(known)
        return known[which % len(known)]

    def _struck(self, item: ItemRevision) -> bool:
        hashes = {each for fact in self.erasures.records if isinstance(fact, Erasure) for each in fact.hashes}
        return any(erasure_hash(identifier) in hashes for identifier in shown_identifiers(item))

    def _publish(self, item: ItemRevision) -> None:
        self.items[item.feedback_id] = item
        self._write(self.received, item)

    def _write(self, log: Log, fact: Fact) -> None:
        log.append([fact])
        self.history.append(fact)


World.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
TestWorld = pytest.mark.capability("C5")(World.TestCase)
