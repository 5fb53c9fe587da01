"""The shipped judge on plain cases: what is meant, how it is said, how grave it is."""

import threading
from dataclasses import FrozenInstanceError, replace

import pytest

from earshot_triage.judgement import Judge, tables
from earshot_triage.judgement.features import Ints
from earshot_triage.judgement.verdict import INTENTS, SENTIMENTS, Judgement


@pytest.mark.capability("T1")
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("The app crashes every time I open it, please fix", "bug"),
        ("Please add a dark mode, it would be nice to have the option", "idea"),
        ("How do I change the address on my order?", "question"),
        ("I love this app, thank you so much!", "praise"),
        ("@JetBlue you lost my bag and nobody answers, worst service ever", "complaint"),
        ("Crash on startup\n\nSteps to reproduce:\n1. open\n2. crash\n\nExpected: no crash", "bug"),
    ],
)
def test_leading_intent(judge: Judge, text: str, intent: str) -> None:
    said = judge.judge([text])[0]
    assert said.intent == intent
    assert set(said.intents) == set(INTENTS)
    assert said.intents[intent] == max(said.intents.values())


@pytest.mark.capability("T2")
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I am so happy with this, wonderful!", "positive"),
        ("This is terrible, I am so disappointed", "negative"),
        ("The store opens on Monday at nine", "neutral"),
    ],
)
def test_sentiment(judge: Judge, text: str, label: str) -> None:
    said = judge.judge([text])[0]
    assert said.sentiment_label == label
    assert set(said.sentiment_probabilities) == set(SENTIMENTS)
    assert sum(said.sentiment_probabilities.values()) == pytest.approx(1, abs=0.01)
    assert -1 <= said.sentiment <= 1


@pytest.mark.capability("T3")
def test_conduct_is_apart_from_sentiment(judge: Judge) -> None:
    disaster = judge.judge(["Dear team, sadly my order arrived broken for the third time. Could you help me, please?"])[0]
    insult = judge.judge(["Great game you stupid bitch, you fucking idiots finally did it"])[0]
    assert disaster.conduct == "ok"
    assert disaster.severity >= 2
    assert insult.conduct == "abusive"


@pytest.mark.capability("G7")
def test_anger_alone_is_no_misconduct_and_misconduct_names_its_ground(judge: Judge) -> None:
    angry = judge.judge(["This is the worst company ever, three weeks and no reply. Unacceptable!"])[0]
    assert angry.conduct == "ok"
    insult = judge.judge(["you are a bunch of fucking idiots"])[0]
    assert insult.conduct == "abusive"
    assert any("abusive" in reason for reason in insult.reasons)


@pytest.mark.parametrize("text", ["Click here to earn $500 from home, 100% guaranteed", "Buy cheap pills http://x.y", "cheap meds here"])
def test_spam(judge: Judge, text: str) -> None:
    assert judge.judge([text])[0].conduct == "spam"


def test_an_insult_that_sells_is_an_insult(judge: Judge) -> None:
    assert judge.judge(["follow me you stupid bitch, you fucking idiots"])[0].conduct == "abusive"


@pytest.mark.parametrize("text", ["ok", "Ok", "k", "Test", "why", "See you", "Update", "the", "Hi", "yes"])
def test_what_says_next_to_nothing_is_neither_complaint_nor_strongly_felt(judge: Judge, text: str) -> None:
    said = judge.judge([text])[0]
    assert said.intents["complaint"] < 0.5
    assert said.intent in ("other", "praise") or said.confidence < 0.7
    assert abs(said.sentiment) < 0.6
    assert said.conduct != "abusive"


@pytest.mark.parametrize(("text", "tone"), [("Terrible", "negative"), ("awful", "negative"), ("great", "positive"), ("Thanks", "positive")])
def test_a_word_that_says_much_is_heard_alone(judge: Judge, text: str, tone: str) -> None:
    assert judge.judge([text])[0].sentiment_label == tone


@pytest.mark.parametrize(
    "text",
    [
        "Wo finde ich die Rechnung?",
        "Wann kommt die Lieferung an?",
        "Bitte die Rechnung an meine neue Adresse senden",
        "Guten Morgen, wie sind Ihre Öffnungszeiten?",
        "¿Dónde está mi factura?",
        "Où est ma facture ?",
        "Quais são os horários?",
    ],
)
def test_a_plain_question_in_a_language_nobody_taught_is_neutral_and_for_a_person(judge: Judge, text: str) -> None:
    """“die” is an article in German."""
    said = judge.judge([text])[0]
    assert said.sentiment_label == "neutral"
    assert abs(said.sentiment) <= 0.25
    assert said.conduct == "ok"
    assert said.intents["complaint"] <= 0.25
    assert said.needs_person


