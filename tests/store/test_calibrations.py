from pathlib import Path

import pytest

from tests.models.test_calibrated import calibration
from voicestream.errors import PeerError
from voicestream.store.calibrations import load_calibration, save_calibration


def test_what_is_saved_is_found_by_its_name(tmp_path: Path) -> None:
    save_calibration(tmp_path / "data", calibration())
    save_calibration(tmp_path / "data", calibration(threshold=0.5))
    assert load_calibration(tmp_path / "data", "office").threshold == 0.5
    assert [file.name for file in (tmp_path / "data" / "calibrations").iterdir()] == ["office.json"]


def test_a_missing_or_damaged_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="VS3030"):
        load_calibration(tmp_path, "office")
    save_calibration(tmp_path, calibration()).write_text("{")
    with pytest.raises(PeerError, match="VS3030"):
        load_calibration(tmp_path, "office")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "a" * 65, "a\nb"])
def test_a_name_never_leads_to_another_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(PeerError, match="VS3030"):
        load_calibration(tmp_path, name)
