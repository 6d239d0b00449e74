"""The acoustic model and the dictionary inside the installed pocketsphinx package, believed by their SHA-256.

CMU Sphinx's US English: phonetically tied mixtures (PTM) and a 134,000-word dictionary, BSD licence. The package's own
native code is neither imported nor run: https://github.com/cmusphinx/pocketsphinx, `model/en-us`, version 5.1.1.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from voicestream.errors import SPEECH_MODEL_FOREIGN, SPEECH_MODEL_MISSING, PeerError
from voicestream.models.card import joint_sha256
from voicestream.models.weights import sha256_of

PACKAGE: Final = "pocketsphinx"
MODEL_DEFINITION: Final = "en-us/mdef"
MEANS: Final = "en-us/means"
VARIANCES: Final = "en-us/variances"
MIXTURE_WEIGHTS: Final = "en-us/sendump"
TRANSITIONS: Final = "en-us/transition_matrices"
DICTIONARY: Final = "cmudict-en-us.dict"

SHA256: Final = {
    MODEL_DEFINITION: "2360f9a86889c1cfee8bd618a0269387911e5fb2920a594f506b18b8c79683b0",
    MEANS: "832019e32cac12eb318964f96f469034acb12d0348eeddc3831831a100cb4dd4",
    VARIANCES: "b00d696f85e96834fc10f8e5f06428d8c4db6bffdbe5845b6f69bf6efbc48fa5",
    MIXTURE_WEIGHTS: "8c9564c0d5bef69ca9d9bf1014abe162f071644cf02cf1fa8a483c3dc165a7a8",
    TRANSITIONS: "c1f7f28ea43177be734be1f88bd7f1b9a853d0e660f8599c67c6eaeca8bb539a",
    DICTIONARY: "20b5c293e1f311fb375fe067e500ec5636f4fc7af5594967263696def9b23bfe",
}
JOINT_SHA256: Final = joint_sha256(*(SHA256[name] for name in sorted(SHA256)))


def model_folder() -> Path:
    """Where the installed package keeps its US English model; PeerError VS2100 when it is not installed."""
    spec = find_spec(PACKAGE)  # found without being imported: no native code runs
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "model", "en-us")
        if path.is_dir():
            return path
    raise PeerError(SPEECH_MODEL_MISSING)


def is_installed() -> bool:
    """Whether the package is there, damaged or not."""
    try:
        model_folder()
    except PeerError:
        return False
    return True


def model_file(name: str) -> bytes:
    """A whole file of the model; PeerError VS2100 when it is not there, VS2101 when it is another than the known one."""
    try:
        data = (model_folder() / name).read_bytes()
    except OSError as error:
        raise PeerError(SPEECH_MODEL_MISSING, error.strerror or "") from error
    if sha256_of(data) != SHA256[name]:
        raise PeerError(SPEECH_MODEL_FOREIGN)
    return data
