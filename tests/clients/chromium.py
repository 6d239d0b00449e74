"""A headless Chromium with a recording for a microphone, and a place for pages to be served from."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import BrowserContext, sync_playwright

PATH = Path("/usr/bin/chromium")
_WAIT_S = 90  # the machine may be busy
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip


@contextmanager
def browsers(*microphones: Path | None) -> Iterator[list[BrowserContext]]:
    """A browser for each microphone: a WAV file that it hears again and again, or None."""
    with sync_playwright() as playwright:
        chromium = partial(playwright.chromium.launch, executable_path=PATH, headless=True)
        opened = [chromium(args=[*_ARGUMENTS, f"--use-file-for-fake-audio-capture={file}"] if file else _ARGUMENTS) for file in microphones]
        contexts = [browser.new_context() for browser in opened]
        for context in contexts:
            context.set_default_timeout(_WAIT_S * 1000)
        try:
            yield contexts
        finally:
            for browser in opened:
                browser.close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """The files of `folder` at the URL given: another origin than the voice server's, and a secure context for a microphone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=folder))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
