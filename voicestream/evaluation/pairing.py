"""Trials out of nothing but recordings by speaker: each recording against the others of its speaker, and of all the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Final

from voicestream.errors import FEW_TRIALS, PeerError

ERRORS_NEEDED: Final = 30
MOST_TRIALS: Final = 500_000  # more take minutes, and 300,000 carry the lowest FMR that may be asked for
FEWEST_SPEAKERS: Final = 10  # who can be enrolled; drawing from fewer says nothing about the next one


@dataclass(frozen=True, slots=True)
class Pairing:
    """The voice of all recordings of speaker `enrol` but the one at `left_out`, against the recording `tested` of speaker `test`."""

    enrol: int
    left_out: int
    test: int
    tested: int

    @property
    def target(self) -> bool:
        return self.enrol == self.test


def pairings(counts: Sequence[int]) -> list[Pairing]:
    """All trials of speakers with `counts` recordings each; no recording meets a voice it is part of.

    Targets leave the tested recording out of its speaker's voice. Non-targets meet a voice with one left out as well,
    each in its turn, so that both kinds are enrolled with as much. Who has one recording is an impostor only. Of more
    non-targets than `MOST_TRIALS` every so many-th is taken, evenly over speakers and recordings.
    """
    step = ceil(sum(counts) * sum(others > 1 for others in counts) / MOST_TRIALS)
    found = []
    for test, recordings in enumerate(counts):
        for tested in range(recordings):
            for enrol, others in enumerate(counts):
                if others > 1 and (enrol == test or (enrol + test + tested) % step == 0):
                    found.append(Pairing(enrol, tested % others, test, tested))
    return found


def check_enough(counts: Sequence[int], fmr: float) -> None:
    """`PeerError` VS1043, saying how much more is needed, when recordings by speaker do not carry a threshold at `fmr`.

    Rule of 30: to be 90 % sure that the true error rate is within 30 % of the one found takes at least 30 errors
    (G. Doddington et al., "The NIST speaker recognition evaluation: overview, methodology, systems, results,
    perspective", Speech Communication 31, 2000); so 30 / `fmr` non-target trials, and 30 targets to see owners refused.
    """
    enrolled = [recordings for recordings in counts if recordings > 1]
    targets = sum(enrolled)
    if len(enrolled) < FEWEST_SPEAKERS:
        raise PeerError(
            FEW_TRIALS, f"{len(enrolled)} speakers with two recordings or more; {FEWEST_SPEAKERS - len(enrolled)} more are needed"
        )
    if targets < ERRORS_NEEDED:
        raise PeerError(
            FEW_TRIALS, f"{targets} target trials, {ERRORS_NEEDED} needed: {ERRORS_NEEDED - targets} more recordings of these speakers"
        )
    nontargets = _nontargets(sum(counts), len(enrolled), targets)
    needed = ceil(ERRORS_NEEDED / fmr - 1e-9)
    if nontargets < needed:
        each = max(2, round(sum(counts) / len(counts)))
        speakers = next(
            more for more in count(1) if _nontargets(sum(counts) + more * each, len(enrolled) + more, targets + more * each) >= needed
        )
        recordings = ceil((needed - nontargets) / (len(enrolled) - 1))
        raise PeerError(
            FEW_TRIALS,
            f"{nontargets} non-target trials, {needed} needed for {100 * fmr:g} %: {speakers} more speakers with {each} recordings each, "
            f"or {recordings} more recordings of these; what there is carries --fmr {_rounded_up(ERRORS_NEEDED / nontargets):g}",
        )


def _nontargets(recordings: int, enrolled: int, theirs: int) -> int:
    """Every recording against every speaker who can be enrolled, less the `theirs` that are targets."""
    return recordings * enrolled - theirs


def _rounded_up(share: float) -> float:
    """To three places: what is shown must be enough when it is typed."""
    return ceil(1000.0 * share) / 1000.0
