"""Made-up items for the benchmark: a community of realistic shape, encoded before anything is measured.

Owns the shape of the load. About 442 bytes an item; a fifth of the items are by authors never seen before, a fifth reply to an earlier
item, a twentieth are a brand's; words are drawn at random, so that no cache of ours sees the same text twice.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

ITEM_BYTES = 442
NEW_AUTHOR_SHARE = 0.2
REPLY_SHARE = 0.2
BRAND_SHARE = 0.05
MAIL_SHARE = 0.1
_WORDS = (
    "the my your order app phone line bill support again today never always please help thanks broken great love hate waiting since update "
    "crash login payment delivery late refund missing button slow dark mode would be nice if you add option how do I where is when "
    "does it work does not cannot after last version screen freezes charged twice account locked email password reset call hours "
    "nobody answers really good service quick friendly staff disappointed expected better idea feature wish export calendar share map"
).split()
_CHANNELS = ("twitter", "forum", "reviews", "mail", "reddit")
_KINDS = ("post", "mention", "question", "review", "idea")


class Load:
    """Makes batches; the same seed makes the same items."""

    def __init__(self, *, seed: int = 1, prefix: str = "b") -> None:
        self._random = random.Random(seed)  # noqa: S311  # made-up items, not secrets
        self._prefix = prefix
        self._made = 0
        self._authors: list[dict[str, object]] = []
        self._recent: list[tuple[str, str]] = []
        self._encoder = msgspec.json.Encoder()

    def batches(self, count: int, size: int) -> Iterator[tuple[bytes, str]]:
        """Yield ``count`` bodies for the batch door with ``size`` items each, and the external id of each one's last item."""
        for _ in range(count):
            items = [self.item() for _ in range(size)]
            yield self._encoder.encode({"items": items}), str(items[-1]["external_id"])

    def single(self) -> bytes:
        """Return the body of one item."""
        return self._encoder.encode(self.item())

    def item(self) -> dict[str, object]:
        """Return the next item."""
        draw = self._random
        self._made += 1
        external_id = f"{self._prefix}{self._made}"
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
        number = len(self._authors)
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
        words = self._random.choices(_WORDS, k=max(length // 5, 4))
        words.insert(len(words) // 2, f"{self._random.randrange(10**6)}")
        return " ".join(words)[: max(length, 20)].strip()
