"""How commands count in sentences."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with what it counts: ``1 text``, ``2,000 texts``; ``many`` is what several are called, unless it ends in s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
