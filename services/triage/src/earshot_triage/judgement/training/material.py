"""Our own texts that teach beside the public sets: plain words about people, brief texts, and denials.

Owns the sentences, all written by us. Must not know heads or weights: what each kind teaches is told in `lessons`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from earshot_triage.judgement.denial import BAD, GOOD
from earshot_triage.judgement.training.corpora import Example

OWN: Final = "own material"
BRIEF: Final = "own brief texts"
DENIALS: Final = "own denials"

_PEOPLE: Final = (
    "gay", "lesbian", "trans", "queer", "bisexual", "straight", "black", "white", "asian", "latino", "mexican", "african",
    "muslim", "jewish", "christian", "hindu", "buddhist", "atheist", "deaf", "blind", "disabled", "autistic", "old", "young",
    "female", "male", "fat", "immigrant", "refugee", "woman", "man", "feminist", "liberal", "conservative", "arab", "indian",
    "chinese", "turkish", "nigerian", "irish", "polish", "american", "british", "french", "german", "russian", "israeli",
    "palestinian", "girl", "boy", "elderly", "single mother", "veteran", "native american", "sikh", "catholic",
)  # fmt: skip
_PLAIN: Final = (
    "I am a {} person and I use your app every day", "as a {} customer I would like to ask about my order",
    "my {} friend loves your service", "{} people deserve a reply too", "is your shop open to {} guests?",
    "I'm {} and proud", "our {} neighbours had the same problem", "the {} lady at the desk was very helpful",
    "do you have {} staff who can help me", "I am {}", "we are a {} family",
)  # fmt: skip
_DIALECT: Final = (
    "I been waiting on y'all since monday", "finna cancel my plan if it ain't fixed", "y'all be trippin with these fees",
    "he ain't never got no reply", "dis app be crashin all day", "ion know why it keep loggin me out", "gurl this product is everything",
    "bruh my order still ain't here", "thank you so much hun you was amazing", "aye the new update kinda slaps", "we tryna book a flight",
    "wallahi your service is good", "innit bruv the queue was long", "yo deadass the best pizza in town", "she stay helping everybody",
    "imma need a refund", "they was real nice to me", "lowkey love this game", "this phone fire no cap", "kmt where is my parcel",
)  # fmt: skip
_BRIEF: Final = {
    "neutral": (
        "ok", "okay", "k", "ok ok", "okay then", "yes", "yep", "yeah", "no", "nope", "hi", "hi there", "hello", "hey", "hey there", "hm",
        "hmm", "well", "so", "and", "the", "a", "it", "this", "that", "you", "me", "test", "testing", "test test", "1", "2", "12", "123",
        "done", "maybe", "sure", "right", "same", "here", "now", "today", "tomorrow", "monday", "see you", "bye", "goodbye", "morning",
        "evening", "my name is anna", "call me", "please call me", "invoice", "order", "order 12345", "update", "account", "delivery",
        "app", "why", "what", "how", "really", "again",
    ),
    "negative": (
        "bad", "very bad", "awful", "terrible", "horrible", "rubbish", "useless", "poor", "worst app", "disappointed", "annoying",
        "so slow",
    ),
    "positive": (
        "good", "very good", "great", "love it", "perfect", "excellent", "awesome", "nice", "thanks", "thank you", "amazing", "cool",
    ),
}  # fmt: skip
"""Of a word alone hardly anything is known but what these teach: most say next to nothing."""

_RELIEVED: Final = (
    "not bad at all", "can't complain", "cannot complain", "can't really complain", "no complaints", "no complaints at all",
    "I have no complaints", "nothing to complain about", "no problems", "no problem at all", "no problems at all", "no problems so far",
    "no issues", "no issues so far", "no issues at all", "no bugs", "no errors", "no crashes", "zero problems", "zero bugs", "zero issues",
    "nothing wrong with it", "there is nothing wrong with it", "never had a problem", "never had a problem with it",
    "never had any problems", "never had any issues", "haven't had any problems", "haven't had a single problem", "had no problems",
    "had no issues", "never crashes", "it never crashed on me", "it never crashed", "doesn't crash", "didn't crash", "hasn't crashed once",
    "never freezes", "never fails", "it has never failed me", "never failed", "never disappoints", "didn't disappoint",
    "doesn't disappoint", "never let me down", "won't let you down", "never lets me down", "not a single crash", "not one bug",
    "works without problems", "works without any problems", "works without issues", "without a hitch", "without any trouble",
    "without delay", "no delays", "no fuss", "no hassle", "no regrets", "no worries at all", "couldn't be happier", "could not be happier",
    "couldn't be better", "could not ask for more", "couldn't ask for more", "can't fault it", "can't go wrong", "can't get enough of it",
    "you won't regret it", "I don't hate it", "don't regret buying it", "never late", "never slow", "never boring",
)  # fmt: skip
_MENDED: Final = (
    "it doesn't crash anymore", "doesn't crash any more", "no longer crashes", "no longer broken", "no longer slow", "no longer a problem",
    "the bug is gone", "the problem is gone", "the error is gone", "the issue is gone", "the issue is solved", "the issue is resolved",
    "problem solved", "issue resolved", "fixed now", "it is fixed now", "all fixed now", "works again", "it works again", "working again",
    "stopped crashing", "it stopped crashing after the update", "the crash is gone", "the update fixed it", "the update fixed the crash",
    "you fixed it", "my refund arrived", "my parcel arrived after all", "never mind, it works now", "sorted now", "all sorted now",
)  # fmt: skip
_DENIED: Final = (
    "doesn't work", "didn't work", "never works", "never worked", "won't work", "not working", "not working at all", "doesn't help",
    "didn't help", "not helping", "no help", "no help at all", "no reply", "no answer", "nobody answers", "nobody helped", "never again",
    "not coming back", "not buying again", "won't buy again", "don't buy it", "don't like it", "didn't like it", "I don't like this",
    "don't recommend it", "wouldn't recommend it", "can't recommend it", "would not recommend", "can't log in", "can't use it",
    "doesn't load", "won't open", "won't stop crashing", "never stops crashing", "doesn't stop crashing", "keeps crashing",
    "can't stop it from crashing", "not only slow but broken", "not just bad, terrible", "no good", "no use", "no refund",
    "nothing works", "nothing helps", "no longer works", "doesn't work anymore", "no longer working", "it stopped working",
    "the problem is not gone", "the bug is not fixed", "the error is still there", "the update broke it", "the issue is not resolved",
    "the crash is not fixed", "the update fixed nothing", "the refund never arrived", "it is the same as before", "the same problem again",
    "still not fixed", "it is still not working", "not solved", "never arrived",
    "hasn't arrived", "could have been better", "could be better", "not happy at all", "not good at all", "couldn't be worse",
)  # fmt: skip
_PLAIN_DENIALS: Final = (
    "no", "no thanks", "no thank you", "no worries", "no problem", "not yet", "not now", "not today", "not sure", "not me", "not really",
    "why not", "no idea", "no comment", "not at the moment", "nothing", "never mind", "nothing else", "no more questions", "neither",
    "no, that was all", "not that I know of", "none", "no rush", "no hurry",
)  # fmt: skip
_AFFIRMING: Final = ("{}", "so {}")
_DENYING: Final = ("not {}", "it's not {}", "never {}")
_FRAMES: Final = ("{}", "{} so far", "honestly {}")
"""The same for all tones: words that frame what is told must not take sides."""


def plain_words() -> list[Example]:
    """Return our own sentences in which groups of people and dialects occur without any abuse, brief texts, and denials."""
    plain = [pattern.format(people) for people in _PEOPLE for pattern in _PLAIN] + list(_DIALECT)
    return [
        *(Example(corpus=OWN, kind="tweet", text=text, row={}) for text in plain),
        *(
            Example(corpus=BRIEF, kind="tweet", text=written, row={"label": label})
            for label, texts in _BRIEF.items()
            for text in texts
            for written in dict.fromkeys((text, text.capitalize()))
        ),
        *(Example(corpus=DENIALS, kind="tweet", text=text, row={"label": label}) for text, label in _denials()),
    ]


def _denials() -> Iterator[tuple[str, str]]:
    """Yield texts that deny something, with their tone: what is bad when affirmed is well when denied, and the other way round."""
    for label, words, frames in (("negative", BAD, _AFFIRMING), ("positive", BAD, _DENYING), ("negative", GOOD, _DENYING)):
        for word in words:
            for frame in frames:
                yield frame.format(word), label
    for label, texts in (("positive", _RELIEVED), ("positive", _MENDED), ("negative", _DENIED)):
        for text in texts:
            for frame in _FRAMES:
                yield frame.format(text), label
    for text in _PLAIN_DENIALS:
        yield text, "neutral"
        yield text.capitalize(), "neutral"
