"""das-Peak's back end REST under `/daspeak/v1`: its routes, who may use them, and refusals in its clients' own words."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
import structlog
from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from voicestream import errors
from voicestream.errors import PeerError
from voicestream.protocols.daspeak_backend import CANDIDATE_BYTES, Form, Json
from voicestream.protocols.daspeak_exception import refusal
from voicestream.server.config import Settings
from voicestream.server.credential import Credentials
from voicestream.server.http.api_key import principal
from voicestream.server.http.daspeak_backend import Backend
from voicestream.server.http.services import Services
from voicestream.server.http.upload import Uploads
from voicestream.server.login import Login

PREFIX: Final = "/daspeak/v1"
_FIELDS_BYTES: Final = 256 * 1024  # of a URL-encoded form, for all but the credential list

_log = structlog.get_logger(__name__)


def blueprint(settings: Settings, services: Services, uploads: Uploads, login: Login, credentials: Credentials) -> Blueprint:
    """The routes, for whoever shows an API key; what they make is sealed for the tenant of the key."""
    daspeak = Blueprint("daspeak", __name__, url_prefix=PREFIX)
    backend = Backend(settings, services, credentials)
    form_bytes = _FIELDS_BYTES + settings.daspeak_candidates * CANDIDATE_BYTES

    @daspeak.get("/alive")
    async def alive() -> Response:
        principal(login.authority)
        return _json({"status": "ok"})

    @daspeak.get("/models")
    async def models() -> Response:
        principal(login.authority)
        return _json(backend.models())

    def post(path: str, answer: Callable[..., Awaitable[Json]]) -> None:
        async def view(**of_path: str) -> Response:
            tenant = principal(login.authority).tenant
            async with uploads.form(form_bytes) as parts:
                return _json(await answer(Form(parts), tenant, **of_path))

        daspeak.add_url_rule(path, path.strip("/").replace("/", "_"), view, methods=["POST"])

    post("/models/metadata", backend.metadata)
    post("/models/calibration", backend.calibrations)
    post("/models/metadata/from-credential", backend.metadata_of_credential)
    post("/models/<model_hash>/credential/wav", backend.enrol)
    post("/similarity/credential2wav", backend.compare_credential_to_audio)
    post("/similarity/wav2wav", backend.compare_audio_to_audio)
    post("/similarity/credential2credential", backend.compare_credentials)
    post("/identification/wav2credentials", backend.identify_audio)
    post("/identification/credential2credentials", backend.identify_credential)
    _refuse_in_its_own_words(daspeak, services.refused)
    return daspeak


def _refuse_in_its_own_words(daspeak: Blueprint, refused: Callable[[str], None]) -> None:
    """Every way a request to these routes can fail ends in an exception that the client knows."""

    def told(error: PeerError) -> Response:
        answer = refusal(error)
        refused(error.fault.code)
        route = request.url_rule.rule if request.url_rule else "none"
        _log.info("request refused", code=error.fault.code, detail=error.detail, status=answer.status, route=route)
        return _json(answer.body, answer.status, answer.headers)

    @daspeak.errorhandler(PeerError)
    async def peer_error(error: PeerError) -> Response:
        return told(error)

    @daspeak.errorhandler(HTTPException)
    async def framework_error(error: HTTPException) -> Response:
        return told(PeerError(errors.BODY_LARGE if isinstance(error, RequestEntityTooLarge) else errors.BAD_FORM))

    @daspeak.errorhandler(Exception)
    async def own_error(error: Exception) -> Response:
        _log.error("request failed", exc_info=error)
        return told(PeerError(errors.INTERNAL))


def _json(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(msgspec.json.encode(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"  # credentials and scores
    response.headers.update(headers or {})
    return response
