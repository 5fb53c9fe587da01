"""A file of records with its truth, and made-up people to fill it.

Owns: ``World`` (records, who each is, which pairs nobody could decide), ``Person`` and the score of an answer.
Must not: look at the engine or the other suites. Deterministic in its seed.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from support.identity_stranger import pools

Field: TypeAlias = object
"""What a stranger may put into a JSON field."""


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person and all there is to know of them."""

    key: str
    given: str
    family: str
    mail: str
    phone: str
    birth: str
    street: str
    number: int
    city: str
    postcode: str
    country: str
    handle: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def address(self) -> str:
        return f"{self.number} {self.street}"


@dataclass(frozen=True, slots=True)
class Label:
    """Who a record is: ``person``; whether it is also one of ``maybe`` no fair reader could tell: those pairs count neither way.

    A ``weak`` record cannot be missed either: nobody could be sure of any of its pairs.
    """

    person: str
    case: str
    maybe: frozenset[str]
    weak: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """Who else a record may be, and whether nobody could be sure of any of its pairs."""

    maybe: frozenset[str]
    weak: bool


SURE = Doubt(frozenset(), weak=False)


def unsure(maybe: Iterable[str], *, weak: bool | None = None) -> Doubt:
    """Return a doubt; a record that may be somebody else is weak unless said."""
    people = frozenset(maybe)
    return Doubt(people, bool(people) if weak is None else weak)


@dataclass(frozen=True, slots=True)
class Score:
    """Wrong and missed pairs of one pathology, and how many true ones there were."""

    false_merges: int = 0
    misses: int = 0
    true_pairs: int = 0


@dataclass(slots=True)
class World:
    """Grows by people and records; everything it draws comes from its seed."""

    seed: int
    case: str = ""  # the pathology that is being added
    records: list[dict[str, Field]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    rng: random.Random = field(init=False)
    _people: int = 0
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def unused(self, draw: str) -> bool:
        """Remember a value; False when it was drawn before."""
        fresh = draw not in self._used
        self._used.add(draw)
        return fresh

    def phone(self, country: str) -> str:
        """A number nobody else has."""
        while not self.unused(phone := pools.draw_phone(self.rng, country)):
            pass
        return phone

    def birth(self, first: int = 1945, last: int = 2004) -> str:
        """A birth date, ISO."""
        return f"{self.rng.randint(first, last)}-{self.rng.randint(1, 12):02}-{self.rng.randint(1, 28):02}"

    def person(self, culture: str | None = None, **given: str) -> Person:
        """A new person; what is given is fixed, the rest is drawn."""
        rng = self.rng
        culture = culture or rng.choices(list(pools.GIVEN), (10, 4, 2, 2, 2, 1, 1, 1))[0]
        country = given.get("country") or ("GB" if culture == "en" and rng.random() < 0.3 else pools.CULTURE_COUNTRY[culture])
        first = given.get("given") or rng.choice(pools.GIVEN[culture])
        last = given.get("family") or rng.choice(pools.FAMILY[culture])
        self._people += 1
        plain = pools.plain(f"{first}.{last}")
        while not self.unused(mail := self._mail(plain, last)):
            pass
        while not self.unused(handle := f"{plain.replace('.', rng.choice(('_', '', '.')))}{rng.choice(('', rng.randint(1, 999)))}"):
            pass
        birth = given.get("birth") or self.birth()
        while not given.get("birth") and not self.unused(f"{first} {last} {birth}"):  # of two of one name and birthday nobody could tell
            birth = self.birth()
        street, _ = rng.choice(pools.STREET_KIND)
        return Person(
            key=f"p{self._people}",
            given=first,
            family=last,
            mail=given.get("mail") or mail,
            phone=given.get("phone") or self.phone(country),
            birth=birth,
            street=given.get("street") or f"{rng.choice(pools.STREETS)} {street}",
            number=int(given.get("number") or rng.randint(1, 240)),
            city=given.get("city") or rng.choice(pools.CITIES[country]),
            postcode=given.get("postcode") or f"{rng.randint(10000, 99999)}",
            country=country,
            handle=given.get("handle") or handle,
        )

    def _mail(self, plain: str, family: str) -> str:
        number = self.rng.choice(("", self.rng.randint(2, 99), self.rng.randint(1950, 2009)))
        domain = self.rng.choice(("gmail.com", "web.de", "yahoo.com", "outlook.com", "orange.fr", f"{pools.plain(family)}.example"))
        return f"{plain}{number}@{domain}"

    def add(self, person: Person | str, doubt: Doubt = SURE, /, **fields: Field) -> None:
        """Write one record of the present case; in half of the records stand fields that the contract does not know."""
        record: dict[str, Field] = {"id": f"r{len(self.records)}", **fields}
        if self.rng.random() < 0.5:
            record |= self._unknown_fields()
        self.records.append(record)
        self.labels.append(Label(person if isinstance(person, str) else person.key, self.case, doubt.maybe, doubt.weak))

    def _unknown_fields(self) -> dict[str, Field]:
        rng = self.rng
        every: tuple[tuple[str, Field], ...] = (
            ("created_at", f"202{rng.randint(0, 6)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T08:00:00Z"),
            ("email_verified", rng.random() < 0.5),
            ("consents", [{"purpose": "newsletter", "granted": rng.random() < 0.5}]),
            ("tags", ["vip"]),
            ("crm_id", None),
            ("kind", rng.choice(("contact", "post", "call"))),
            ("notes", "called twice, no answer"),
            ("source", rng.choice(("shop", "x", "import"))),
        )
        return dict(rng.sample(every, 3))

    def shuffled(self) -> World:
        """The same file in another order, ids kept."""
        other = World(self.seed)
        order = list(range(len(self.records)))
        random.Random(self.seed + 1).shuffle(order)
        other.records = [self.records[index] for index in order]
        other.labels = [self.labels[index] for index in order]
        return other


def _excused(left: Label, right: Label) -> bool:
    return left.person in right.maybe or right.person in left.maybe or bool(left.maybe & right.maybe)


def score(world: World, answers: Mapping[object, str]) -> dict[str, Score]:
    """Count wrong, missed and true pairs by pathology."""
    groups: dict[str, list[int]] = defaultdict(list)
    people: dict[str, list[int]] = defaultdict(list)
    for place, (record, label) in enumerate(zip(world.records, world.labels, strict=True)):
        groups[answers[record["id"]]].append(place)
        if not label.weak:
            people[label.person].append(place)
    labels = world.labels
    wrong = [
        (one, two)
        for members in groups.values()
        for one, two in itertools.combinations(members[:400], 2)
        if labels[one].person != labels[two].person and not _excused(labels[one], labels[two])
    ]
    true = [pair for members in people.values() for pair in itertools.combinations(members, 2)]
    missed = [(one, two) for one, two in true if answers[world.records[one]["id"]] != answers[world.records[two]["id"]]]
    bad, lost, all_true = (Counter(labels[one].case for one, _ in pairs) for pairs in (wrong, missed, true))
    cases = sorted({label.case for label in labels})
    return {case: Score(bad[case], lost[case], all_true[case]) for case in cases}
