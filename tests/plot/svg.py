# SPDX-License-Identifier: GPL-2.0-or-later
"""Small charts as SVG text, with nothing but the standard library.

    ratio_chart("title", [Bar("plug", 0.09, target=0.125, note="0.3 / 3.4 us")])
    line_chart("title", [Line("plugged", [(0, 0), (1.5, 512)], step=True)],
               x_label="time (s)", y_label="memory (MiB)")

Both return a whole SVG document, readable on a light and on a dark ground; the
caller writes it to a file. Text from the caller is escaped. Numbers that are
not finite are refused with ValueError, and so is a chart of nothing: a picture
that shows less than its table would mislead.

Users: tests/bench (bars), the lab's grow scenario (lines over time).
"""

import math
from typing import NamedTuple, Optional, Sequence, Tuple
from xml.sax.saxutils import escape

# Series are told apart by dash as well as by colour.
COLOURS = 4
DASHES = ("none", "7 3", "2 3", "9 3 2 3")

# No CSS variables: few viewers but browsers know them.
STYLE = """
text { font-family: system-ui, sans-serif; font-size: 13px; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; } .soft { fill: #59636e; }
.ground { fill: #ffffff; } .grid { stroke: #d0d7de; }
.axis { stroke: #59636e; } .mark { stroke: #1f2328; stroke-width: 2; }
.good { fill: #1a7f37; } .bad { fill: #bc4c00; } .plain { fill: #0969da; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.s0 { stroke: #0969da; } .s1 { stroke: #bc4c00; }
.s2 { stroke: #1a7f37; } .s3 { stroke: #8250df; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .soft { fill: #9198a1; }
.ground { fill: #0d1117; } .grid { stroke: #30363d; }
.axis { stroke: #9198a1; } .mark { stroke: #e6edf3; }
.good { fill: #3fb950; } .bad { fill: #f0883e; } .plain { fill: #58a6ff; }
.s0 { stroke: #58a6ff; } .s1 { stroke: #f0883e; }
.s2 { stroke: #3fb950; } .s3 { stroke: #bc8cff; } }
"""


class Bar(NamedTuple):
    """One figure of a bar chart."""
    label: str
    value: float                        # not negative; inf is refused
    target: Optional[float] = None      # the bar should not be longer than that
    note: str = ""                      # said after the value


class Line(NamedTuple):
    """One series; x grows. A step holds its value until the next point."""
    label: str
    points: Sequence[Tuple[float, float]]
    step: bool = False


