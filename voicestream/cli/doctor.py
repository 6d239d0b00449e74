"""`voicestream doctor`: is this machine ready, and what to do where it is not."""

from __future__ import annotations

import os
import resource
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from voicestream.cli.flag import ConfigFile, Pairs, Port, read_settings
from voicestream.cli.terminal import NEGATIVE, console

if TYPE_CHECKING:
    from voicestream.server.config import Settings


class Health(Enum):
    """How a check went: WARN is something that works without."""

    GOOD = "✓"
    WARN = "!"
    BAD = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and how to fix it where it is not good."""

    health: Health
    about: str
    found: str
    fix: str = ""


def doctor(port: Port = None, config: ConfigFile = None, pairs: Pairs = None) -> None:
    """Check this machine: Python, processor, kernel cache, Opus, models, port, file limit, microphone.

    Exit code 1 when something the server needs is missing.
    """
    settings = read_settings(config, pairs, port=port).settings
    out = console()
    style = {Health.GOOD: "green", Health.WARN: "yellow", Health.BAD: "bold red"}
    worst = False
    for check in CHECKS:
        for finding in check(settings):
            out.print(finding.health.value, style=style[finding.health], end=" ")
            out.print(f"{finding.about:12} {finding.found}", markup=False, soft_wrap=True)
            if finding.fix:
                out.print(f"  {'':12} fix: {finding.fix}", style="dim", markup=False, soft_wrap=True)
            worst |= finding.health is Health.BAD
    if worst:
        raise SystemExit(NEGATIVE)


def python(_settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(Health.GOOD, "python", version)


def processor(_settings: Settings) -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next((line.split() for line in lines if line.startswith(("flags", "Features"))), [])
    except OSError:
        flags = []
    wide = [name for name in ("avx512f", "avx2", "fma", "asimd") if name in flags]
    yield Finding(Health.GOOD, "processor", f"{cores} cores" + (f", {', '.join(wide)}" if wide else ""))


def kernel_cache(_settings: Settings) -> Iterator[Finding]:
    with warnings.catch_warnings(action="ignore"):  # said below, with its fix
        from voicestream.dsp._jit import cache_folder

        folder = cache_folder()
    if folder and os.access(folder, os.W_OK):
        yield Finding(Health.GOOD, "kernel cache", folder)
    else:
        yield Finding(
            Health.WARN,
            "kernel cache",
            "no writable folder: each start compiles for some seconds",
            "set XDG_CACHE_HOME to a folder of yours",
        )


def opus(_settings: Settings) -> Iterator[Finding]:
    from voicestream.codecs.opus import OpusDecoder
    from voicestream.errors import MisuseError

    try:
        OpusDecoder(16_000)
    except MisuseError as error:
        yield Finding(Health.BAD, "opus", str(error), "reinstall the package `av`, or apt-get install libopus0")
    else:
        yield Finding(Health.GOOD, "opus", "libopus decodes")


def models(settings: Settings) -> Iterator[Finding]:
    from voicestream.errors import PeerError
    from voicestream.models.registry import speaker_model

    try:
        card = speaker_model(settings.model, settings.data_path()).card
    except (PeerError, KeyError, OSError) as error:
        yield Finding(Health.BAD, "model", f"{settings.model}: {error}", "`voicestream models` lists them; set `model` to one")
    else:
        yield Finding(Health.GOOD, "model", f"{card.name} {card.version}, weights {card.sha256[:12]}…")


def port(settings: Settings) -> Iterator[Finding]:
    try:
        with socket.create_server((settings.host, settings.port)):
            yield Finding(Health.GOOD, "port", f"{settings.host} {settings.port} is free")
    except OSError as error:
        yield Finding(
            Health.BAD, "port", f"{settings.host} {settings.port}: {error.strerror}", "choose another with --port, or see `ss -ltnp`"
        )


def file_limit(settings: Settings) -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > settings.connections:
        yield Finding(Health.GOOD, "open files", f"up to {'any number' if hard == resource.RLIM_INFINITY else hard}")
    else:
        yield Finding(
            Health.BAD, "open files", f"up to {hard}, {settings.connections} connections wanted (VS1009)",
            "raise it (`ulimit -n 8192`, LimitNOFILE= of systemd) or lower the setting `connections`",
        )  # fmt: skip


def seal(settings: Settings) -> Iterator[Finding]:
    if settings.sealing_key() is not None:
        yield Finding(Health.GOOD, "templates", "sealed with your key")
    else:
        yield Finding(Health.WARN, "templates", "not sealed", "set template_key_file; make a key with `openssl rand -hex 32`")


def microphone(_settings: Settings) -> Iterator[Finding]:
    try:
        import sounddevice

        name = sounddevice.query_devices(kind="input")["name"]
    except (ImportError, OSError):
        yield Finding(Health.WARN, "microphone", "PortAudio is missing (only `client --mic` needs it)", "apt-get install libportaudio2")
    except (ValueError, sounddevice.PortAudioError):
        yield Finding(Health.WARN, "microphone", "none (only `client --mic` needs one)")
    else:
        yield Finding(Health.GOOD, "microphone", str(name))


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    python, processor, kernel_cache, opus, models, port, file_limit, seal, microphone,
)  # fmt: skip
