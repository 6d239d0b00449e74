"""Named calibrations: `calibrations/NAME.json` in the data folder."""

import os
import re
from pathlib import Path
from typing import Final

from voicestream.errors import CALIBRATION_FILE, PeerError
from voicestream.models.speaker.calibrated import Calibration, calibration_text, read_calibration

NAME_PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # a file name on every system, and never another folder


def calibration_path(data_folder: Path, name: str) -> Path:
    """Where the calibration of that name lies, there or not; `PeerError` VS3030 for what is no name."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise PeerError(CALIBRATION_FILE, "a name is letters, digits, dots, dashes and underscores")
    return data_folder / "calibrations" / f"{name}.json"


def load_calibration(data_folder: Path, name: str) -> Calibration:
    """The calibration of that name; `PeerError` VS3030 when it is missing or damaged."""
    path = calibration_path(data_folder, name)
    try:
        return read_calibration(path.read_bytes())
    except OSError as error:
        raise PeerError(CALIBRATION_FILE, f"{path}: {error.strerror}") from None
    except PeerError as error:
        raise PeerError(CALIBRATION_FILE, f"{path}: {error.detail}") from None


def calibration_names(data_folder: Path) -> list[str]:
    """Names of all calibrations in the data folder, damaged ones too, sorted; none when it cannot be read."""
    found = (path.stem for path in (data_folder / "calibrations").glob("*.json"))
    return sorted(name for name in found if re.fullmatch(NAME_PATTERN, name))


def save_calibration(data_folder: Path, calibration: Calibration) -> Path:
    """Write it under its name, whole or not at all; `OSError` when the folder cannot be written."""
    path = calibration_path(data_folder, calibration.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(calibration_text(calibration), encoding="ascii")
    os.replace(written, path)
    return path
