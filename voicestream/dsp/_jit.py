"""The one place that decides how kernels compile and where their machine code is kept.

A kernel has an explicit signature, so the import pays for its compilation and never a live stream. The
inputs it only reads are typed read-only: `np.frombuffer(bytes)` is read-only, and without the type the
kernel would compile once more per variant (numba#4511). Machine code is cached in a folder named after a
hash of every kernel source, because numba itself only stamps the entry function's file and would go on
using an old result after an edit of a callee. Where nothing can be written, kernels compile at each start.
"""

import hashlib
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import types

_Function = TypeVar("_Function", bound=Callable[..., Any])

U8 = types.Array(types.uint8, 1, "C")
I16 = types.Array(types.int16, 1, "C")
I16_RO = types.Array(types.int16, 1, "C", readonly=True)  # takes writable arrays as well
I32_RO = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C")
I64_RO = types.Array(types.int64, 1, "C", readonly=True)
F32 = types.Array(types.float32, 1, "C")
F32_RO = types.Array(types.float32, 1, "C", readonly=True)
F64 = types.Array(types.float64, 1, "C")
F32_2D = types.Array(types.float32, 2, "C")
F32_2D_RO = types.Array(types.float32, 2, "C", readonly=True)
# Python objects as they are: 0.19 us per call where np.frombuffer alone costs 0.24. Use len(), not .shape.
BYTES = types.Bytes(types.uint8, 1, "C", readonly=True)
BYTEARRAY = types.ByteArray(types.uint8, 1, "C")
INT = types.int64
FLOAT = types.float64
VOID = types.void

# Sums may be reordered and fused, which vector code needs (6.2x on a dot product), but NaN, infinity and
# signed zero stay what they are: a peer's bytes must not turn into undefined behaviour.
REASSOCIATE: frozenset[str] = frozenset({"reassoc", "contract", "nsz"})

_CONFIG: Any = numba.config  # its attributes appear at run time
_PACKAGE = Path(__file__).resolve().parent.parent
_KEPT_VERSIONS = 8  # cached kernel sets kept beside the one in use


def kernel(signature: Any, *, fastmath: Iterable[str] = frozenset()) -> Callable[[_Function], _Function]:
    """Compile a function at import for one signature (or a list of them), without the GIL while it runs.

    Division by zero follows IEEE 754 and indices are not checked: a kernel raises nothing.
    """

    def compile_now(function: _Function) -> _Function:
        before = _CONFIG.CACHE_DIR
        _CONFIG.CACHE_DIR = _FOLDER  # read once, when the dispatcher is made
        try:
            made = numba.njit(signature, nogil=True, error_model="numpy", fastmath=set(fastmath), cache=bool(_FOLDER))(function)
        finally:
            _CONFIG.CACHE_DIR = before
        return made  # type: ignore[no-any-return]

    return compile_now


def late_kernel(signature: Any, *, fastmath: Iterable[str] = frozenset()) -> Callable[[_Function], _Function]:
    """As kernel(), but made at the first call: for what most servers never run, so that their start does not pay for it.

    Nor may a live stream: whoever wants it for streams calls it once before.
    """

    def defer(function: _Function) -> _Function:
        made: list[_Function] = []

        @wraps(function)
        def call(*arguments: Any) -> Any:
            if not made:
                made.append(kernel(signature, fastmath=fastmath)(function))
            return made[0](*arguments)

        return call  # type: ignore[return-value]

    return defer


def part(*, fastmath: Iterable[str] = frozenset(), inline: bool = False) -> Callable[[_Function], _Function]:
    """Mark a function that only kernels call: it compiles into each caller, and costs a warm start nothing.

    It keeps no code of its own: a copy shared by two kernels made a fresh one differ from a cached one in the last bits.
    inline: becomes text of its one caller, under the caller's fastmath, instead of being compiled on its own first.
    """
    decorate: Any = numba.njit(
        nogil=True, error_model="numpy", fastmath=set(fastmath), forceinline=not inline, inline="always" if inline else "never"
    )
    return decorate  # type: ignore[no-any-return]


def source_hash(package: Path = _PACKAGE) -> str:
    """Name of the present kernels: a hash over every file of `package` that has any, and numba's version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        if path.parent.name == "dsp" or b"dsp._jit import" in text:
            digest.update(b"%s\0%d\0" % (str(path.relative_to(package)).encode(), len(text)))
            digest.update(text)
    return digest.hexdigest()[:16]


def cache_folder() -> str:
    """Folder for machine code under the user's cache, made if needed; "" with one warning if nothing can be written.

    Entries are pickles that numba loads, so the folder belongs to this user alone.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~"), ".cache")) / "voicestream" / "kernels"
    folder = root / source_hash()
    try:
        if not root.is_absolute():
            raise OSError(f"{root} is not absolute")
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _forget_old(root, folder)
        if folder.stat().st_uid != os.getuid():
            raise OSError(f"{folder} belongs to another user")
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        warnings.warn(f"kernels are compiled at every start, their cache cannot be written: {error}", RuntimeWarning, stacklevel=2)
        return ""
    return str(folder)


def _forget_old(root: Path, present: Path) -> None:
    def age(folder: Path) -> float:
        try:
            return folder.stat().st_mtime
        except OSError:  # another process forgot it first
            return 0.0

    others = sorted((folder for folder in root.iterdir() if folder != present), key=age, reverse=True)
    for folder in others[_KEPT_VERSIONS:]:
        shutil.rmtree(folder, ignore_errors=True)


_FOLDER = "" if _CONFIG.DISABLE_JIT else cache_folder()
