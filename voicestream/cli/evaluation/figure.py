"""The curves of a report, drawn with matplotlib: one function a figure, light, readable in print.

matplotlib takes 0.4 s to import, so only the commands that draw import this module.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from voicestream.evaluation.error_rate import Array, Bools, ErrorRates, probit
from voicestream.evaluation.likelihood import Reliability

# M. Okabe, K. Ito, "Color universal design": told apart by the colour-blind as well
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
TARGET, NONTARGET, RULE = COLOURS[0], COLOURS[1], "#444444"
_TICKS: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_BINS: Final = 60
_LARGEST_DOT: Final = 90.0  # square points
_INCHES: Final = (5.6, 5.8)


def det_figure(
    curves: Sequence[tuple[str, ErrorRates]],
    points: Sequence[tuple[str, float, float]] = (),
    kinds: tuple[str, str] = ("false match rate, %", "false non-match rate, %"),
) -> Figure:
    """Detection error trade-off of named curves, on axes of normal deviates; `points` (rule, FMR, FNMR) are where rules operate."""
    figure, axes = _sheet(_INCHES)
    low, high = 0.0005, 0.85
    for place, (name, rates) in enumerate(curves):
        fmr, fnmr = rates.det()
        x, y = (_deviates(np.clip(side, low / 2, high + 0.05)) for side in (fmr, fnmr))
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(x, y, color=colour, linewidth=1.8, label=f"{name}: EER {100 * rates.eer:.2f} %")
        equal = probit(min(max(rates.eer, low), high))
        axes.plot([equal], [equal], "o", color=colour, markersize=5)
    for place, (rule, fmr_at, fnmr_at) in enumerate(points):
        at = [probit(min(max(rate, low), high)) for rate in (fmr_at, fnmr_at)]
        axes.plot(at[:1], at[1:], "sD^v"[place % 4], color=RULE, markersize=6, fillstyle="none", label=rule, linestyle="none")
    ticks = [probit(tick) for tick in _TICKS]
    labels = [f"{100 * tick:g}" for tick in _TICKS]
    axes.plot([probit(low), probit(high)], [probit(low), probit(high)], color="#bbbbbb", linewidth=0.8, zorder=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, labels)
    axes.set_xlim(probit(low), probit(high))
    axes.set_ylim(probit(low), probit(high))
    axes.set_aspect("equal")
    axes.set_xlabel(kinds[0])
    axes.set_ylabel(kinds[1])
    _legend(figure)
    return figure


def histogram_figure(
    score: Array,
    target: Bools,
    thresholds: Sequence[tuple[str, float]] = (),
    kinds: tuple[str, str] = ("same speaker", "different speakers"),
) -> Figure:
    """Densities of the scores of both kinds of trial, and the thresholds between them."""
    figure, axes = _sheet((6.4, 4.0))
    low, high = float(score.min()), float(score.max())
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1).tolist()
    for name, kind, colour in ((kinds[1], ~target, NONTARGET), (kinds[0], target, TARGET)):
        weights = np.full(int(kind.sum()), 100.0 / int(kind.sum()))
        axes.hist(score[kind], edges, weights=weights, color=colour, alpha=0.55, label=f"{name} ({int(kind.sum()):,})")
    for place, (name, threshold) in enumerate(thresholds):
        axes.axvline(threshold, color=RULE, linewidth=1.4, linestyle=("-", "--", ":")[place % 3], label=name)
    axes.set_xlabel("score")
    axes.set_ylabel("share of its trials, %")
    _legend(figure)
    return figure


def reliability_figure(curves: Sequence[tuple[str, Sequence[Reliability]]]) -> Figure:
    """Promised against found probability, at even odds; on the diagonal a probability is what it says. Small dots: few trials."""
    figure, axes = _sheet((5.2, 5.0))
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1.0)
    for place, (name, points) in enumerate(curves):
        x, y = [point.promised for point in points], [point.found for point in points]
        colour = COLOURS[place % len(COLOURS)]
        axes.plot(x, y, color=colour, linewidth=1.2, alpha=0.6)
        axes.scatter(x, y, [min(9 * point.trials**0.4, _LARGEST_DOT) for point in points], color=colour, label=name, zorder=3)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("promised probability of one speaker")
    axes.set_ylabel("found share, both kinds weighing the same")
    _legend(figure)
    return figure


def bar_figure(names: Sequence[str], values: Sequence[float], label: str, errors: Sequence[tuple[float, float]] = ()) -> Figure:
    """Shares 0..1 by name as lying bars, with intervals (low, high) where they are given."""
    figure, axes = _sheet((6.4, 0.9 + 0.34 * len(names)))
    place = np.arange(len(names))
    axes.barh(place, [100 * value for value in values], color=COLOURS[0], alpha=0.75, height=0.6)
    for row, (low, high) in enumerate(errors):
        axes.plot([100 * low, 100 * high], [row, row], color=RULE, linewidth=1.4)
    axes.set_yticks(place, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(label)
    return figure


def drawn(figure: Figure, form: Literal["png", "svg"]) -> bytes:
    """The figure as a file; the same bytes for the same figure."""
    out = io.BytesIO()
    figure.savefig(out, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    return out.getvalue()


def _sheet(inches: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=inches, layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _legend(figure: Figure) -> None:
    """Above the axes, where it covers nothing."""
    figure.legend(loc="outside upper left", ncols=2, frameon=False)


def _deviates(rates: Array) -> Array:
    return np.array([probit(float(rate)) for rate in rates])
