"""The model comes from the installed package, is believed by its SHA-256, and runs nothing of it."""

import subprocess
import sys

import pytest

from voicestream.errors import PeerError
from voicestream.models.speech import package


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(package.SHA256, package.TRANSITIONS, "0" * 64)
    with pytest.raises(PeerError, match="VS2101"):
        package.model_file(package.TRANSITIONS)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "PACKAGE", "no_such_package")
    assert not package.is_installed()
    with pytest.raises(PeerError, match="VS2100"):
        package.model_file(package.MEANS)


def test_no_native_code_of_the_package_is_loaded() -> None:
    code = "import sys; from voicestream.models.speech.aligner import aligner; aligner(); print(*(m for m in sys.modules if 'sphinx' in m))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == ""


def test_a_starting_server_does_not_import_scipy_for_it() -> None:
    heavy = "{'scipy.signal', 'scipy.stats', 'scipy.optimize', 'torch'}"  # numba itself imports scipy's root
    code = f"import sys, voicestream.models.speech.aligner; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "set()"
