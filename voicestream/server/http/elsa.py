"""ELSA's HTTP twins, and what the links of results point to (elsa.md sections 4 and 6)."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import msgspec
import structlog
from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from voicestream import errors
from voicestream.errors import ASSESSMENT_UNKNOWN, BODY_LARGE, PeerError
from voicestream.protocols.elsa_form import FormError, Kind, Request, read_form
from voicestream.protocols.elsa_json import result_object, transcript_object
from voicestream.protocols.elsa_refusal import refusal_object, status_of
from voicestream.server.assessment import AUDIOS, RESULTS
from voicestream.server.config import MIB, Settings
from voicestream.server.elsa import ElsaFamily, base_url
from voicestream.server.http.services import Services
from voicestream.server.http.upload import Uploads

FREE: Final = "/api/v1/score_audio_plus"
SCRIPTED: Final = ("/api/v2/score_audio", "/api/v3/score_audio")
TRANSCRIPT: Final = "/api/v1/asr"
BODY_BYTES: Final = 32 * MIB
_RETRY_AFTER_S: Final = "5"

Json = dict[str, object]
_log = structlog.get_logger(__name__)


def blueprint(settings: Settings, services: Services, uploads: Uploads, family: ElsaFamily) -> Blueprint:
    """The routes, for whoever shows a token; links need none but to be deleted."""
    routes = Blueprint("elsa", __name__)
    assessments, results = family.assessments, family.assessments.results

    def tenant() -> str:
        return family.door.tenant(request.headers.get("Authorization"))

    async def assess(asked: Request, whose: str) -> Json:
        found = await family.assess(asked.service, asked.recording, whose, base_url(settings, request.headers.get("Host")))
        links: Json = {"result_link": found.result_link, "audio_link": found.audio_link}
        partial_error = found.assessment.partial_error
        if not asked.return_json:
            return links if partial_error is None else {**links, "partial_error": partial_error}
        return {**links, **result_object(found.assessment, hints=asked.service.hints)}

    async def transcribe(asked: Request, whose: str) -> Json:
        found = await family.assess(asked.service, asked.recording, whose, None)
        return transcript_object(found.assessment)

    def post(path: str, kind: Kind, answer: Callable[[Request, str], Awaitable[Json]]) -> None:
        async def view() -> Response:
            whose = tenant()
            async with uploads.form(BODY_BYTES, BODY_BYTES) as parts:
                return _json(await answer(read_form(parts, kind, family.options.plans), whose))

        routes.add_url_rule(path, path.strip("/").replace("/", "_"), view, methods=["POST"])

    post(FREE, "free", assess)
    for path in SCRIPTED:
        post(path, "scripted", assess)
    post(TRANSCRIPT, "transcript", transcribe)

    def kept(path: str, content_type: str, read: Callable[[str, float], bytes | None], delete: Callable[[str, str], bool]) -> None:
        """What a link points to: read by whoever has the link, deleted by whose it is."""

        async def get(link: str) -> Response:
            body = await services.runner.run(partial(read, link, assessments.clock()), "results")
            if body is None:
                raise PeerError(ASSESSMENT_UNKNOWN)
            return _private(Response(body, content_type=content_type))

        async def forget(link: str) -> Response:
            if not await services.runner.run(partial(delete, link, tenant()), "results"):
                raise PeerError(ASSESSMENT_UNKNOWN)
            return _private(Response("", 204))

        name = path.strip("/").replace("/", "_")
        routes.add_url_rule(f"{path}/<link>", f"{name}_get", get, methods=["GET"])
        routes.add_url_rule(f"{path}/<link>", f"{name}_delete", forget, methods=["DELETE"])

    kept(RESULTS, "application/json", results.result, results.delete_result)
    kept(AUDIOS, "audio/wav", results.audio, results.delete_audio)
    _refuse_in_its_own_words(routes, services.refused)
    return routes


def _refuse_in_its_own_words(routes: Blueprint, refused: Callable[[str], None]) -> None:
    def told(error: PeerError) -> Response:
        fault = error.fault
        status = status_of(fault)
        refused(fault.code)
        route = request.url_rule.rule if request.url_rule else "none"
        _log.info("request refused", code=fault.code, detail=error.detail, status=status, route=route)
        response = _json(refusal_object(fault, error.fields if isinstance(error, FormError) else ()), status)
        if status == 401:
            response.headers["WWW-Authenticate"] = "ELSA"
        if status in (429, 503):
            response.headers["Retry-After"] = _RETRY_AFTER_S
        return response

    @routes.errorhandler(PeerError)
    async def peer_error(error: PeerError) -> Response:
        return told(error)

    @routes.errorhandler(HTTPException)
    async def framework_error(error: HTTPException) -> Response:
        return told(PeerError(BODY_LARGE if isinstance(error, RequestEntityTooLarge) else errors.BAD_FORM))

    @routes.errorhandler(Exception)
    async def own_error(error: Exception) -> Response:
        _log.error("request failed", exc_info=error)
        return told(PeerError(errors.INTERNAL))


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    return _private(Response(msgspec.json.encode(body), status, content_type="application/json"))


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
