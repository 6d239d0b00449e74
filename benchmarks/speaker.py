"""CPU time of the speaker models, and of ECAPA-TDNN beside torch, in one process on one core, round by round in turn.

    python -m benchmarks.speaker [--quick] [--rounds N]

Rows of a model that is not installed (`voicestream models install NAME`) are left out, and so is torch's where torch
is missing; the reason is said. Before anything is timed, torch's forward pass is shown to give the same numbers. A
figure is the median over rounds of CPU us; the real-time factor counts the whole way from PCM16 at 16 kHz to a
vector: front end, features, network, projection, as a session does it.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: one core against one core
os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.kernels import cpu_us, speech_like
from benchmarks.measure import Report, pin
from voicestream.errors import PeerError
from voicestream.models.installation import ORIGINS, installed, is_installed
from voicestream.models.registry import is_available, speaker_model, speaker_models
from voicestream.models.speaker.ecapa import BLOCKS, SCALE, Ecapa
from voicestream.server.setting_source import load
from voicestream.sessions.enrolment import enrol
from voicestream.sessions.quality import Gate

ROUNDS, QUICK_ROUNDS = 9, 3
SECONDS = 3.0  # of speech: a window of a session
FRAMES = int(100 * SECONDS)
ANY = Gate(net_speech_s=0.0, level_dbfs=-200.0, clipped=1.0, snr_db=-200.0, voice=0.0)


def torch_ecapa(arrays: dict[str, NDArray[np.float32]]) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """The same network in torch.nn modules, as speechbrain.lobes.models.ECAPA_TDNN has them; ImportError without torch."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    known = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def conv(name: str, x: Any, dilation: int = 1) -> Any:
        weight = known[f"{name}.weight"]
        reach = dilation * (weight.shape[2] - 1) // 2
        padded = functional.pad(x, (reach, reach), mode="reflect") if reach else x
        return functional.conv1d(padded, weight, known[f"{name}.bias"], dilation=dilation)

    def norm(name: str, x: Any) -> Any:
        mean, variance, weight, bias = (known[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, mean, variance, weight, bias)

    def tdnn(name: str, x: Any, dilation: int = 1) -> Any:
        return norm(f"{name}.norm.norm", functional.relu(conv(f"{name}.conv.conv", x, dilation)))

    def block(name: str, x: Any, dilation: int) -> Any:
        groups = list(torch.chunk(tdnn(f"{name}.tdnn1", x), SCALE, dim=1))
        for group in range(1, SCALE):
            heard = groups[group] if group == 1 else groups[group] + groups[group - 1]
            groups[group] = tdnn(f"{name}.res2net_block.blocks.{group - 1}", heard, dilation)
        y = tdnn(f"{name}.tdnn2", torch.cat(groups, dim=1))
        gate = functional.relu(conv(f"{name}.se_block.conv1.conv", y.mean(dim=2, keepdim=True)))
        return torch.sigmoid(conv(f"{name}.se_block.conv2.conv", gate)) * y + x

    def statistics_of(x: Any, share: Any) -> tuple[Any, Any]:
        mean = (share * x).sum(2, keepdim=True)
        return mean, torch.sqrt((share * (x - mean).pow(2)).sum(2, keepdim=True).clamp(1e-12))

    def forward(mel: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            bands = torch.from_numpy(mel)
            x = tdnn("blocks.0", (bands - bands.mean(dim=0)).T[None])
            outs = []
            for number, dilation in enumerate(BLOCKS, 1):
                x = block(f"blocks.{number}", x, dilation)
                outs.append(x)
            x = tdnn("mfa", torch.cat(outs, dim=1))
            frames = x.shape[2]
            mean, deviation = statistics_of(x, torch.full((1, 1, frames), 1 / frames))
            context = torch.cat((x, mean.repeat(1, 1, frames), deviation.repeat(1, 1, frames)), dim=1)
            share = functional.softmax(conv("asp.conv.conv", torch.tanh(tdnn("asp.tdnn", context))), dim=2)
            pooled = torch.cat(statistics_of(x, share), dim=1)
            result: NDArray[np.float32] = conv("fc.conv", norm("asp_bn.norm", pooled))[0, :, 0].numpy()
            return result

    return forward


def duel(report: Report, rounds: int) -> None:
    """Our forward pass against torch's, from log-mel bands to the vector."""
    folder = load().settings.data_path()
    if not is_installed(folder, "ecapa"):
        report.say("ecapa beside torch: left out, ecapa is not installed")
        return
    arrays = installed(folder, ORIGINS["ecapa"])
    ours = Ecapa(arrays).forward
    try:
        theirs = torch_ecapa(arrays)
    except ImportError:
        report.say("ecapa beside torch: left out, torch is not installed (pip install torch)")
        return
    mel = np.random.default_rng(5).normal(-30, 10, (FRAMES, 80)).astype(np.float32)
    expected = theirs(mel)
    error = float(np.abs(ours(mel) - expected).max() / np.linalg.norm(expected))
    assert error < 1e-4, error
    report.say(f"equal results: shown, to {error:.1e} of the vector's length")
    times: dict[str, list[float]] = {"voicestream": [], "torch": []}
    for _ in range(rounds):
        for name, forward in (("voicestream", ours), ("torch", theirs)):
            times[name].append(cpu_us(lambda forward=forward: forward(mel), 3))  # type: ignore[misc]
    figures = {name: statistics.median(found) for name, found in times.items()}
    for name, found in times.items():
        report.line(
            work=f"ecapa forward, {SECONDS:g} s", contender=name, cpu_us=round(figures[name]), low=round(min(found)), high=round(max(found))
        )
    ratio = figures["voicestream"] / figures["torch"]
    row = (f"ecapa forward, {SECONDS:g} s of speech", f"{figures['voicestream']:.0f}", "torch", f"{figures['torch']:.0f}", f"{ratio:.2f}")
    report.table(("CPU us, median of " + str(rounds), "voicestream", "peer", "peer's", "ratio"), [row])


def real_time(report: Report, rounds: int) -> None:
    """Every installed model, from PCM16 to a vector."""
    folder = load().settings.data_path()
    sound = speech_like(16000, SECONDS).tobytes()
    net_s = enrol((16000, [sound]), speaker_model("mfcc"), ANY).template.net_speech_s
    rows = []
    for name in speaker_models()[:-1]:  # without the alias
        if not is_available(name, folder):
            report.say(f"{name}: left out, not installed")
            continue
        model = speaker_model(name, folder)
        work = lambda model=model: enrol((16000, [sound]), model, ANY)  # noqa: E731
        try:
            work()
        except PeerError as error:
            report.say(f"{name}: {error}")
            continue
        found = [cpu_us(work, 3) for _ in range(rounds)]
        figure = statistics.median(found)
        factor = figure / SECONDS / 1e6
        report.line(
            work=f"{name}, {SECONDS:g} s to a vector",
            cpu_us=round(figure),
            low=round(min(found)),
            high=round(max(found)),
            rtf=round(factor, 5),
        )
        rows.append((name, f"{figure:.0f}", f"{factor:.4f}"))
    report.table((f"{SECONDS:g} s of PCM16 to a vector, {net_s:.1f} s of it speech", "CPU us", "real-time factor"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    report = Report("speaker")
    pin(0)
    duel(report, rounds)
    real_time(report, rounds)


if __name__ == "__main__":
    main()
