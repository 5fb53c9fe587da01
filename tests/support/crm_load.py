"""A made-up stream for crm-sync's slice, with the collisions that a real one has; the same seed makes the same records.

Owns the shares below. Of a hundred items twenty are by accounts never seen before. Of these accounts: a fifth are a known person's on
another channel, shown so by a mail that both sources vouch for; a tenth share a household's phone; one in fifty shows a switchboard's
number that thousands show; a tenth only claim a mail, and with it a name that may or may not be its owner's.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from earshot_crm_sync.identity.lists import lines
from earshot_shared.pipeline.records import StoredRecord
from support.crm_ground import item, record_of, standing, triaged

NEW_SHARE = 0.2
SECOND_ACCOUNT_SHARE = 0.2
HOUSEHOLD_SHARE = 0.1
SWITCHBOARD_SHARE = 0.02
CLAIMED_SHARE = 0.1
MAIL_SHARE = 0.3
REVISED_SHARE = 0.02
HOUSEHOLD = 3  # people on one phone
SWITCHBOARDS = 20
_CHANNELS = ("forum", "shop", "x", "mail", "app")
_SURNAMES = ("Schmidt", "Smith", "Nguyen", "Garcia", "Rossi", "Novak", "Kowalski", "Silva", "Jansen", "Okafor", "Haddad", "Ivanova", "Sato")
_TEXT = "the parcel never came and nobody answers when I call, could you please have a look at it and tell me what I should do now " * 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with one account or more."""

    number: int
    name: str

    @property
    def mail(self) -> str:
        return f"person{self.number}@mail.example.org"


class Load:
    """Makes the stream."""

    def __init__(self, *, seed: int = 1) -> None:
        self._random = random.Random(seed)  # made-up people, not secrets
        self._given = [name.partition(" ")[0].title() for name in lines("given_names")]
        self._people: list[Person] = []
        self._accounts: list[tuple[str, dict[str, Any]]] = []  # channel, author's fields
        self._said = 0
        self._revisable: dict[int, tuple[str, dict[str, Any]]] = {}

    def slices(self, count: int, size: int, *, standings: bool) -> Iterator[list[StoredRecord]]:
        """Yield slices of so many items; with ``standings`` each account in one also gets a new version of its standing."""
        for _ in range(count):
            spoken: dict[str, None] = {}
            records = []
            for _ in range(size):
                record, author_key = self._record()
                records.append(record)
                spoken[author_key] = None
            if standings:
                records += [record_of(standing(key, tier="member", version=self._said)) for key in spoken]
            yield records

    def _record(self) -> tuple[StoredRecord, str]:
        draw = self._random
        if self._revisable and draw.random() < REVISED_SHARE:
            number = draw.choice(list(self._revisable))
            channel, author = self._revisable.pop(number)
            told = item(f"i{number}", at=number, channel=channel, revision=2, text=f"{_TEXT} (edited)", **author)
            return triaged(told), told.author_key
        self._said += 1
        channel, author = self._speaker()
        if self._said % 30 == 0:
            self._revisable[self._said] = (channel, author)
        told = item(f"i{self._said}", at=self._said, channel=channel, text=_TEXT, **author)
        return triaged(told), told.author_key

    def _speaker(self) -> tuple[str, dict[str, Any]]:
        draw = self._random
        if self._accounts and draw.random() > NEW_SHARE:
            return self._accounts[int(len(self._accounts) * draw.random() ** 2)]
        number = len(self._accounts)
        second = bool(self._people) and draw.random() < SECOND_ACCOUNT_SHARE
        person = draw.choice(self._people) if second else self._newcomer()
        author: dict[str, Any] = {"id": f"u{number}", "handle": f"{person.name.split()[0].lower()}_{number}", "name": person.name}
        if second or draw.random() < MAIL_SHARE:
            author["mail"] = person.mail
        elif draw.random() < CLAIMED_SHARE:
            author["email"] = draw.choice(self._people).mail if draw.random() < 0.5 else person.mail
        if draw.random() < HOUSEHOLD_SHARE:
            author["phone"] = f"+49301{person.number // HOUSEHOLD:07d}"
        elif draw.random() < SWITCHBOARD_SHARE:
            author["phone"] = f"+4989900{draw.randrange(SWITCHBOARDS):04d}"
        self._accounts.append((draw.choice(_CHANNELS), author))
        return self._accounts[-1]

    def _newcomer(self) -> Person:
        draw = self._random
        person = Person(len(self._people), f"{draw.choice(self._given)} {draw.choice(_SURNAMES)}")
        self._people.append(person)
        return person
