"""Made-up items for the benchmark: a community of realistic shape, encoded before anything is measured.

Owns the shape of the load. About 442 bytes an item; a fifth of the items are by authors never seen before, a fifth reply to an earlier
item, a twentieth are a brand's. Each item speaks of one matter (a complaint, a fault, a question, a wish, praise, small talk), as people
do; the words are drawn at random and carry a number, so that no text comes twice.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

ITEM_BYTES = 442
NEW_AUTHOR_SHARE = 0.2
REPLY_SHARE = 0.2
BRAND_SHARE = 0.05
MAIL_SHARE = 0.1
ROUND_ITEMS = 60_000
_ROUND_MARK: Final = "~round~"  # stands in every id of a round, until the round is given out under a number of its own

_MATTERS: Final[tuple[tuple[str, float, tuple[str, ...]], ...]] = (
    ("small talk", 0.3, ("good morning everybody", "see you at the meeting", "we were there last night", "the weather was fine",
                         "have a nice day", "my brother told me about it",
                         "on the train to work", "that was a long week", "just saw the news about them")),
    ("praise", 0.15, ("love the new version", "great service and friendly staff", "thank you so much", "works really well", "well done",
                      "the best phone I ever had", "quick delivery and nice packing", "you made my day")),
    ("question", 0.15, ("how do I change my plan", "where can I find the form", "does it work with two accounts", "when will it be back",
                        "can somebody tell me which one to take", "is there a way to see older orders", "what does the yellow light mean")),
    ("complaint", 0.2, ("nobody answers my mails", "still waiting for the refund", "I was charged twice", "the parcel never came",
                        "two hours on hold and no help", "this is the worst support ever", "very disappointed with the order")),
    ("fault", 0.12, ("the app crashes at login", "the screen freezes after the update", "the password reset fails with an error",
                     "sync stopped working since yesterday", "the button does nothing", "it shows a blank page on my tablet")),
    ("wish", 0.08, ("it would be nice to have a dark mode", "please add an export of the calendar", "I wish the map showed shops",
                    "an option to share lists would help", "could you support two languages")),
)  # fmt: skip
_FILLERS: Final = "and also because while then today again with my family at home in the evening for a week or so as always".split()
_CHANNELS = ("twitter", "forum", "reviews", "mail", "reddit")
_KINDS = ("post", "mention", "question", "review", "idea")


class Load:
    """Makes batches; the same seed makes the same items."""

    def __init__(self, *, seed: int = 1, prefix: str = "b") -> None:
        self._random = random.Random(seed)  # noqa: S311  # made-up items, not secrets
        self._prefix = prefix
        self._made = 0
        self._rounds = 0
        self._mark = ""
        self._authors: list[dict[str, object]] = []
        self._recent: list[tuple[str, str]] = []
        self._encoder = msgspec.json.Encoder()

    def batches(self, count: int, size: int) -> Iterator[tuple[bytes, str]]:
        """Yield ``count`` bodies for the batch door with ``size`` items each, and the external id of each one's last item.

        Items are made in rounds of `ROUND_ITEMS`; the rounds after the first are the same people's doubles with ids of their own, which
        costs the maker next to nothing while something is measured.
        """
        made = self._make_round(min(count, max(1, ROUND_ITEMS // size)), size)
        for number in range(count):
            if number % len(made) == 0:
                self._rounds += 1
            mark = f"{self._rounds:07d}"
            body, last = made[number % len(made)]
            yield body.replace(_ROUND_MARK.encode(), mark.encode()), last.replace(_ROUND_MARK, mark)

    def _make_round(self, count: int, size: int) -> list[tuple[bytes, str]]:
        self._mark, self._authors, self._recent = _ROUND_MARK, [], []
        made = []
        for _ in range(count):
            items = [self.item() for _ in range(size)]
            made.append((self._encoder.encode({"items": items}), str(items[-1]["external_id"])))
        self._mark, self._authors, self._recent = "", [], []
        return made

    def single(self) -> bytes:
        """Return the body of one item."""
        return self._encoder.encode(self.item())

    def item(self) -> dict[str, object]:
        """Return the next item."""
        draw = self._random
        self._made += 1
        external_id = f"{self._prefix}{self._mark}{self._made}"
        author = self._author()
        occurred_at = datetime.now(UTC) - timedelta(seconds=draw.random())
        item: dict[str, object] = {
            "source": "bench",
            "external_id": external_id,
            "channel": author["channel"],
            "kind": draw.choice(_KINDS),
            "author": author["author"],
            "brand": f"brand{draw.randrange(20)}",
            "occurred_at": occurred_at.isoformat(),
            "url": f"https://example.com/{external_id}",
        }
        if draw.random() < REPLY_SHARE and self._recent:
            item["in_reply_to"], item["brand"] = draw.choice(self._recent)
            item["kind"] = "reply"
        if draw.random() < BRAND_SHARE:
            item["author"] = {"id": f"care-{item['brand']}", "handle": f"{item['brand']}", "on_behalf_of_brand": True}
        item["text"] = ""
        item["text"] = self._text(ITEM_BYTES - len(self._encoder.encode(item)))
        self._recent.append((external_id, str(item["brand"])))
        if len(self._recent) > 2000:
            del self._recent[:1000]
        return item

    def _author(self) -> dict[str, object]:
        draw = self._random
        if self._authors and draw.random() > NEW_AUTHOR_SHARE:
            return self._authors[int(len(self._authors) * draw.random() ** 2)]
        number = f"{self._mark}{self._made}"
        author: dict[str, object] = {
            "id": f"{self._prefix}-{number}",
            "handle": f"user_{self._prefix}_{number}",
            "name": f"Person {number}",
        }
        if draw.random() < MAIL_SHARE:
            author |= {"email": f"person{number}.{self._prefix}@example.com", "email_verified": True}
        made: dict[str, object] = {"channel": draw.choice(_CHANNELS), "author": author}
        self._authors.append(made)
        return made

    def _text(self, length: int) -> str:
        draw = self._random
        (matter,) = draw.choices(_MATTERS, [share for _, share, _ in _MATTERS])
        said = [str(draw.randrange(10**6))]
        while sum(map(len, said)) + len(said) < length:
            said += [draw.choice(matter[2]), *draw.choices(_FILLERS, k=3)]
        return " ".join(said)[: max(length, 20)].strip()
