"""Train the compact speech detector: scripts/train_vad.py DATA_FOLDER [--out FOLDER] [--hold FAMILIES].

DATA_FOLDER holds `background/` (training; a tenth of its speakers are kept for threshold and hangover) and `vad/`
(measured once, at the end). Writes compact.safetensors and compact.json. Needs torch (CPU), which nothing else
does; the same machine and versions give the same bytes. What the network sees comes from the server's own kernel.
--hold weather,impact holds families of noise out of training, measures on them, and writes nothing.
"""

# ruff: noqa: E402 -- the kernels are compiled before they are imported

import os
import subprocess
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"
# Freshly compiled kernels differ from cached ones in the last bits: this process loads them.
subprocess.run([sys.executable, "-c", "import voicestream.dsp.network_vad, voicestream.dsp.resample"], check=True)

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from vad_noise import FAMILIES, Make
from vad_scene import SECONDS, Utterance, kinds_of, scene, speakers

from voicestream.codecs.containers import decode_file
from voicestream.dsp.network_vad import HOPS, INPUTS, NetworkVad, VadNetwork, network_inputs
from voicestream.evaluation.segmentation import area_under_curve
from voicestream.models.card import Card, Measurement
from voicestream.models.vad.compact import HANGOVER, read_network
from voicestream.models.weights import write_weights

Array: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.bool_]
Voices: TypeAlias = Sequence[Sequence[Utterance]]

SCENES, EPOCHS, BATCH, RATE = 3600, 10, 32, 3e-3
DENSE, HIDDEN = 60, 64
KEPT_OUT = 10  # every tenth speaker
CHOICE_SCENES = 240
STEPS = int(SECONDS * 100) // HOPS
THRESHOLDS = np.arange(0.2, 0.85, 0.05)


