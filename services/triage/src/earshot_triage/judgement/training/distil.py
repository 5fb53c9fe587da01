"""Teaching the vectors of words to point where a large model points.

Owns the fit of the shipped vectors (`judgement/word_senses/`): a text's vectors are to add up to where MiniLM has the whole text. Must not
use labels. The same texts and directions give the same bytes on one machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from earshot_triage.judgement.features import Floats, read
from earshot_triage.judgement.semantic import WIDTH as WIDTH_OF_MEANING
from earshot_triage.judgement.semantic import Encoder, meanings_as_floats
from earshot_triage.judgement.tables import ModelError
from earshot_triage.judgement.text import canonical, clean, raw_tokens
from earshot_triage.judgement.training import corpora
from earshot_triage.judgement.training.build import Say, silent

WIDTH: Final = 128
TOGETHER: Final = 32
LEAST: Final = 3
"""A word must stand in so many texts, unless the large model knows it as a whole."""
PULL: Final = 1.0
"""How strongly a word is held where it points when it stands alone; the fewer texts it is in, the more that tells."""
ALONE: Final = 0.5
"""How far a word reaches when it stands alone."""
ROUNDS: Final = 25
COMMONEST: Final = 0.05
"""The least rarity: words that stand in nearly every text still tell a little."""
LOUDEST: Final = 99.9
"""So many hundredths of all numbers fit a byte; the few that are larger are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """W words and their vectors (W x WIDTH), weighed by rarity."""

    words: list[str]
    vectors: NDArray[np.int8]

    def save(self, folder: Path) -> None:
        """Write the folder that `senses.Senses.load` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "words.txt").write_text("\n".join(self.words), encoding="utf-8")
        np.save(folder / "vectors.npy", self.vectors)


def words_of(text: str) -> list[str]:
    """Return the distinct words of a text in their common form; accounts of people are none."""
    return list(dict.fromkeys(word for token in read(text).written if (word := canonical(token))[0] != "@"))


def known_words(encoder: Encoder) -> list[str]:
    """Return the words that the large model knows as a whole."""
    return [piece for piece in encoder.words if raw_tokens(piece) == [piece] and canonical(piece) == piece and piece[0] != "@"]


def teach(data: Path, encoder: Encoder, *, say: Say = silent) -> Distilled:
    """Return vectors taught by all texts of the sets in a data folder that may teach; their labels are not used."""
    texts = [example.text for example in corpora.load(data)]
    if not texts:
        raise ModelError(f"no set that may teach lies in {data}; each is a folder NAME with a dev.jsonl")
    known = known_words(encoder)
    say(f"looking at {len(texts)} texts and {len(known)} words, about {(len(texts) + len(known)) // 6_000} minutes")
    order = sorted(range(len(texts)), key=lambda row: (len(texts[row]), row))
    told = np.zeros((len(texts), WIDTH_OF_MEANING), dtype=np.float32)
    told[order] = meanings_as_floats(encoder.meanings([clean(texts[row]) for row in order], together=TOGETHER))
    return distil(texts, told, known, meanings_as_floats(encoder.meanings(known, together=TOGETHER)))


def distil(texts: Sequence[str], told: Floats, known: Sequence[str], alone: Floats) -> Distilled:
    """Return vectors such that those of a text add up to where the large model has it.

    `told`: where each text lies (N x any width); `known`: words, and where each lies `alone` (as wide).
    """
    read_words = [words_of(text) for text in texts]
    counts = Counter(word for words in read_words for word in words)
    words = sorted({word for word, count in counts.items() if count >= LEAST} | set(known), key=lambda word: (-counts[word], word))
    rarity = np.array([max(COMMONEST, np.log(len(texts) / (1 + counts[word]))) for word in words], dtype=np.float32)
    middle = told.mean(axis=0)
    away = told - middle
    axes = np.linalg.eigh(away.T @ away)[1][:, ::-1][:, :WIDTH].astype(np.float32)
    start = np.zeros((len(words), WIDTH), dtype=np.float32)
    places = {word: row for row, word in enumerate(words)}
    start[[places[word] for word in known]] = ALONE * ((alone - alone.mean(axis=0)) @ axes)
    vectors = _fit(_matrix(read_words, places, rarity), (away @ axes).astype(np.float32), start)
    weighed = vectors * rarity[:, None]
    step = np.percentile(np.abs(weighed), LOUDEST) / 127
    return Distilled(words=words, vectors=np.clip(np.rint(weighed / step), -127, 127).astype(np.int8))


def _matrix(texts: Sequence[Sequence[str]], places: dict[str, int], rarity: Floats) -> csr_array:
    rows = [[places[word] for word in words if word in places] for words in texts]
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.array([place for row in rows for place in row], dtype=np.int64)
    matrix = csr_array((rarity[columns], columns, ends), shape=(len(texts), len(places)))
    lengths = np.sqrt(np.maximum(matrix.multiply(matrix).sum(axis=1), 1e-6)).astype(np.float32)
    return csr_array(diags_array(1 / lengths) @ matrix).astype(np.float32)


def _fit(matrix: csr_array, wanted: Floats, start: Floats) -> Floats:
    """Return the vectors that miss `wanted` least and stay near `start`: conjugate gradients, all columns at once."""
    across = matrix.T.tocsr()
    found = start.copy()
    rest = across @ (wanted - matrix @ found)
    way = rest.copy()
    size = (rest * rest).sum(axis=0)
    for _ in range(ROUNDS):
        bent = across @ (matrix @ way) + PULL * way
        step = size / ((way * bent).sum(axis=0) + 1e-12)
        found += step * way
        rest -= step * bent
        before, size = size, (rest * rest).sum(axis=0)
        way = rest + (size / (before + 1e-12)) * way
    return found
