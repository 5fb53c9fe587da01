"""Small pictures as SVG text, drawn without a library.

Owns the drawing of curves and fronts. Must not measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Final

from earshot_triage.judgement.evaluation.measures import Bin

WIDTH, HEIGHT, EDGE = 420, 320, 48
_HEAD: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
)


def save(path: Path, picture: str) -> None:
    """Write one picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture + "\n", encoding="utf-8")


def reliability(bins: Sequence[Bin]) -> str:
    """Draw what was claimed against what held; the dotted line is perfect truth, a dot's area its number of texts."""
    parts = [_HEAD, _axes("confidence claimed", "share that was right")]
    parts.append(_line(_x(0), _y(0), _x(1), _y(1), dashed=True))
    most = max((item.count for item in bins), default=1)
    for left, right in pairwise(bins):
        parts.append(_line(_x(left.claimed), _y(left.held), _x(right.claimed), _y(right.held)))
    parts += [
        f'<circle cx="{_x(item.claimed):.1f}" cy="{_y(item.held):.1f}" r="{3 + 9 * (item.count / most) ** 0.5:.1f}"'
        ' fill="#2563eb" fill-opacity="0.7"/>'
        for item in bins
    ]
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    parts += [_text(_x(tick), HEIGHT - EDGE + 16, f"{tick:g}") for tick in ticks]
    parts += [_text(EDGE - 16, _y(tick) + 4, f"{tick:g}") for tick in ticks]
    return "".join(parts) + "</svg>"


def front(points: Sequence[tuple[str, float, float, bool]]) -> str:
    """Draw designs by speed (texts a second, logarithmic) and quality (0..100); the last value marks the chosen one."""
    parts = [_HEAD, _axes("texts a second on one core (logarithmic)", "mean score")]
    speeds, scores = [log10(point[1]) for point in points], [point[2] for point in points]
    low_speed, high_speed = min(speeds) - 0.2, max(speeds) + 0.4
    low, high = min(scores) - 2, max(scores) + 2
    for (name, speed, score, chosen), place in zip(points, speeds, strict=True):
        x, y = _x((place - low_speed) / (high_speed - low_speed)), _y((score - low) / (high - low))
        colour = "#dc2626" if chosen else "#64748b"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        parts.append(_text(x, y - 9, f"{name}: {score:.1f}, {speed:,.0f}/s"))
    return "".join(parts) + "</svg>"


def _x(share: float) -> float:
    return EDGE + share * (WIDTH - 2 * EDGE)


def _y(share: float) -> float:
    return HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)


def _axes(across: str, up: str) -> str:
    return (
        _line(_x(0), _y(0), _x(1), _y(0))
        + _line(_x(0), _y(0), _x(0), _y(1))
        + _text(WIDTH / 2, HEIGHT - 10, across)
        + f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">{up}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#334155"{dash}/>'


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="#0f172a">{words}</text>'
