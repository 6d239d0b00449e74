"""`voicestream serve`: the server."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from voicestream.cli.flag import ConfigFile, Host, InstallSpeech, LogFormat, LogLevel, Pairs, Port, TlsCert, TlsKey, read_settings
from voicestream.cli.terminal import fail_with
from voicestream.errors import PeerError

_SPARE_FILES = 64  # beside one per connection: the log, the kernels' cache, uploads


def serve(
    host: Host = None,
    port: Port = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    speech: InstallSpeech = False,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; both say goodbye to the sessions first.

    Examples:

      voicestream serve

      voicestream serve --port 9000 --set idle_s=60

      voicestream serve --config voicestream.toml --tls-cert chain.pem --tls-key key.pem
    """
    loaded = read_settings(
        config, pairs, host=host, port=port, tls_cert=tls_cert, tls_key=tls_key, log_format=log_format, log_level=log_level
    )
    if speech:
        from voicestream.cli.speech import install_speech

        install_speech(loaded.settings)
    from voicestream.server import logs  # before anything else that logs

    logs.configure(loaded.settings.log_format, loaded.settings.log_level)
    logs.warn(loaded.warnings)
    _allow_files(loaded.settings.connections + _SPARE_FILES)

    import trio

    # On a stack of its own: where click's calls end, CPython 3.11 may have to get and give back a chunk of the stack for each
    # of a million small calls of numba's compiler, which made a first start 2 s longer.
    with ThreadPoolExecutor(1) as fresh:
        fresh.submit(import_module, "voicestream.server.app").result()
    from voicestream.server.app import serve as run_server

    try:
        trio.run(run_server, loaded.settings)
    except PeerError as error:
        fail_with(error)


def _allow_files(wanted: int) -> None:
    """Raise this process's own limit of open files, as far as the system lets it; `doctor` tells where it does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
