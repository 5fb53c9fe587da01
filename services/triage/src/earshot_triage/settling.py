"""What people's merges and splits make of the themes that gathered by themselves.

Owns the rows that follow from both. Whoever changes one of the two settles in the same transaction, one at a time (`lock_gathering`).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from earshot_triage.domain.threads import Components
from earshot_triage.repository import QUERIES


async def settle(conn: Any, keys: Collection[str]) -> None:
    """Say which theme holds some items that gathered otherwise, or that people parted, and all that a merge moves."""
    if not await conn.fetchval(QUERIES["any_acts"]):
        return
    joined = Components()
    places: dict[str, tuple[datetime, str]] = {}
    for row in await conn.fetch(QUERIES["load_merges"]):
        ends = [(str(row[end]), (row[f"{end}_at"], str(row[f"{end}_id"]))) for end in ("one", "other")]
        for theme, place in ends:
            places[theme] = min(place, places.get(theme, place))
        joined.join(ends[0][0], ends[1][0])
    roots = {theme: min(members, key=places.__getitem__) for members in joined.sets() for theme in members}
    held = {str(row["theme"]): str(row["root"]) for row in await conn.fetch(QUERIES["load_roots"])}
    if roots != held:
        await conn.execute(QUERIES["drop_roots"])
        await conn.execute(QUERIES["put_roots"], list(roots), list(roots.values()))
    moved = [theme for theme in roots.keys() | held.keys() if roots.get(theme) != held.get(theme)]
    await conn.execute(QUERIES["settle_themes"], list(keys), moved)
