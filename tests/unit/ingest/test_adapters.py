"""From records of files to items: what would make one author, or one item, of many is refused in words."""

from typing import Any

import pytest

from earshot_ingest.importing.adapters import BadRecordError, adapt_conversation, adapt_row, adapt_tweet

MESSAGE = {
    "conversation_id": "c", "message_id": 7, "author": "ada", "author_is_brand": False, "brand": "Acme", "in_reply_to": None,
    "created_at": "2026-05-01T10:00:00Z", "text": "hello",
}  # fmt: skip
TWEET = {
    "tweet_id": "7", "author_id": "115712", "inbound": "True", "created_at": "Tue Oct 31 22:10:47 +0000 2017", "text": "@acme hello",
    "in_response_to_tweet_id": "",
}  # fmt: skip
ROW = {"external_id": "1", "channel": "reviews", "author.id": "a", "text": "t", "occurred_at": "2026-05-01T10:00:00Z"}


def test_numbers_are_ids_as_well() -> None:
    assert adapt_conversation(MESSAGE, "s")["external_id"] == "7"
    assert adapt_tweet(TWEET, "s")["author"] == {"handle": "115712", "on_behalf_of_brand": False}
    assert adapt_tweet({**TWEET, "inbound": "False"}, "s")["brand"] == "115712"


@pytest.mark.parametrize(
    "change",
    [{"author": None}, {"author": ""}, {"author": ["a"]}, {"message_id": None}, {"message_id": True}, {"author_is_brand": "yes"}],
)
def test_messages_without_an_id_or_a_side_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadRecordError):
        adapt_conversation({**MESSAGE, **change}, "s")


@pytest.mark.parametrize("change", [{"author_id": ""}, {"tweet_id": " "}, {"inbound": ""}, {"inbound": "maybe"}])
def test_tweets_without_an_id_or_a_side_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadRecordError):
        adapt_tweet({**TWEET, **change}, "s")


@pytest.mark.parametrize("change", [{"author.followers": text} for text in ("inf", "nan", "2.5", "-1", "many")])
@pytest.mark.parametrize("more", [{}, {"rating": "3"}])
def test_followers_are_a_count(change: dict[str, Any], more: dict[str, Any]) -> None:
    with pytest.raises(BadRecordError, match="followers"):
        adapt_row({**ROW, **more, **change}, "s")


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "four"])
def test_ratings_are_numbers(text: str) -> None:
    with pytest.raises(BadRecordError, match="rating"):
        adapt_row({**ROW, "rating": text}, "s")
