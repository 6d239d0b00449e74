"""Measures the shipped authenticity model on DATA/spoof, telephone and 16 kHz, and its speed; prints the card's left-out table."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a real-time factor is that of one core

from authenticity.measuring import TRIALS, real_time_factor, spoof_trials

from voicestream.models.authenticity.cnn import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scores", type=Path, help="folder for the scores, as score_spoof.py reads them")
    options = parser.parse_args()
    model = load()
    for row in (row for row in model.card.measured if row.trials != TRIALS):
        print(f"{row.value:6.2f} {row.metric:8} {row.condition}; {row.trials} (from the card)")
    for row in spoof_trials(model, options.data / "spoof", options.scores):
        print(f"{row.value:6.2f} {row.metric:8} {row.condition}; {row.trials}")
    print(f"{real_time_factor(model):.4f} real-time factor, 4 s clips, one core")


if __name__ == "__main__":
    main()
