"""Pages for people: the landing page, the catalogue of errors, Swagger, and the two machine-readable documents.

Everything is served from here, nothing from elsewhere: the content security policy says so to the browser.
"""

import json
import re
from collections.abc import Awaitable, Callable
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias

from quart import Blueprint, Response, send_file

from voicestream import __version__
from voicestream.errors import CATALOGUE, FAMILIES, Fault

Document: TypeAlias = dict[str, object]

_SAFE: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
# Swagger UI writes style attributes and draws its arrows from data: addresses.
_SWAGGER: Final = _SAFE + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_SWAGGER_FILES: Final = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
)
_OWN_FILES: Final = ("page.css", "swagger.css", "swagger.js", "favicon.svg")


def blueprint(openapi: Callable[[], Document], asyncapi: Callable[[], Document]) -> Blueprint:
    """GET `/`, `/errors`, `/swagger-ui.html`, `/openapi.json`, `/asyncapi.json` and the files under `/web/`."""
    pages = Blueprint("page", __name__)
    own = Path(str(files("voicestream") / "web"))
    served = {name: own / name for name in _OWN_FILES} | {name: _swagger_folder() / name for name in _SWAGGER_FILES}

    @pages.get("/")
    async def landing() -> Response:
        return _html((own / "index.html").read_text("utf-8").replace("@version@", escape(__version__)))

    @pages.get("/errors")
    async def errors() -> Response:
        page = (own / "errors.html").read_text("utf-8")
        return _html(page.replace("@catalogue@", _catalogue()).replace("@version@", escape(__version__)))

    @pages.get("/swagger-ui.html")
    async def swagger() -> Response:
        return _html((own / "swagger.html").read_text("utf-8"), _SWAGGER)

    @pages.get("/openapi.json")
    async def openapi_json() -> Response:
        return _json(openapi())

    @pages.get("/asyncapi.json")
    async def asyncapi_json() -> Response:
        return _json(asyncapi())

    for name, path in served.items():
        pages.add_url_rule(f"/web/{name}", name.replace(".", "_"), _file_view(path), methods=["GET"])
    return pages


def _file_view(path: Path) -> Callable[[], Awaitable[Response]]:
    async def view() -> Response:
        return await send_file(path, conditional=True)

    return view


def _swagger_folder() -> Path:
    # Only where it lies: the package itself imports importlib machinery at 30 ms for one constant.
    import swagger_ui_bundle

    return Path(str(swagger_ui_bundle.swagger_ui_path))


def _html(text: str, policy: str = _SAFE) -> Response:
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy
    return response


def _json(document: Document) -> Response:
    return Response(json.dumps(document, ensure_ascii=False, indent=1), content_type="application/json")


def _catalogue() -> str:
    sections: dict[str, list[Fault]] = {}
    for code in sorted(CATALOGUE):
        sections.setdefault(FAMILIES[code[2:4]], []).append(CATALOGUE[code])
    return "\n".join(f"<h2>{escape(title)}</h2>\n" + "\n".join(map(_entry, faults)) for title, faults in sections.items())


def _entry(fault: Fault) -> str:
    code, sentence, cause, fix = map(_marked, (fault.code, fault.sentence, fault.cause, fault.fix))
    return (
        f'<section id="{code}"><h3><a href="#{code}">{code}</a> {sentence}</h3>'
        f"<dl><dt>Cause</dt><dd>{cause}</dd><dt>Fix</dt><dd>{fix}</dd></dl></section>"
    )


def _marked(text: str) -> str:
    """`text` as HTML, its `quoted` commands as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))
