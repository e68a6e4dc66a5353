#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plot.py: curves.svg beside this file from curves.csv."""
import csv
import pathlib

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT, LEFT, TOP, GAP = 760, 120, 60, 34, 60
PANELS = [
    ("Start announced a period of the timer ahead, spread over 24 h: fetches per hour", [("announced", "#2a7")]),
    ("No announced start, policy.rollout_spread = 24h: fetches per hour", [("by_settings", "#27a")]),
    ("No spread at all, only the timers' own: fetches per hour", [("at_once", "#777")]),
    ("Registry down for 12 h: refused (red) and then served (green) per hour",
     [("outage_refused", "#c44"), ("outage_fetched", "#2a7")]),
]


def panel(rows, top, title, series):
    highest = max(int(row[name]) for row in rows for name, _ in series) or 1
    step = WIDTH / len(rows)
    yield f'<text x="{LEFT}" y="{top - 8}">{title}</text>'
    for name, color in series:
        for row in rows:
            height = HEIGHT * int(row[name]) / highest
            yield (f'<rect x="{LEFT + int(row["hour"]) * step:.1f}" y="{top + HEIGHT - height:.1f}" '
                   f'width="{step - 1:.1f}" height="{height:.1f}" fill="{color}" fill-opacity="0.8"/>')
    yield f'<path d="M{LEFT},{top} v{HEIGHT} h{WIDTH}" fill="none" stroke="#333"/>'
    yield f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{highest}</text>'
    yield f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>'
    for hour in range(0, len(rows) + 1, 12):
        yield f'<text x="{LEFT + hour * step:.1f}" y="{top + HEIGHT + 14}" text-anchor="middle">{hour} h</text>'


def main():
    rows = list(csv.DictReader((HERE / "curves.csv").open()))
    height = TOP + len(PANELS) * (HEIGHT + GAP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{height}" '
             'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>']
    for number, (title, series) in enumerate(PANELS):
        lines += panel(rows, TOP + number * (HEIGHT + GAP), title, series)
    (HERE / "curves.svg").write_text("\n".join([*lines, "</svg>"]) + "\n")


if __name__ == "__main__":
    main()
