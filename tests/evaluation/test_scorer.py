"""The same figures as the shared scorers, which are other people's programs, to their last digit."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voicestream.evaluation.error_rate import ErrorRates, rates_at
from voicestream.evaluation.segmentation import pooled_reports, read_labels, read_segmented, segmentation_report
from voicestream.evaluation.spoof import read_presentations, spoof_report
from voicestream.evaluation.trial import read_trials


@pytest.fixture(scope="module")
def lists(shared: Path) -> Path:
    if not (shared / "eval").is_dir():
        pytest.skip(f"{shared / 'eval'} is missing")
    return shared / "eval"


def scorer(lists: Path, name: str, *arguments: object) -> str:
    command = [sys.executable, str(lists / f"score_{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_speaker_trials(lists: Path, tmp_path: Path) -> None:
    trials = read_trials((lists / "sv" / "trials.csv").read_text())
    target, same = (np.array([getattr(one, name) for one in trials]) for name in ("target", "same_group"))
    score = np.round(np.random.default_rng(1).normal(size=len(trials)) + 2.5 * target, 2)
    (tmp_path / "scores.csv").write_text("".join(f"{one.name},5,{value}\n" for one, value in zip(trials, score, strict=True)))
    told = scorer(lists, "sv", lists / "sv" / "trials.csv", tmp_path / "scores.csv", "--thr", 1.25)
    for name, kept in (("all non-targets", target | True), ("same group", target | same)):
        rates = ErrorRates(score[kept], target[kept])
        fmr, fnmr = rates_at(score[kept], target[kept], 1.25)
        line = next(line for line in told.splitlines() if line.startswith("5s all") and name in line)
        assert line.endswith(
            f"targets {fnmr.trials} nontargets {fmr.trials}  EER {100 * rates.eer:.2f}%  minDCF.01 {rates.min_dcf(0.01):.3f}  "
            f"minDCF.05 {rates.min_dcf(0.05):.3f}  FAR {fmr.value:.4f} FRR {fnmr.value:.4f}"
        )


def test_attacks(lists: Path, tmp_path: Path) -> None:
    file = lists / "spoof" / "files.csv"
    clips = read_presentations(file.read_text())
    rng = np.random.default_rng(2)
    score = {one.name: round(float(rng.normal() + 1.5 * (not one.attack)), 2) for one in clips}
    with (tmp_path / "scores.csv").open("w") as out:
        csv.writer(out).writerows(score.items())
    told = scorer(lists, "spoof", file, tmp_path / "scores.csv")
    report = spoof_report("", clips, score, None)
    assert report is not None
    assert f"pooled EER {100 * report.eer:.2f}%  (bona fide {report.genuine}, spoof {report.attacks})" in told
    for kind in report.kinds:
        assert f"{kind.attack:<12} {kind.clips:3d} files  EER {100 * kind.eer:.2f}%" in told


def test_speech_labels(lists: Path, tmp_path: Path) -> None:
    speech = read_labels((lists / "vad" / "labels_10ms.txt").read_text())
    rng = np.random.default_rng(3)
    files = []
    for one in read_segmented((lists / "vad" / "files.csv").read_text()):
        score = np.round(0.5 + 0.3 * (speech - 0.5) + 0.2 * rng.normal(size=len(speech)), 2)
        (tmp_path / f"{one.name}.txt").write_text(" ".join(map(str, score)))
        files.append((one.name, score))
    told = scorer(lists, "vad", lists / "vad", tmp_path, "--thr", 0.6)
    reports = [segmentation_report(name, score, speech, 0.6) for name, score in files]
    reports += pooled_reports([(score, speech) for _, score in files], 0.6)
    figures = [re.findall(r"\d\.\d{3}", line) for line in told.splitlines()]
    assert figures == [
        [f"{value:.3f}" for value in (one.auc, one.f1, one.accuracy, one.miss.value, one.false_alarm.value)] for one in reports
    ]
