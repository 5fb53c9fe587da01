"""The weights shipped: what two records can be to each other, and how probable each level of likeness is then.

Owns the numbers alone, in plain Python: the stream reads them too. The hypotheses are one person, strangers, members of one household (who
share name, address, phone, at times a mailbox), and twins, who share the birth as well. Weighing relatives as rivals, not strangers alone,
is what keeps families apart (Fellegi and Sunter 1969 know two hypotheses).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

SHORT_NAME = 5  # of a name with fewer letters two that differ are too many for a slip
GENERATION_YEARS = 13  # two births further apart are a parent's and a child's rather than two slips


class Level(IntEnum):
    """From nothing known, over different, to equal."""

    MISSING = 0
    DIFFERENT = 1
    ROUGH = 2  # some resemblance: heavy misspelling, or chance
    CLOSE = 3  # one or two slips
    ALIAS = 4  # another form of the same: nickname, initial, how it sounds, part of it
    EXACT = 5


# The order of hypotheses in every table.
SAME, STRANGER, HOUSEHOLD, TWIN = range(4)

# Where two live says as much for one person as for one household: more that agrees must never split.
# Probability of each level (DIFFERENT, ROUGH, CLOSE, ALIAS, EXACT), one row a hypothesis. EXACT of strangers is
# replaced by how common the value is.
TABLES: dict[str, tuple[tuple[float, ...], ...]] = {
    "given": (
        (0.012, 0.035, 0.09, 0.06, 0.80),
        (0.86, 0.10, 0.015, 0.015, 0.01),
        (0.857, 0.09, 0.008, 0.015, 0.03),
        (0.90, 0.085, 0.008, 0.005, 0.002),
    ),
    "family": (
        (0.03, 0.035, 0.09, 0.03, 0.81),
        (0.88, 0.10, 0.012, 0.006, 0.002),
        (0.22, 0.03, 0.05, 0.02, 0.68),
        (0.03, 0.03, 0.07, 0.02, 0.85),
    ),
    "birth": (
        (0.015, 0.03, 0.06, 0.06, 0.835),
        (0.925, 0.035, 0.005, 0.034, 0.0001),
        (0.93, 0.03, 0.005, 0.034, 0.0005),
        (0.005, 0.015, 0.05, 0.03, 0.90),
    ),
    "street": (
        (0.17, 0.05, 0.12, 0.08, 0.58),
        (0.955, 0.04, 0.0005, 0.004, 0.0003),
        (0.17, 0.05, 0.12, 0.08, 0.58),
        (0.17, 0.05, 0.12, 0.08, 0.58),
    ),
    "city": (
        (0.13, 0.04, 0.12, 0.01, 0.70),
        (0.90, 0.08, 0.003, 0.001, 0.02),
        (0.13, 0.04, 0.12, 0.01, 0.70),
        (0.13, 0.04, 0.12, 0.01, 0.70),
    ),
    "postcode": (
        (0.10, 0.05, 0.09, 0.01, 0.75),
        (0.86, 0.12, 0.02, 0.001, 0.003),
        (0.10, 0.05, 0.09, 0.01, 0.75),
        (0.10, 0.05, 0.09, 0.01, 0.75),
    ),
    "email": (
        (0.24, 0.04, 0.08, 0.06, 0.58),
        (0.998, 0.0015, 0.0001, 0.0003, 1e-7),
        (0.90, 0.015, 0.004, 0.001, 0.08),
        (0.90, 0.015, 0.004, 0.001, 0.08),
    ),
    "phone": (
        (0.27, 0.001, 0.03, 0.001, 0.70),
        (0.9989, 0.001, 0.0001, 0.0001, 1e-6),
        (0.60, 0.001, 0.004, 0.001, 0.394),
        (0.55, 0.001, 0.004, 0.001, 0.444),
    ),
    "handle": (
        (0.16, 0.02, 0.08, 0.001, 0.74),
        (0.9974, 0.0015, 0.0005, 0.0001, 1e-6),
        (0.9887, 0.006, 0.004, 0.001, 0.0003),
        (0.9887, 0.006, 0.004, 0.001, 0.0003),
    ),
    "generation": (
        (0.002, 0.02, 0.01, 0.01, 0.958),
        (0.5, 0.02, 0.01, 0.01, 0.46),
        (0.8, 0.02, 0.01, 0.01, 0.16),
        (0.5, 0.02, 0.01, 0.01, 0.46),
    ),
    "region": (
        (0.12, 0.01, 0.01, 0.01, 0.85),
        (0.76, 0.01, 0.01, 0.01, 0.21),
        (0.12, 0.01, 0.01, 0.01, 0.85),
        (0.12, 0.01, 0.01, 0.01, 0.85),
    ),
    "country": (
        (0.05, 0.01, 0.01, 0.01, 0.92),
        (0.48, 0.01, 0.005, 0.005, 0.5),
        (0.05, 0.01, 0.01, 0.01, 0.92),
        (0.05, 0.01, 0.01, 0.01, 0.92),
    ),
}
# How many of each a record has among the others, on average; strangers are all the rest.
EXPECTED_SAME = 0.3
EXPECTED_HOUSEHOLD, EXPECTED_TWINS = 1.0, 0.02  # in a file with families
NO_FAMILIES = 0.003  # the factor on both in a file that shows none
DOUBT = 4.0  # the factor on strangers there: where one thing shared tells relatives apart, no one weak thing may join strangers
SHARED_UNSEEN = 0.2  # how much rarer a household's mailbox is when the file knows one name beside it, at most
SHARED_SEEN = {
    "email": 10.0,
    "phone": 3.0,
}  # how much likelier others are on it when the file shows SEVERAL different given names beside it
SEVERAL = 3
NAMED_AFTER = 3.0  # how much likelier one household shares a given name when the births are far apart: parent and child
PRIOR_PAIRS = 200.0  # what the shipped rows weigh against a file's own pairs
MOST_UNLIKE = 4.0  # a file teaches at most so many times the shipped share of different names between records of one person
SMALLEST_POPULATION = 5_000  # a short file is a sample of a larger world, not a village
NAMED_LIKE_HANDLE = 0.1  # how often two who have had one handle have one name: handles are made of names, and copied with them
CROSSED = 0.03  # how often one person's given and family name stand exchanged
# Prior share of an unremarkable value, and how many observations the prior is worth.
COMMONNESS = {
    "given": (0.002, 1000.0),
    "family": (0.0005, 1000.0),
    "birth": (1 / 22_000, 3000.0),
    "city": (0.004, 300.0),
}
COMMONNESS |= {"postcode": (0.0006, 1000.0), "street": (0.00004, 2000.0), "region": (0.1, 50.0)}


def is_row(name: str, row: Sequence[float]) -> bool:
    """Whether these are probabilities of DIFFERENT, ROUGH, CLOSE, ALIAS, EXACT of a known field."""
    return name in TABLES and len(row) == 5 and min(row) > 0 and 0.99 < sum(row) < 1.01