def test_a_declared_language_counts_where_the_text_does_not_tell(judge: Judge) -> None:
    text = "Adresse falsch, die Tür"
    plain, declared = judge.judge([text, text], languages=[None, "de"])
    assert plain.language == "unknown"
    assert abs(declared.sentiment) <= 0.25
    english = "This is terrible, I am so disappointed"
    assert judge.judge([english], languages=["de"])[0].sentiment == judge.judge([english])[0].sentiment


@pytest.mark.capability("G8")
def test_severity_does_not_depend_on_manners(judge: Judge) -> None:
    kind = judge.judge(["Hello, the battery caught fire while charging. Kind regards"])[0]
    rude = judge.judge(["the damn battery caught fire while charging, you clowns"])[0]
    assert kind.severity == rude.severity == 4
    assert any("fire" in reason for reason in kind.reasons)


@pytest.mark.parametrize("text", ["", "https://t.co/abc", "pic.twitter.com/xyz", "@you", "\u200b"])
def test_what_holds_nothing_says_so_and_asks_a_person(judge: Judge, text: str) -> None:
    said = judge.judge([text])[0]
    assert (said.intent, said.intents["other"], sum(said.intents.values()), said.confidence) == ("other", 1.0, 1.0, 0.0)
    assert said.needs_person
    assert said.reasons == ("nothing to judge: no words",)


def test_reasons_name_words_and_version(judge: Judge) -> None:
    said = judge.judge(["The app crashes every time"])[0]
    assert "crashes" in said.reasons[0]
    assert said.model_version == judge.version


def test_a_declared_language_is_kept(judge: Judge) -> None:
    assert judge.judge(["ok"], languages=["sv"])[0].language == "sv"


@pytest.mark.parametrize(
    "text",
    [
        "I am gay",
        "I am a black woman and I love your shop",
        "my muslim friend asked when you open",
        "as a deaf customer I need captions",
        "y'all been real good to me",
        "ion know why it keep loggin me out",
        "my name is Mohammed and I ordered a phone",
        "my name is Emily and I ordered a phone",
        "Lakisha ordered two shirts",
        "not bad at all",
    ],
)
def test_plain_words_of_any_group_are_not_abuse(judge: Judge, text: str) -> None:
    assert judge.judge([text])[0].conduct == "ok"


def test_negation_turns_the_tone(judge: Judge) -> None:
    good, not_good = judge.judge(["the service is good", "the service is not good"])
    assert not_good.sentiment < good.sentiment


def test_names_do_not_change_the_answer_much(judge: Judge) -> None:
    said = judge.judge([f"{name} still waits for the refund" for name in ("Emily", "Lakisha", "Mohammed", "Wei", "Olga")])
    tones = [item.sentiment for item in said]
    assert max(tones) - min(tones) < 0.5
    assert len({item.conduct for item in said}) == 1


@pytest.mark.parametrize("room", [8, 60])
def test_answers_do_not_depend_on_the_strange_words_met_before(judge: Judge, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"my zyx{number}qq plan{number} is sooooo{'o' * (number % 5)} brok{number}en, Frob{number}!" for number in range(30)]
    expected = judge.judge(texts)
    monkeypatch.setattr(tables, "ROOM", room)
    forgetful = Judge.load()
    for size in (1, 7, 30):
        found = [said for start in range(0, 30, size) for said in forgetful.judge(texts[start : start + size])]
        assert found == expected


def test_a_token_that_ends_in_a_quote_does_not_answer_for_the_one_without() -> None:
    before, after = Judge.load(), Judge.load()
    after.judge(["they called it '1234' and '@user' twice"])
    text = ["error 1234 for @user"]
    assert after.judge(text) == before.judge(text)


def test_a_judgement_is_frozen_and_whole(judge: Judge) -> None:
    said = judge.judge(["The app crashes"])[0]
    assert type(said) is Judgement
    assert replace(said, intent="idea").intents == said.intents
    with pytest.raises(FrozenInstanceError):
        said.intent = "idea"  # type: ignore[misc]  # the very thing under test


def test_a_memory_that_another_thread_replaced_forgets_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a reader's look-up and its turn, somebody else fills the memory and begins a new one."""
    monkeypatch.setattr(tables, "ROOM", 20)
    judge = Judge.load()
    text = "qqzzword said nothing of newwzz words"
    expected = Judge.load().judge([text])
    judge.judge(["qqzzword"])
    scorer = judge._scorer
    looked = threading.Event()
    recall = scorer._recalled.memory.recall

    def recall_and_tell(tokens: list[str]) -> Ints:
        found = recall(tokens)
        looked.set()
        return found

    monkeypatch.setattr(scorer._recalled.memory, "recall", recall_and_tell)
    with scorer._lock:
        reader = threading.Thread(target=lambda: answers.extend(judge.judge([text])))
        answers: list[Judgement] = []
        reader.start()
        assert looked.wait(timeout=30)
        scorer._recalled = scorer._anew(20)
    reader.join(timeout=30)
    assert answers == expected
