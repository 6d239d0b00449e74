"""An operator's recordings by speaker: a folder of folders, or a CSV of two columns."""

from __future__ import annotations

import csv
from pathlib import Path

from voicestream import errors
from voicestream.cli.evaluation.hearing import Folder, recordings
from voicestream.cli.recording import read_bytes
from voicestream.errors import PeerError


def read_speakers(place: Path) -> dict[str, list[Path]]:
    """Recordings by speaker, both sorted; `PeerError` VS1044 when `place` holds no speaker, or a file is two people's."""
    found = _of_folder(place) if place.is_dir() else _of_csv(place)
    files = [file.resolve() for speaker in found.values() for file in speaker]
    if not files:
        raise PeerError(errors.SPEAKER_FOLDER, f"{place}: no folder in it holds a recording")
    twice = len(files) - len(set(files))
    if twice:
        raise PeerError(errors.SPEAKER_FOLDER, f"{place}: {twice} recordings are listed twice")
    return found


def _of_folder(place: Path) -> dict[str, list[Path]]:
    by_speaker = {folder.name: recordings(folder) for folder in sorted(place.iterdir()) if folder.is_dir()}
    return {speaker: files for speaker, files in by_speaker.items() if files}


def _of_csv(place: Path) -> dict[str, list[Path]]:
    """Lines `speaker,file`, the files beside the list; a first line that says so is a header."""
    folder = Folder(place.parent)
    found: dict[str, list[Path]] = {}
    for number, row in enumerate(csv.reader(read_bytes(place).decode("utf-8-sig", "replace").splitlines()), 1):
        fields = [field.strip() for field in row]
        if not any(fields) or (number == 1 and fields[-1].lower() in ("file", "path", "recording")):
            continue
        if len(fields) != 2 or not all(fields):
            raise PeerError(errors.SPEAKER_FOLDER, f"{place}, line {number}: two columns, speaker and file, are wanted")
        found.setdefault(fields[0], []).extend(folder.find(fields[1]))
    return {speaker: sorted(files) for speaker, files in sorted(found.items())}
