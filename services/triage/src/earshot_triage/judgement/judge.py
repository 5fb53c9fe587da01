"""The judge: loaded once, asked often.

Owns the one door through which the pipeline and the commands ask for judgements. Must not do I/O after `load`, read a
clock or draw a random number: the same text gets the same answer, alone or in company. Safe to use from many threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.assembly import Findings, assemble
from earshot_triage.judgement.calibration import Calibration
from earshot_triage.judgement.cues import cues_of
from earshot_triage.judgement.evidence import WAYS, loudest
from earshot_triage.judgement.features import Floats, Pages, read_all
from earshot_triage.judgement.language import LETTERS, languages_of, profiles_of
from earshot_triage.judgement.learning import Corrections
from earshot_triage.judgement.panel import NEEDS, REVISION, Opinion, consult, hear_less
from earshot_triage.judgement.semantic import Encoder
from earshot_triage.judgement.tables import Scorer, Tables
from earshot_triage.judgement.taught import TaughtLabels
from earshot_triage.judgement.verdict import INTENTS, UNKNOWN_LANGUAGE, Judgement

SHIPPED: Final = Path(__file__).parent / "weights"
BATCH: Final = 256
"""Texts weighed at once: enough to make the array work cheap a text, few enough that one call stays short."""


_ASKED: Final = np.array([NEEDS.index(name) for name in INTENTS[1:4]])
_FAINT: Final = np.float32(1e-4)
_HALF: Final = np.float32(0.5)
_READ: Final = "en"
_STRANGE: Final = 0.66
"""When so large a part of its words was never taught, a text whose language nobody tells is not read: two of three."""
_FOREIGN_TRUST: Final = 0.5
"""Of the confidence so much is left in a language that nobody taught: a person is asked."""


class Judge:
    """Judges texts; `version` names rules and weights together."""

    def __init__(self, tables: Tables, taught: Sequence[TaughtLabels] = (), corrections: Corrections | None = None) -> None:
        self._scorer = Scorer(tables, cues_of, profiles_of)
        self._calibration = Calibration.of(tables.meta)
        self._panel = f"panel-{tables.meta['fingerprint']}.{REVISION}"
        self._encoder: Encoder | None = None
        self._lay(taught, corrections)

    def _lay(self, taught: Sequence[TaughtLabels], corrections: Corrections | None) -> None:
        self._taught = tuple(taught)
        self._corrections = corrections
        self.version = self._panel if corrections is None else f"{self._panel}+{corrections.version}"
        twice = self._encoder is not None
        self.label_versions = {each.name: f"{each.version}{'+2' if twice and each.has_second_look else ''}" for each in self._taught}

    @classmethod
    def load(cls, model_dir: Path | None = None) -> Self:
        """Return the judge with the weights shipped in the package, and with the labels taught in `model_dir`.

        A `model_dir` that holds a `judge` folder (written by `train` without `--labels`) replaces the shipped weights.
        Raises ModelError in words when a folder is not whole.
        """
        if model_dir is None:
            return cls(Tables.load(SHIPPED))
        return cls.untaught(model_dir).taught_by(model_dir)

    @classmethod
    def untaught(cls, model_dir: Path) -> Self:
        """Return the judge whose weights a model folder goes by, its own or the shipped ones, without labels and corrections.

        Raises ModelError in words when the weights are not whole.
        """
        own = model_dir / "judge"
        return cls(Tables.load(own if own.is_dir() else SHIPPED))

    def commonness(self, word: str) -> float:
        """Return the share of the texts that taught this judge which hold a word (0..1)."""
        return self._scorer.commonness(word)

    def consult(self, pages: Pages) -> Opinion:
        """Return the panel's opinion, as it is before anybody corrects it."""
        return consult(self._scorer.weigh(pages).scores)

    def without_corrections(self) -> Self:
        """Return the same judge as it was before anybody corrected it."""
        plain = copy(self)
        plain._lay(self._taught, None)
        return plain

    def looking_twice(self, encoder: Encoder | None = None) -> Self:
        """Return the same judge, which looks again at texts whose label is unsure, where labels were taught for that.

        Raises ModelError in words when the extra `semantic` is missing.
        """
        other = copy(self)
        other._encoder = encoder or Encoder.load()
        other._lay(self._taught, self._corrections)
        return other

    @property
    def labels_for_two_looks(self) -> list[str]:
        """The names of the labels that were taught for a second look."""
        return [labels.name for labels in self._taught if labels.has_second_look]

    def taught_by(self, model_dir: Path) -> Self:
        """Return the same weights with the labels and corrections of a folder: what is large is shared, not loaded again.

        Raises ModelError in words when a folder is not whole.
        """
        other = copy(self)
        other._lay(TaughtLabels.load_all(model_dir), Corrections.load(model_dir))
        return other

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        """Return one judgement a text, in order.

        `languages` are declared languages (ISO 639-1 or None), one a text; a declared one is kept as it is.
        Without `explain` the reasons name no evidence words, which is cheaper.
        """
        declared = languages if languages is not None else [None] * len(texts)
        if len(declared) != len(texts):
            raise ValueError("as many languages as texts are needed")
        found: list[Judgement] = []
        for start in range(0, len(texts), BATCH):
            found += self._judge_batch(texts[start : start + BATCH], declared[start : start + BATCH], explain=explain)
        return found

    def _judge_batch(self, texts: Sequence[str], languages: Sequence[str | None], *, explain: bool) -> list[Judgement]:
        pages = read_all(texts)
        weighed = self._scorer.weigh(pages)
        declared = [languages[index] for index in pages.order]
        detected = languages_of(pages.cleaned, pages.plain, weighed.extras)
        strange = self._scorer.of_strangers(weighed, LETTERS)
        foreign = _foreign(detected, declared, strange, weighed.extras[:, LETTERS])
        raw = consult(weighed.scores)
        opinion = hear_less(raw, foreign)
        intents, abuse = _intents(opinion), opinion.abuse
        if self._corrections is not None:
            intents, abuse = self._corrections.apply(pages, intents, abuse, opinion.sentiments)
        leads = intents.argmax(axis=1)
        confidence = self._calibration.confidence(opinion.kinds, intents[np.arange(len(leads)), leads])
        confidence[foreign] *= _FOREIGN_TRUST
        found = Findings(
            intents=intents,
            leads=leads,
            tones=opinion.sentiments,
            feelings=opinion.emotions,
            abuse=abuse,
            addressed=opinion.addressed,
            confidence=confidence.round(4),
            cues=np.bitwise_or.reduceat(weighed.flags, weighed.starts[:-1]),
            languages=[given or found for given, found in zip(declared, detected, strict=True)],
            labels={taught.name: taught.label(pages, raw, self._encoder) for taught in self._taught},
            words=loudest(pages, weighed, self._scorer.voices(weighed, WAYS), opinion.kinds, leads, self._scorer.known)
            if explain
            else None,
        )
        judged = assemble(pages, found, floor=self._calibration.floor, version=self.version)
        if pages.plain == len(judged):
            return judged
        return [judged[place] for place in np.argsort(pages.order).tolist()]


