"""How well genuine speech is told from attacks, each kind of attack by itself (ISO/IEC 30107-3)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from voicestream.errors import TRIAL_LIST, PeerError
from voicestream.evaluation.error_rate import ErrorRates, Rate, rates_at
from voicestream.evaluation.interval import Interval, wilson

_GENUINE, _ATTACK = "bonafide", "spoof"


@dataclass(frozen=True, slots=True)
class Presentation:
    """A clip of the list; `attack` is empty for genuine speech."""

    name: str
    file: str
    attack: str


@dataclass(frozen=True, slots=True)
class AttackReport:
    """One kind of attack against all genuine clips: the share of it that is let in is the APCER."""

    attack: str
    clips: int
    eer: float
    apcer: Rate
    apcer_interval: Interval


@dataclass(frozen=True, slots=True)
class SpoofReport:
    """The figures of a set of scores; shares are 0..1. The highest APCER of a kind is the figure the standard asks for."""

    name: str
    genuine: int
    attacks: int
    unscored: int
    eer: float
    threshold: float
    chosen_here: bool  # the threshold is that of the EER on these very clips: flattering
    bpcer: Rate
    bpcer_interval: Interval
    kinds: tuple[AttackReport, ...]
    rates: ErrorRates | None = field(default=None, compare=False, repr=False)


def read_presentations(text: str) -> list[Presentation]:
    """The clips of a CSV with id, file, label (bonafide or spoof) and attack; `PeerError` VS1040 with the line otherwise."""
    found = []
    for number, row in enumerate(csv.DictReader(text.lstrip("\ufeff").splitlines()), 2):
        if not {"id", "label"} <= row.keys() or row["label"] not in (_GENUINE, _ATTACK):
            raise PeerError(TRIAL_LIST, f"line {number}: id, and label bonafide or spoof, are needed")
        attack = "" if row["label"] == _GENUINE else (row.get("attack") or _ATTACK)
        found.append(Presentation(row["id"], row.get("file") or "", attack))
    if len({bool(one.attack) for one in found}) < 2:
        raise PeerError(TRIAL_LIST, "genuine clips and attacks are needed, and one kind is missing")
    return found


def spoof_report(name: str, listed: Sequence[Presentation], score: Mapping[str, float], threshold: float | None) -> SpoofReport | None:
    """The report of scores by clip, higher being more genuine; without a threshold the one of the EER. None: a kind has no score."""
    scored = [one for one in listed if one.name in score]
    value = np.array([score[one.name] for one in scored], np.float64)
    genuine = np.array([not one.attack for one in scored], np.bool_)
    if not len(scored) or genuine.all() or not genuine.any():
        return None
    rates = ErrorRates(value, genuine)
    at = rates.eer_threshold if threshold is None else threshold
    kinds = []
    for attack in sorted({one.attack for one in scored if one.attack}):
        inside = genuine | np.array([one.attack == attack for one in scored])
        apcer, _ = rates_at(value[inside], genuine[inside], at)
        kinds.append(AttackReport(attack, apcer.trials, ErrorRates(value[inside], genuine[inside]).eer, apcer, wilson(apcer)))
    _, bpcer = rates_at(value, genuine, at)
    attacks = int((~genuine).sum())
    return SpoofReport(
        name, bpcer.trials, attacks, len(listed) - len(scored), rates.eer, at, threshold is None, bpcer, wilson(bpcer), tuple(kinds), rates
    )
