"""A person asked to be forgotten: nothing of them stays, nothing older comes back, what they say later is new."""

import pytest

from earshot_shared.topics import Topic
from support.recognition import RecognitionUnderTest, record_of, said


async def a_story(recognition: RecognitionUnderTest) -> None:
    await recognition.fold(said("q0", "bea", kind="question"), said("a0", "ann", at=1, to="q0", handle="annie"))
    await recognition.fold(said("h", "@annie", at=2), said("q1", "cleo", at=2, kind="question"), said("a1", "ann", at=3, to="q1"))
    kept = {"idempotency-key": "k"}
    await recognition.do("/v1/members/forum:ann/badges", {"badge": "ambassador", "reason": "Ann was kind"}, headers=kept)


async def everything(recognition: RecognitionUnderTest) -> str:
    return repr(await recognition.rows())


@pytest.mark.capability("G14")
async def test_an_erasure_reaches_every_table_and_answers_with_counts(recognition: RecognitionUnderTest) -> None:
    await a_story(recognition)
    assert "annie" in await everything(recognition)
    await recognition.fold_records(Topic.ERASURE_REQUESTED, [recognition.erasure("forum:ann", "forum:@annie", at=60 * 24 * 9999)])
    left = await everything(recognition)
    assert "ann" not in left.lower()
    assert "Ann" not in left
    await recognition.get("/v1/members/forum:ann", status=404)
    assert (await recognition.get("/v1/advocates"))["items"] == []
    assert await recognition.standing("forum:ann") is None
    assert await recognition.standing("forum:@annie") is None
    (receipt,) = await recognition.told(Topic.ERASURE_DONE)
    assert receipt == {"erasure_id": "e1", "service": "recognition", "counts": {"items": 3, "accounts": 2, "acts": 1}}
    assert [message.value for message in await recognition.said(Topic.ACTION_TAKEN)][-1] is None
    bea = await recognition.get("/v1/members/forum:bea")
    assert bea["points"]["active"] == 1


async def test_what_is_older_never_comes_back_and_what_is_later_is_new(recognition: RecognitionUnderTest) -> None:
    await a_story(recognition)
    await recognition.fold_records(Topic.ERASURE_REQUESTED, [recognition.erasure("forum:ann", at=10)])
    await recognition.fold(said("a1", "ann", at=3, to="q1"), version=7)
    await recognition.fold(said("older", "ann", at=4))
    await recognition.get("/v1/members/forum:ann", status=404)
    await recognition.fold(said("later", "ann", at=11))
    assert (await recognition.get("/v1/members/forum:ann"))["points"]["active"] == 1


async def test_a_rebuild_forgets_the_same_whatever_comes_first(recognition: RecognitionUnderTest) -> None:
    await a_story(recognition)
    erasure = recognition.erasure("forum:ann", "forum:@annie", at=60 * 24 * 9999)
    acts = [record_of(message) for message in await recognition.said(Topic.ACTION_TAKEN)]
    await recognition.fold_records(Topic.ERASURE_REQUESTED, [erasure])
    before = await recognition.rows()
    heard = [(Topic.FEEDBACK_TRIAGED, each) for each in recognition.heard]
    others = [(Topic.ERASURE_REQUESTED, erasure), *((Topic.ACTION_TAKEN, each) for each in acts)]
    for records in (heard + others, others + heard, [*heard[:3], *others, *heard[3:]]):
        await recognition.empty()
        for topic, record in records:
            await recognition.fold_records(topic, [record], replaying=True)
        assert await recognition.rows() == before
        assert await recognition.told(Topic.ERASURE_DONE) == []