def _foreign(detected: Sequence[str], declared: Sequence[str | None], strange: Floats, words: Floats) -> NDArray[np.bool_]:
    """Return which texts are in a language that the judge does not read; what is declared counts where the text does not tell.

    Where neither tells, a text of whose `words` too many (`_STRANGE`) are `strange` is not read either. Shapes: N.
    """
    lost: list[bool] = (strange >= np.maximum(_STRANGE * words, 1)).tolist()
    told = [given or UNKNOWN_LANGUAGE if found == UNKNOWN_LANGUAGE else found for found, given in zip(detected, declared, strict=True)]
    return np.array(
        [language != _READ and (language != UNKNOWN_LANGUAGE or lost[place]) for place, language in enumerate(told)], dtype=np.bool_
    )


def _intents(opinion: Opinion) -> Floats:
    """Return N x 6 probabilities in the order of INTENTS.

    What is neither bug, idea nor question is praise or other; the likelier of the two takes that probability whole, so
    that the leading intent stays the panel's choice, the other its share by the odds of the tone.
    """
    needs, complaint = opinion.needs, opinion.complaint
    praise = np.maximum(opinion.sentiments[:, 2] * (1 - complaint), _FAINT)
    other = 1 - praise
    rest = needs[:, 3] / np.maximum(praise, other)
    chances = np.empty((len(rest), len(INTENTS)), dtype=np.float32)
    chances[:, 0] = complaint
    chances[:, 1:4] = needs[:, _ASKED]
    chances[:, 4] = rest * praise
    chances[:, 5] = rest * other * (1 - _HALF * complaint)
    return chances
