"""Small charts as SVG text: no library, no fonts, the same bytes for the same figures.

Owns the drawing alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_COLOURS = ("#0b6e4f", "#c44536", "#2f4b7c", "#8d6a9f")
_LIGHT = ("#9fd3bf", "#efb3ab", "#a9b9d8", "#d3c3dc")
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 420, 70, 50, 60


def lines_chart(title: str, across: str, up: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return lines through (x, y) points in 0..1, drawn from the smallest value up."""
    values = [value for points in series.values() for point in points for value in point]
    low = min(values, default=0.0) // 0.05 * 0.05
    span = max(1.0 - low, 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + (x - low) / span * (_WIDTH - _LEFT - 30), _HEIGHT - _BOTTOM - (y - low) / span * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for step in range(6):
        value = low + span * step / 5
        x, y = place(value, value)
        parts.append(_line(_LEFT, y, _WIDTH - 30, y, "#dddddd") + _text(_LEFT - 8, y + 4, f"{value:.2f}", "end"))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 18, f"{value:.2f}", "middle"))
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" points="{path}"/>')
        parts.append(_text(_LEFT + 20, _TOP + 30 + 20 * number, name, "start", colour))
    parts.append(_text(_WIDTH / 2, _HEIGHT - 14, across, "middle") + _text(_LEFT, _TOP - 10, up, "middle"))
    return _page(title, parts)


def bars(title: str, series: Mapping[str, Mapping[int, tuple[int, int]]]) -> str:
    """Return pairs of bars (found, true) by size, one panel a set, each on its own scale."""
    parts = []
    width = (_WIDTH - _LEFT) / max(len(series), 1)
    for number, (name, sizes) in enumerate(series.items()):
        left = _LEFT / 2 + number * width
        step = (width - 30) / max(len(sizes), 1)
        tallest = max((max(pair) for pair in sizes.values()), default=1)
        for place, (size, pair) in enumerate(sizes.items()):
            for side, (count, colour) in enumerate(zip(pair, (_COLOURS[number % 4], _LIGHT[number % 4]), strict=True)):
                height = count / tallest * (_HEIGHT - _TOP - _BOTTOM - 20)
                x, y = left + place * step + side * step * 0.42, _HEIGHT - _BOTTOM - height
                parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.4:.1f}" height="{height:.1f}" fill="{colour}"/>')
            parts.append(_text(left + (place + 0.45) * step, _HEIGHT - _BOTTOM + 18, str(size), "middle"))
        parts.append(_text(left + width / 2, _HEIGHT - 14, f"{name} (most: {tallest:,})", "middle"))
    return _page(title, parts)


def _page(title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13" role="img">\n'
        f'<title>{title}</title>\n<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n'
        f"{_text(_WIDTH / 2, 24, title, 'middle')}\n{body}\n</svg>\n"
    )


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
