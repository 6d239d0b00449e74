"""Where machine code is kept, and that a start without such a place still works."""

import os
import subprocess
import sys
from pathlib import Path

from voicestream.dsp import _jit

ROOT = Path(__file__).parents[2]
USE = "from voicestream.dsp import g711; print(g711.mulaw_expand(bytes([0x80]))[0])"


def run(env: dict[str, str], code: str = USE) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "HOME", "NUMBA_CACHE_DIR")}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean | env, capture_output=True, text=True, check=False)


def test_kernels_are_cached_in_a_folder_of_this_user_alone(tmp_path: Path) -> None:
    made = run({"XDG_CACHE_HOME": str(tmp_path), "NUMBA_DISABLE_JIT": "0"})
    assert made.stdout.strip() == "32124"
    assert made.stderr == ""
    folder = tmp_path / "voicestream" / "kernels" / _jit.source_hash()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.rglob("*mulaw_expand*.nbc"))


def test_nowhere_to_write_costs_one_warning_and_not_the_start() -> None:
    for home in ("/proc/nowhere", "/dev/null"):
        made = run({"HOME": home, "NUMBA_DISABLE_JIT": "0"})
        assert made.stdout.strip() == "32124"
        assert made.stderr.count("cannot be written") == 1


def test_the_folder_changes_with_every_file_that_has_kernels_and_with_no_other(tmp_path: Path) -> None:
    (tmp_path / "dsp").mkdir()
    (tmp_path / "transport").mkdir()
    files = {"dsp/vad.py": "", "transport/frame.py": "from voicestream.dsp._jit import kernel", "transport/other.py": ""}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    first = _jit.source_hash(tmp_path)
    (tmp_path / "transport/other.py").write_text("changed = True")
    assert _jit.source_hash(tmp_path) == first
    for name in ("dsp/vad.py", "transport/frame.py"):
        before = _jit.source_hash(tmp_path)
        (tmp_path / name).write_text(files[name] + "\nchanged = True")
        assert _jit.source_hash(tmp_path) != before


def test_old_kernel_sets_are_forgotten(tmp_path: Path) -> None:
    folders = [tmp_path / f"{i}" for i in range(12)]
    for i, folder in enumerate(folders):
        folder.mkdir()
        os.utime(folder, (i, i))
    _jit._forget_old(tmp_path, folders[0])
    assert {int(folder.name) for folder in tmp_path.iterdir()} == {0, 4, 5, 6, 7, 8, 9, 10, 11}


def test_a_server_starts_without_scipys_signal_processing() -> None:
    """numba imports the bare package to see whether it is there; its parts would cost 0.7 s."""
    made = run({"HOME": os.path.expanduser("~")}, "import sys, voicestream.dsp.frontend; print('scipy.signal' in sys.modules)")
    assert made.stdout.strip() == "False"
