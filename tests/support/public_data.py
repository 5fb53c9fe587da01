"""Finds the public evaluation sets: by the variable EARSHOT_TEST_PUBLIC_DATA, else in ``../shared/data`` beside the checkout.

Tests that need them are marked ``public_data`` and are left out, in a plain sentence, where they are not at hand.
"""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def public_data(*parts: str) -> Path:
    """Return the path of a public set's file; skip the test when it is not there."""
    given = os.environ.get("EARSHOT_TEST_PUBLIC_DATA")
    folder = Path(given) if given else CHECKOUT.parent / "shared" / "data"
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the public set {'/'.join(parts)} is not at hand (EARSHOT_TEST_PUBLIC_DATA names its folder)")
    return path
