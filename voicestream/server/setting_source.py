"""Where settings come from: flags over VOICESTREAM_* over the vendor's variables over a TOML file over defaults.

Each value keeps its origin, so that `voicestream config` can say who set it. All problems are reported
together, each with its number, before the server does anything.
"""

from __future__ import annotations

import difflib
import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.server.config import DEFAULT_MODEL, VENDOR_CONFIGURATIONS, Settings, decode_key

PREFIX = "VOICESTREAM_"
FILE_VARIABLE = "VOICESTREAM_CONFIG"
VENDOR = "IDRND_VOICESDK_"

_VENDOR_NAMES = {
    f"{VENDOR}COMPONENTS_VERIFY": "component_verify",
    f"{VENDOR}COMPONENTS_MEDIA": "component_media",
    f"{VENDOR}COMPONENTS_LIVENESS": "component_liveness",
    f"{VENDOR}COMPONENTS_TEMPLATE_CONVERTER": "component_template_converter",
    "SERVER_ALLOW_CORS": "allow_cors",
    "SERVER_PORT": "port",
}
_VENDOR_WITHOUT_EFFECT = tuple(
    f"{VENDOR}{name}"
    for name in ("COMPONENTS_ANTISPOOF", "COMPONENTS_DIARIZATION", "COMPONENTS_AED", "COMPONENTS_ATTRIBUTES") + ("VERIFY_VERIFY_METHODS",)
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the settings: the numbered sentence, and whose value it is about."""

    fault: Fault
    detail: str

    def __str__(self) -> str:
        return f"{self.fault.code} {self.fault.sentence}: {self.detail}"


class SettingsError(Exception):
    """The settings do not make a server; `problems` holds all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The effective settings, the origin of each by name, and what the operator should hear about."""

    settings: Settings
    origins: dict[str, str]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    raw: object
    origin: str


_Layer = dict[str, _Value]


def load(flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None, file: Path | None = None) -> Loaded:
    """Settings from all sources; raises SettingsError with every problem found.

    `flags`: setting name -> value. `environ`: os.environ unless given; an empty variable counts as unset.
    """
    environ = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    problems: list[Problem] = []
    warnings: list[Problem] = []
    from_file = _file_layer(file, environ, problems)
    layers = [
        {name: _Value(value, f"flag --{name.replace('_', '-')}") for name, value in (flags or {}).items()},
        _own_layer(environ, warnings),
        _vendor_layer(environ, from_file.get("configurations"), warnings),
        from_file,
    ]
    merged: _Layer = {}
    for layer in reversed(layers):
        merged |= layer
    for name in [name for name in merged if name not in Settings.model_fields]:
        problems.append(Problem(errors.UNKNOWN_SETTING, _with_hint(name, merged.pop(name).origin)))
    try:
        settings = Settings.model_validate({name: value.raw for name, value in merged.items()})
    except ValidationError as error:
        problems += [
            _wrong_value(merged, problem["loc"], problem["msg"]) for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError(problems) from None  # the validator's own error would repeat the values, a key among them
    settings = settings.model_copy(update={"model": settings.configurations.get(settings.model, settings.model)})
    origins = {name: merged[name].origin if name in merged else "default" for name in Settings.model_fields}
    problems += _file_problems(settings) + (_model_problems(settings, origins) or _calibration_problems(settings, origins))
    if problems:
        raise SettingsError(problems)
    return Loaded(settings, origins, tuple(warnings))


def _file_layer(file: Path | None, environ: Mapping[str, str], problems: list[Problem]) -> _Layer:
    path = file or (Path(environ[FILE_VARIABLE]) if FILE_VARIABLE in environ else None)
    if path is None:
        return {}
    try:
        with path.open("rb") as opened:
            return {name: _Value(value, f"file {path}") for name, value in tomllib.load(opened).items()}
    except OSError as error:
        problems.append(Problem(errors.SETTINGS_FILE, f"{path}: {error.strerror}"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(errors.SETTINGS_FILE, f"{path}: {error}"))
    return {}


def _own_layer(environ: Mapping[str, str], warnings: list[Problem]) -> _Layer:
    layer: _Layer = {}
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or variable in (FILE_VARIABLE, *_OTHER_VARIABLES):
            continue
        if value.startswith("tcp://"):  # Kubernetes tells every pod about a service called `voicestream` in this spelling
            warnings.append(Problem(errors.IGNORED_VARIABLE, f"{variable} is a service link of Kubernetes"))
        elif name in Settings.model_fields:
            layer[name] = _Value(value, f"env {variable}")
        else:  # only a warning: a service link has seven spellings
            warnings.append(Problem(errors.IGNORED_VARIABLE, _with_hint(name, variable)))
    return layer


_OTHER_VARIABLES = (  # read by the command line's client, no settings of the server
    "VOICESTREAM_URL",
    "VOICESTREAM_CLIENT_ID",
    "VOICESTREAM_CLIENT_SECRET",
    "VOICESTREAM_APIKEY",
    "VOICESTREAM_AUDIOHOOK_SECRET",
)


def _vendor_layer(environ: Mapping[str, str], table: _Value | None, warnings: list[Problem]) -> _Layer:
    layer = {name: _Value(environ[variable], f"env {variable}") for variable, name in _VENDOR_NAMES.items() if variable in environ}
    old = [variable for variable in _VENDOR_WITHOUT_EFFECT if variable in environ]
    if old:
        warnings.append(Problem(errors.IGNORED_VARIABLE, ", ".join(old)))
    known = table.raw if table and isinstance(table.raw, dict) else dict.fromkeys(VENDOR_CONFIGURATIONS, DEFAULT_MODEL)
    offered = f"{VENDOR}VERIFY_INIT_DATAS"
    if offered in environ:
        names = [_bare(name) for name in environ[offered].split(",") if name.strip()]
        warnings += [Problem(errors.UNKNOWN_CONFIGURATION, f"{offered}, name {i + 1}") for i, name in enumerate(names) if name not in known]
        layer["configurations"] = _Value({name: known[name] for name in names if name in known}, f"env {offered}")
    for variable in (f"{VENDOR}VERIFY_INIT_DATA", f"{VENDOR}VERIFY_DEFAULT_INIT_DATA"):  # the newer name wins
        if variable in environ and _bare(environ[variable]) in known:
            layer["model"] = _Value(known[_bare(environ[variable])], f"env {variable}")
        elif variable in environ:
            warnings.append(Problem(errors.UNKNOWN_CONFIGURATION, variable))
    return layer


def _bare(configuration: str) -> str:
    """`verify/TI-mic`, the vendor's old spelling, -> `TI-mic`."""
    return configuration.strip().removeprefix("verify/")


def _wrong_value(merged: _Layer, location: tuple[int | str, ...], message: str) -> Problem:
    name = str(location[0])
    return Problem(errors.WRONG_SETTING, f"{name} ({merged[name].origin}): {message}")


def _with_hint(name: str, origin: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"{origin}: no setting is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _file_problems(settings: Settings) -> list[Problem]:
    """What only a look at the disk can tell: a certificate, its key, a template key."""
    found: list[Problem] = []
    if (settings.tls_cert is None) != (settings.tls_key is None):
        found.append(Problem(errors.TLS_FILES, "one of tls_cert and tls_key is missing"))
    elif settings.tls_cert is not None and settings.tls_key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            found.append(Problem(errors.TLS_FILES, getattr(error, "strerror", None) or type(error).__name__))
    if settings.template_key is not None and settings.template_key_file is not None:
        found.append(Problem(errors.TEMPLATE_KEY_SETTING, "both template_key and template_key_file are set"))
    elif settings.template_key_file is not None:
        try:
            decode_key(settings.template_key_file.read_text("ascii"))
        except (OSError, ValueError) as error:
            detail = error.strerror if isinstance(error, OSError) else "not 32 bytes as hex or base64"
            found.append(Problem(errors.TEMPLATE_KEY_SETTING, f"template_key_file: {detail}"))
    return found


def _model_problems(settings: Settings, origins: Mapping[str, str]) -> list[Problem]:
    wanted = {"model": {settings.model}, "configurations": set(settings.configurations.values())}
    if set().union(*wanted.values()) <= {DEFAULT_MODEL}:
        return []  # without a look at the registry, which loads the kernels
    from voicestream.models.registry import is_available, speaker_models

    known, folder = speaker_models(), settings.data_path()
    found: list[Problem] = []
    for setting, models in wanted.items():
        for model in sorted(models):
            # The active model may be the name of a configuration.
            name = settings.model_of(model) or model if setting == "model" else model
            if name not in known:
                told = f"{setting} ({origins[setting]}): names a model that there is not; there is {', '.join(known)}"
                found.append(Problem(errors.WRONG_SETTING, told))
            elif not is_available(name, folder):
                found.append(Problem(errors.MODEL_NOT_INSTALLED, f"{setting} ({origins[setting]}): {name}, in {folder}"))
    return found


def _calibration_problems(settings: Settings, origins: Mapping[str, str]) -> list[Problem]:
    if settings.calibration is None:
        return []
    from voicestream.server.voice import active_model

    try:
        active_model(settings)
    except PeerError as error:
        return [Problem(error.fault, f"calibration ({origins['calibration']}): {error.detail or settings.calibration}")]
    return []
