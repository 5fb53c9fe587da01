"""What the levels of a pair amount to, taken together: named alike, here, at one door, of one household.

Owns those judgements of many pairs at a time. Must not weigh them. `found` has one array of levels a field.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .levels import Levels
from .tables import Level

HEIR = 0.1  # one name and births far apart: parent and child, or one person whose birth was mistaken


def is_roughly_enough(found: dict[str, Levels]) -> NDArray[np.bool_]:
    """Whether so much agrees as is enough where nobody's relatives are about: a birth or a street, in part or with nothing beside it that
    plainly differs, or a name and a postcode.
    """
    unlike = (found["given"] == Level.DIFFERENT) & (found["postcode"] != Level.EXACT)
    street = (found["street"] == Level.ROUGH) & (found["postcode"] != Level.DIFFERENT) & ~unlike
    birth = is_here(found) & (found["birth"] == Level.ROUGH) & (found["postcode"] != Level.DIFFERENT)  # one year and town: namesakes
    named = is_named(found) & (found["postcode"] == Level.EXACT)
    return np.asarray(street | birth | named | (np.maximum(found["birth"], found["street"]) >= Level.CLOSE))


def is_named(found: dict[str, Levels]) -> NDArray[np.bool_]:
    """Whether both names agree."""
    return np.asarray((found["given"] >= Level.CLOSE) & (found["family"] >= Level.CLOSE))


def is_one(level: Levels) -> NDArray[np.bool_]:
    """Whether two agree but for a slip: a part of a birth or of a street is ALIAS and not enough."""
    return np.asarray((level == Level.CLOSE) | (level == Level.EXACT))


def is_here(found: dict[str, Levels]) -> NDArray[np.bool_]:
    """Whether a town or a postcode agrees."""
    return np.asarray((found["city"] >= Level.CLOSE) | (found["postcode"] >= Level.CLOSE))


def are_born_apart(found: dict[str, Levels]) -> NDArray[np.bool_]:
    """Whether two are of one full name and plainly not of one birth: parent and child, as a rule."""
    return np.asarray((found["given"] == Level.EXACT) & (found["family"] == Level.EXACT) & (found["birth"] == Level.DIFFERENT))


def lives_together(found: dict[str, Levels]) -> NDArray[np.float32]:
    """How plainly a pair is of two people who share something: a household, or an office.

    Another given name and birth, or one name and births far apart, at one address or on one phone or mail; or quite another
    name on one phone or mail.
    """
    contact = found["contact"] == Level.EXACT
    here = (found["street"] >= Level.CLOSE) & is_here(found)
    apart = found["birth"] == Level.DIFFERENT
    others = (found["family"] >= Level.CLOSE) & (found["given"] == Level.DIFFERENT)
    colleagues = contact & (found["family"] == Level.DIFFERENT) & (found["given"] == Level.DIFFERENT)
    unlike = found["birth"] <= Level.DIFFERENT
    plainly = others & (here & apart | contact & unlike) | colleagues & unlike
    return np.where(plainly, 1.0, np.where(are_born_apart(found) & (here | contact), HEIR, 0.0)).astype(np.float32)