def ticks(low, high, count=6):
    """Round numbers that cover [low, high]: about count of them."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("a chart needs finite numbers")
    if high <= low:
        high = low + 1
    raw = (high - low) / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def number(value):
    """A number as short as its axis needs it."""
    return f"{value:.10g}" if value == int(value) else f"{value:.3g}"


def text(x, y, words, anchor="start", style=""):
    """One line of text; y is its base line."""
    kind = f' class="{style}"' if style else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>'
            f'{escape(words)}</text>')


def rule(x1, y1, x2, y2, style="grid"):
    """A straight line."""
    return (f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" '
            f'x2="{x2:.1f}" y2="{y2:.1f}"/>')


def document(title, width, height, parts):
    """The whole file, with its title as the accessible name."""
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}">')
    return "\n".join([head, f"<title>{escape(title)}</title>",
                      f"<style>{STYLE}</style>",
                      f'<rect class="ground" width="{width}" '
                      f'height="{height}"/>',
                      text(16, 26, title, style="title"), *parts,
                      "</svg>", ""])


def scale(low, high, start, end):
    """A function from [low, high] to [start, end]."""
    factor = (end - start) / (high - low)
    return lambda value: start + (value - low) * factor


def ratio_chart(title, bars, x_label="ratio (less is better)"):
    """Horizontal bars from 0; a target is a mark across its bar's lane.

    A bar with a target is coloured by whether it reaches it.
    """
    bars = list(bars)
    if not bars:
        raise ValueError("a chart needs at least one bar")
    left = 24 + 7 * max(len(bar.label) for bar in bars)
    right = 76 + 7 * max(len(bar.note) for bar in bars)
    top, lane, plot = 52, 28, 420
    bottom = top + lane * len(bars)
    marks = ticks(0, max(max(b.value, b.target or 0) for b in bars) or 1)
    at = scale(0, marks[-1], left, left + plot)
    parts = []
    for mark in marks:
        parts.append(rule(at(mark), top - 6, at(mark), bottom))
        parts.append(text(at(mark), bottom + 18, number(mark), "middle",
                          "soft"))
    for row, bar in enumerate(bars):
        parts += lane_of(bar, top + row * lane, left, at)
    parts.append(rule(left, top - 6, left, bottom, "axis"))
    parts.append(text(left + plot / 2, bottom + 40, x_label, "middle", "soft"))
    return document(title, left + plot + right, bottom + 54, parts)


def lane_of(bar, y, left, at):
    """One bar with its label, value, note and target."""
    if not math.isfinite(bar.value) or bar.value < 0:
        raise ValueError(f"{bar.label}: {bar.value} cannot be drawn")
    kind = "plain"
    if bar.target is not None:
        kind = "good" if bar.value <= bar.target else "bad"
    words = f"{bar.value:.3g}" + (f"  {bar.note}" if bar.note else "")
    end = at(bar.value)
    parts = [text(left - 8, y + 15, bar.label, "end"),
             f'<rect class="{kind}" x="{left}" y="{y + 3}" '
             f'width="{max(end - left, 1):.1f}" height="16" rx="2"/>']
    if bar.target is not None:
        mark = at(bar.target)
        parts.append(rule(mark, y - 1, mark, y + 23, "mark"))
        end = max(end, mark)
    parts.append(text(end + 8, y + 15, words, style="soft"))
    return parts


def line_chart(title, lines, x_label, y_label, width=760, height=380):
    """Series over a common x; the y axis starts at 0 unless values are below.

    Labels name the unit: "time (s)", "memory (MiB)".
    """
    lines = [line for line in lines if line.points]
    if not lines:
        raise ValueError("a chart needs at least one point")
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    x_marks = ticks(min(xs), max(xs), 8)
    y_marks = ticks(min(0, min(ys)), max(ys))
    left, right, top, bottom = 76, width - 20, 68, height - 56
    x_at = scale(x_marks[0], x_marks[-1], left, right)
    y_at = scale(y_marks[0], y_marks[-1], bottom, top)
    parts = legend(lines, left)
    for mark in y_marks:
        parts.append(rule(left, y_at(mark), right, y_at(mark)))
        parts.append(text(left - 8, y_at(mark) + 4, number(mark), "end",
                          "soft"))
    for mark in x_marks:
        parts.append(rule(x_at(mark), bottom, x_at(mark), bottom + 5, "axis"))
        parts.append(text(x_at(mark), bottom + 20, number(mark), "middle",
                          "soft"))
    parts.append(rule(left, bottom, right, bottom, "axis"))
    parts.append(text((left + right) / 2, height - 12, x_label, "middle",
                      "soft"))
    parts.append(f'<g transform="translate(18 {(top + bottom) / 2:.0f}) '
                 f'rotate(-90)">{text(0, 0, y_label, "middle", "soft")}</g>')
    for index, line in enumerate(lines):
        parts.append(path_of(line, index, x_at, y_at))
    return document(title, width, height, parts)


def stroke(index):
    """What tells series number index from the others."""
    return (f'class="line s{index % COLOURS}" '
            f'stroke-dasharray="{DASHES[index % len(DASHES)]}"')


def legend(lines, left):
    """A sample of each line and its name, in one row below the title."""
    parts = []
    x = left
    for index, line in enumerate(lines):
        parts.append(f'<path {stroke(index)} '
                     f'd="M{x:.1f} 46h26"/>')
        parts.append(text(x + 32, 50, line.label))
        x += 52 + 7.5 * len(line.label)
    return parts


def path_of(line, index, x_at, y_at):
    """The line itself."""
    moves = []
    for x, y in line.points:
        if not moves:
            moves.append(f"M{x_at(x):.1f} {y_at(y):.1f}")
        elif line.step:
            moves.append(f"H{x_at(x):.1f}V{y_at(y):.1f}")
        else:
            moves.append(f"L{x_at(x):.1f} {y_at(y):.1f}")
    return f'<path {stroke(index)} d="{"".join(moves)}"/>'
