"""What happens in the community: threads begin, brands and members answer, people say thanks or insist, some spam and some swear.

Owns the flow of events and the truth about each. Time is a number of seconds since the beginning; ids are counted.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, Final, NamedTuple

from earshot_ingest.simulation.grammar import grammar, pick
from earshot_ingest.simulation.people import Person, make_brand_accounts, make_customers, make_staff

# How the first messages of threads are shared out: with spam and abuse about as much as care teams report.
_BEGINNINGS: Final = {
    "complaint": 0.26, "question": 0.24, "bug": 0.14, "idea": 0.08, "praise": 0.13, "other": 0.09, "spam": 0.03, "abuse": 0.02,
    "staff": 0.01,
}  # fmt: skip
_SENTIMENT: Final = {"complaint": "negative", "bug": "negative", "praise": "positive", "abuse": "negative", "thanks": "positive",
                     "unsolved": "negative"}  # fmt: skip
_OPENER: Final = {"complaint": "cross", "abuse": "cross", "praise": "glad", "spam": ""}
_INTENT: Final = {"spam": "other", "abuse": "other", "staff": "other", "help": "other", "thanks": "praise", "unsolved": "complaint",
                  "brand": "other", "vote": "other"}  # fmt: skip
_WEB: Final = {
    "twitter": "https://social.example/status/", "forum": "https://forum.example/posts/", "appstore": "https://store.example/reviews/",
}  # fmt: skip
_SIGNS: Final = ("^MK", "^AJ", "^Sue", "^TB", "- Rob", "^LN")


class Event(NamedTuple):
    """One item as ingest takes it (without ``occurred_at``), when it happens (seconds), and the truth about it."""

    at_s: float
    item: dict[str, Any]
    truth: dict[str, Any]


@dataclass(slots=True)
class _Thread:
    """A thread under way: who began it, where, about what, and what was said last."""

    person: Person
    channel: str
    topic: str
    root: str
    last: str
    turns: int = 0


class Community:
    """A community that can be watched: `events` gives what happens, the same for the same seed and settings."""

    def __init__(self, *, customers: int, seed: int, rate: float, answer_s: float = 20.0, tag: str = "s") -> None:
        """``rate``: items a second; ``answer_s``: the mean time until somebody answers; ``tag``: begins the id of every item.

        The people depend on seed and number alone: the same seed brings the same people back, with new items under another tag.
        """
        self._rng = Random(seed)  # noqa: S311  # a made-up world must be repeatable
        self._rate = rate
        self._answer_s = answer_s
        self._tag = tag
        letter = "".join(chr(ord("a") + int(digit)) for digit in str(abs(seed)))
        self.customers = make_customers(self._rng, customers, letter)
        self.brand_accounts = make_brand_accounts(letter)
        self.staff = make_staff(self._rng, letter)
        self._activity = list(accumulate(person.activity for person in self.customers))
        self._helpers = [person for person in self.customers if "forum" in person.authors and person.helpful > 0.2] or self.customers
        self._topics = list(_BEGINNINGS)
        self._topic_weights = list(accumulate(_BEGINNINGS.values()))
        self._due: list[tuple[float, int, str, _Thread]] = []
        self._count = 0
        self._scheduled = 0

    def people(self) -> list[Person]:
        """Return everybody, for the truth file."""
        return [*self.customers, *self.brand_accounts.values(), *self.staff]

    def events(self) -> Iterator[Event]:
        """Give what happens, in order of time, without end."""
        tick = 0
        while True:
            at_s = tick / self._rate
            if self._due and self._due[0][0] <= at_s:
                _, _, act, thread = heapq.heappop(self._due)
                yield self._continue(at_s, act, thread)
            else:
                yield self._begin(at_s)
            tick += 1

    def _begin(self, at_s: float) -> Event:
        rng = self._rng
        topic = rng.choices(self._topics, cum_weights=self._topic_weights)[0]
        person = pick(rng, self.staff) if topic == "staff" else rng.choices(self.customers, cum_weights=self._activity)[0]
        channel = pick(rng, list(person.authors))
        if channel == "appstore" and topic in ("complaint", "praise", "bug") and rng.random() < 0.15:
            return self._bare_rating(at_s, person, topic)
        text = self._text(person, person, topic, details=1 + int(rng.random() * 3))
        thread = _Thread(person, channel, topic, root="", last="")
        event = self._event(at_s, person, thread, text, topic, kind=_kind(channel, topic))
        if channel == "appstore":
            event.item["rating"] = {"value": _stars(rng, topic), "best": 5}
        if channel in ("appstore", "mail"):
            event.item["title"] = text.split(". ", 1)[0][:60]
        self._plan(at_s, thread)
        return event

    def _plan(self, at_s: float, thread: _Thread) -> None:
        """Decide what comes of a fresh thread."""
        rng, topic = self._rng, thread.topic
        if topic in ("complaint", "bug", "question") and rng.random() < 0.75:
            by_member = thread.channel == "forum" and rng.random() < 0.75
            self._schedule(at_s, "help" if by_member else "brand", thread)
        elif topic == "idea":
            for _ in range(int(rng.random() * 4)):
                self._schedule(at_s, "vote", thread)
            self._schedule(at_s, "brand", thread)
        elif topic == "praise" and rng.random() < 0.5:
            self._schedule(at_s, "praised", thread)

    def _continue(self, at_s: float, act: str, thread: _Thread) -> Event:
        thread.turns += 1
        if act in ("brand", "praised"):
            return self._brand_answers(at_s, act, thread)
        if act == "help":
            return self._member_helps(at_s, thread)
        if act == "vote":
            return self._vote(at_s, thread)
        text = self._text(thread.person, thread.person, act, details=1)
        event = self._event(at_s, thread.person, thread, text, act, kind="reply")
        if act == "unsolved" and thread.turns < 6:
            self._schedule(at_s, "brand", thread)
        return event

    def _brand_answers(self, at_s: float, act: str, thread: _Thread) -> Event:
        rng = self._rng
        account = self.brand_accounts[thread.person.brand.name]
        given = {"name": thread.person.given_name, "sign": pick(rng, _SIGNS)}
        part = "praised" if act == "praised" else "core"
        text = grammar(thread.person.language, account.brand.domain).say(rng, "brand", given, part=part, details=0)
        event = self._event(at_s, account, thread, text, "brand", kind="reply", language=thread.person.language)
        self._react(at_s, thread, part)
        return event

    def _member_helps(self, at_s: float, thread: _Thread) -> Event:
        rng = self._rng
        helper = pick(rng, self._helpers)
        if helper is thread.person or "forum" not in helper.authors:
            return self._brand_answers(at_s, "brand", thread)
        text = self._text(helper, thread.person, "help", details=1, language=thread.person.language)
        event = self._event(at_s, helper, thread, text, "help", kind="reply", language=thread.person.language)
        event.truth["helps"] = thread.person.person_id
        self._react(at_s, thread, "core")
        return event

    def _react(self, at_s: float, thread: _Thread, part: str) -> None:
        chance = self._rng.random()
        if part == "praised" or thread.topic == "idea" or thread.turns >= 6:
            return
        if chance < 0.35:
            self._schedule(at_s, "thanks", thread)
        elif chance < 0.6:
            self._schedule(at_s, "unsolved", thread)

    def _vote(self, at_s: float, thread: _Thread) -> Event:
        voters = self._helpers
        person = pick(self._rng, voters)
        shown = _Thread(person, thread.channel if thread.channel in person.authors else "forum", "vote", thread.root, thread.root)
        if shown.channel != thread.channel or shown.channel not in person.authors:
            return self._begin(at_s)
        return self._event(at_s, person, shown, "", "vote", kind="vote")

    def _bare_rating(self, at_s: float, person: Person, topic: str) -> Event:
        thread = _Thread(person, "appstore", "rating", root="", last="")
        event = self._event(at_s, person, thread, "", topic, kind="rating")
        event.item["rating"] = {"value": _stars(self._rng, topic), "best": 5}
        return event

    def _schedule(self, at_s: float, act: str, thread: _Thread) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (at_s + self._rng.expovariate(1 / self._answer_s), self._scheduled, act, thread))

    def _text(self, speaker: Person, about: Person, topic: str, *, details: int, language: str | None = None) -> str:
        brand = about.brand
        given = {"brand": brand.name, "account": brand.account, "name": about.given_name}
        words = grammar(language or speaker.language, brand.domain)
        return words.say(self._rng, topic, given, opener=_OPENER.get(topic, "neutral"), details=details)

    def _event(
        self, at_s: float, person: Person, thread: _Thread, text: str, topic: str, *, kind: str, language: str | None = None
    ) -> Event:
        """Put the item and its truth together, and move the thread on."""
        self._count += 1
        external_id = f"{self._tag}{self._count}"
        source = f"sim-{thread.channel}"
        brand = thread.person.brand
        item: dict[str, Any] = {
            "source": source,
            "external_id": external_id,
            "channel": thread.channel,
            "kind": kind,
            "author": person.authors[thread.channel],
            "text": text,
            "brand": brand.name,
        }
        if thread.channel in _WEB:
            item["url"] = f"{_WEB[thread.channel]}{external_id}"
        if thread.root:
            item["in_reply_to"] = thread.last if thread.channel != "forum" else thread.root
        else:
            thread.root = external_id
        if thread.channel in ("mail", "chat"):
            item["conversation"] = thread.root
        thread.last = external_id
        truth = {
            "type": "item",
            "source": source,
            "external_id": external_id,
            "person_id": person.person_id,
            "role": person.role,
            "intent": _INTENT.get(topic, topic),
            "conduct": "spam" if topic == "spam" else "abusive" if topic == "abuse" else "ok",
            "sentiment": _SENTIMENT.get(topic, "neutral"),
            "language": language or person.language,
            "brand": brand.name,
            "complaint": topic in ("complaint", "unsolved"),
            "thread": f"{source}/{thread.root}",
            "helps": None,
        }
        return Event(at_s, item, truth)


def _kind(channel: str, topic: str) -> str:
    if channel == "appstore":
        return "review"
    if channel in ("mail", "chat"):
        return "message"
    if topic in ("question", "idea"):
        return topic
    return "mention" if channel == "twitter" else "post"


def _stars(rng: Random, topic: str) -> int:
    if topic == "praise":
        return 4 + int(rng.random() * 2)
    return 1 + int(rng.random() * 2) if topic in ("complaint", "bug", "abuse") else 2 + int(rng.random() * 3)