class Network(torch.nn.Module):
    """The network of `voicestream.dsp.network_vad`, as it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(INPUTS, DENSE)
        self.gru = torch.nn.GRU(DENSE, HIDDEN, batch_first=True)
        self.out = torch.nn.Linear(HIDDEN, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.gru(torch.relu(self.dense(inputs)))
        logits: torch.Tensor = self.out(hidden)[..., 0]
        return logits

    def arrays(self) -> dict[str, Array]:
        """Weights as the kernel has them, input by input."""
        gru = self.gru
        found = {
            "dense": self.dense.weight.T, "dense_bias": self.dense.bias,
            "inward": gru.weight_ih_l0.T, "around": gru.weight_hh_l0.T,
            "gate_bias": torch.cat((gru.bias_ih_l0, gru.bias_hh_l0)), "out": self.out.weight[0], "out_bias": self.out.bias,
        }  # fmt: skip
        return {name: np.ascontiguousarray(tensor.detach().numpy(), np.float32) for name, tensor in found.items()}


def hear(voices: Voices, kinds: Sequence[Make], scenes: int, seed: int) -> tuple[NDArray[np.float16], Labels]:
    """Inputs (scenes, STEPS, INPUTS) and labels (scenes, STEPS, HOPS); each scene has a seed of its own."""
    inputs = np.empty((scenes, STEPS, INPUTS), np.float16)
    labels = np.empty((scenes, STEPS, HOPS), np.bool_)
    for index in range(scenes):
        samples, truth = scene(np.random.default_rng([seed, index]), voices, kinds)
        inputs[index] = network_inputs(samples, 8000)
        labels[index] = truth.reshape(STEPS, HOPS)
    return inputs, labels


def train(inputs: NDArray[np.float16], labels: Labels, epochs: int) -> Network:
    """Cross-entropy against the share of each 30 ms that is speech; AdamW, one cycle of the learning rate."""
    torch.manual_seed(1)
    order = np.random.default_rng(1)
    network = Network()
    batches = len(inputs) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * batches, pct_start=0.2)
    wanted = torch.from_numpy(labels.mean(axis=-1, dtype=np.float32))
    for epoch in range(epochs):
        total = 0.0
        for batch in order.permutation(len(inputs))[: batches * BATCH].reshape(batches, BATCH):
            logits = network(torch.from_numpy(inputs[batch].astype(np.float32)))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted[batch])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: cross-entropy {total / batches:.4f}, {time.process_time():.0f} s of CPU so far", flush=True)
    return network


def probabilities(network: Network, inputs: NDArray[np.float16]) -> Array:
    with torch.no_grad():
        found: Array = torch.sigmoid(network(torch.from_numpy(inputs.astype(np.float32)))).numpy()
    return found


def f1(found: Labels, speech: Labels) -> float:
    return float(2 * (found & speech).sum() / (found.sum() + speech.sum()))


def held(above: Labels, hangover: int) -> Labels:
    """Labels (scenes, steps) with every frame of speech prolonged by `hangover` frames."""
    found = above.copy()
    for late in range(1, hangover + 1):
        found[:, late:] |= above[:, :-late]
    return found


def choose(score: Array, labels: Labels) -> tuple[float, int, float]:
    """Threshold and hangover of the best F1 at 10 ms."""
    options = [
        (f1(np.repeat(held(score > threshold, hangover), HOPS), labels.reshape(-1)), round(float(threshold), 2), hangover)
        for threshold in THRESHOLDS
        for hangover in range(5)
    ]
    best, threshold, hangover = max(options)
    return threshold, hangover, best


def measure(network: VadNetwork, folder: Path) -> list[Measurement]:
    """AUC and F1 on every condition of the evaluation, pooled, at both rates."""
    truth = np.array([digit == "1" for digit in (folder / "labels_10ms.txt").read_text().strip()])
    found = []
    for name, pattern, rate_hz in (("telephone", "8k/*.wav", 8000), ("microphone", "16k/*.flac", 16000)):
        scores, labels, wanted = [], [], []
        for path in sorted(folder.glob(pattern)):
            samples, _ = decode_file(path.read_bytes())
            made, soft = NetworkVad(rate_hz, network).feed(samples)
            frames = min(HOPS * len(made), len(truth))
            scores.append(np.repeat(soft, HOPS)[:frames])
            labels.append(np.repeat(made, HOPS)[:frames] == 1)
            wanted.append(truth[:frames])
        score, label, speech = map(np.concatenate, (scores, labels, wanted))
        for metric, value in (("AUC", area_under_curve(score, speech)), ("F1", f1(label, speech))):
            found.append(Measurement(f"eval/vad, {len(wanted)} conditions of 60 s", f"{name}, pooled", metric, round(value, 3)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "voicestream/models/vad")
    parser.add_argument("--hold", default="", help="families of noise, with commas, to hold out and measure on: " + " ".join(FAMILIES))
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    torch.set_num_threads(1)

    found = speakers(options.data / "background")
    names = sorted(found)
    np.random.default_rng(99).shuffle(names)
    learnt, kept = [found[name] for name in names[len(names) // KEPT_OUT :]], [found[name] for name in names[: len(names) // KEPT_OUT]]
    families = options.hold.split(",") if options.hold else []
    inputs, labels = hear(learnt, kinds_of([name for name in FAMILIES if name not in families]), options.scenes, 1)
    print(
        f"{len(learnt)} speakers, {options.scenes * SECONDS / 3600:.1f} h, {labels.mean():.0%} speech, {time.process_time():.0f} s of CPU"
    )
    network = train(inputs, labels, options.epochs)

    per_family = {name: hear(kept, kinds_of([name]), CHOICE_SCENES // 6, 2) for name in families or FAMILIES}
    scores = {name: probabilities(network, inputs) for name, (inputs, _) in per_family.items()}
    for name, (_, truth) in per_family.items():
        print(f"{name}: AUC {area_under_curve(np.repeat(scores[name], HOPS), truth.reshape(-1)):.3f}, speakers held out")
    score, truth = np.concatenate([*scores.values()]), np.concatenate([truth for _, truth in per_family.values()])
    threshold, hangover, best = choose(score, truth)
    area = area_under_curve(np.repeat(score, HOPS), truth.reshape(-1))
    print(f"all: AUC {area:.3f}, best F1 {best:.3f} above {threshold} with a hangover of {hangover} frames")
    if families:
        return
    weights = write_weights(network.arrays() | {HANGOVER: np.array([hangover], np.float32)})
    card = Card(
        name="compact", version="1", kind="vad", rate_hz=8000, dimension=0,
        sha256=hashlib.sha256(weights).hexdigest(), licence="Apache-2.0", threshold=threshold,
        calibration="none: the threshold has the best F1 on speakers held out of training",
        trained_on=f"speechocean762 and LibriSpeech ({len(learnt)} speakers, CC BY 4.0) in {len(set(kinds_of(list(FAMILIES))))} kinds of "
        "synthesised noise and babble, -5 to 60 dB, telephone and microphone",
        measured=(
            Measurement("background, held-out speakers, trained kinds of noise", "mixed", "AUC", round(area, 3)),
            Measurement("background, held-out speakers, trained kinds of noise", "mixed", "F1", round(best, 3)),
            *measure(read_network(weights, _stub(weights, threshold)), options.data / "vad"),
        ),
        limits="babble about as loud as the talker is taken for speech (AUC 0.6 at 0 dB), so is a fifth of hold music (Debian's "
        "asterisk-moh-opsound-wav, heard while the music of the training was made); 6 % of the loud frames of clean prompts are "
        "lost; all noise in training was synthesised",
    )  # fmt: skip
    (options.out / "compact.safetensors").write_bytes(weights)
    (options.out / "compact.json").write_text(json.dumps(asdict(card), indent=1) + "\n")
    print("\n".join(f"{row.metric} {row.value:g} {row.trials}, {row.condition}" for row in card.measured))
    print(f"{sum(array.size for array in network.arrays().values())} parameters, {len(weights)} bytes, SHA-256 {card.sha256}")


def _stub(weights: bytes, threshold: float) -> Card:
    return Card("compact", "", "vad", 8000, 0, hashlib.sha256(weights).hexdigest(), "", threshold, "", "")


if __name__ == "__main__":
    main()
