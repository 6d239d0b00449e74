"""das-Peak's back end REST: credentials from recordings, similarities, identification; nothing is kept."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import msgspec
import structlog
from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from voicestream import errors
from voicestream.errors import TEMPLATE_MODEL, PeerError
from voicestream.models.speaker.model import SpeakerModel
from voicestream.protocols import daspeak_backend as dialect
from voicestream.protocols.daspeak_backend import Form, Heard, Json
from voicestream.server.config import Settings
from voicestream.server.credential import Credentials
from voicestream.server.http.api_key import principal
from voicestream.server.http.daspeak_recording import Hearing
from voicestream.server.http.services import Services
from voicestream.server.http.upload import Uploads
from voicestream.server.login import Login
from voicestream.server.voice import offered_calibrations
from voicestream.sessions.identification import compare
from voicestream.sessions.vocabulary import Template

PREFIX: Final = "/daspeak/v1"
_CANDIDATE_BYTES: Final = 4 * 1024  # of a URL-encoded form, for each candidate that may be in it
_FIELDS_BYTES: Final = 256 * 1024  # and for all the rest of it

_log = structlog.get_logger(__name__)

Answer = Callable[[Form, str], Awaitable[Json]]  # of a form of that tenant's


def blueprint(settings: Settings, services: Services, uploads: Uploads, login: Login, credentials: Credentials) -> Blueprint:
    """The routes under `/daspeak/v1`, for whoever shows an API key."""
    daspeak = Blueprint("daspeak", __name__, url_prefix=PREFIX)
    hearing = Hearing(settings, services)
    calibrations = {model_hash: offered_calibrations(settings, model) for model_hash, model in credentials.models.items()}
    form_bytes = _FIELDS_BYTES + settings.daspeak_candidates * _CANDIDATE_BYTES
    default_model = next(iter(credentials.models.values()))

    def model_of(model_hash: bytes) -> SpeakerModel:
        if model_hash not in credentials.models:
            raise dialect.model_unknown(model_hash.hex())
        return credentials.models[model_hash]

    def calibrated(model: SpeakerModel, calibration: str) -> SpeakerModel:
        if calibration not in calibrations[model.card.hash]:
            raise dialect.calibration_unknown(calibration)
        return calibrations[model.card.hash][calibration]

    # ---- models

    async def alive() -> Json:
        return {"status": "ok"}

    async def models() -> Json:
        return dialect.models([*credentials.models][::-1])  # clients take the last one: all examples of vericlient do

    async def metadata(form: Form, _tenant: str) -> Json:
        return _metadata(model_of(form.model_hash()))

    async def model_calibrations(form: Form, _tenant: str) -> Json:
        return dialect.calibrations([*calibrations[model_of(form.model_hash()).card.hash]])

    async def metadata_of_credential(form: Form, tenant: str) -> Json:
        return _metadata(model_of(credentials.open(form.credential("credential"), tenant).model_hash))

    # ---- credentials and similarities

    async def enrol(form: Form, tenant: str, model_hash: str) -> Json:
        model = calibrated(model_of(dialect.read_hash(model_hash)), form.calibration())
        template, heard = await hearing.hear(form.audio("audio"), form.channel(), model)
        return dialect.enrolled(model.card.hash, credentials.seal(template, tenant), heard)

    async def credential_to_audio(form: Form, tenant: str) -> Json:
        reference = credentials.open(form.credential("credential_reference"), tenant)
        model = calibrated(model_of(reference.model_hash), form.calibration())
        evaluated, heard = await hearing.hear(form.audio("audio_to_evaluate"), form.channel(), model)
        (found,) = compare(evaluated, [reference], model)
        return dialect.compared(found.probability, model.card.hash, form.calibration(), heard)

    async def audio_to_audio(form: Form, _tenant: str) -> Json:
        model = calibrated(default_model, form.calibration())
        sides = [(form.audio(f"audio_{side}"), form.channel(f"channel_{side}")) for side in ("reference", "to_evaluate")]
        (reference, of_reference), (evaluated, of_evaluated) = [await hearing.hear(audio, channel, model) for audio, channel in sides]
        (found,) = compare(evaluated, [reference], model)
        return dialect.compared(found.probability, model.card.hash, form.calibration(), of_evaluated, of_reference)

    async def credential_to_credential(form: Form, tenant: str) -> Json:
        reference, evaluated = (credentials.open(form.credential(f"credential_{side}"), tenant) for side in ("reference", "to_evaluate"))
        model = calibrated(model_of(evaluated.model_hash), form.calibration())
        (found,) = compare(evaluated, [reference], model)
        return dialect.credentials_compared(found.probability, model.card.hash, form.calibration())

    # ---- identification

    async def audio_to_credentials(form: Form, tenant: str) -> Json:
        form.calibration()  # refused before the work
        names, voices = await candidates(form, tenant)
        model = calibrated(model_of(voices[0].model_hash), form.calibration())
        evaluated, heard = await hearing.hear(form.audio("audio_to_evaluate"), form.channel(), model)
        return await identified(names, voices, evaluated, model, form.calibration(), heard)

    async def credential_to_credentials(form: Form, tenant: str) -> Json:
        evaluated = credentials.open(form.credential("credential_to_evaluate"), tenant)
        model = calibrated(model_of(evaluated.model_hash), form.calibration())
        names, voices = await candidates(form, tenant)
        return await identified(names, voices, evaluated, model, form.calibration(), None)

    async def candidates(form: Form, tenant: str) -> tuple[list[str], list[Template]]:
        """Ids and voices of a credential list, opened on a thread: a thousand of them take some 30 ms."""

        def opened() -> tuple[list[str], list[Template]]:
            found = form.candidates(settings.daspeak_candidates)
            voices = [credentials.open(one.credential, tenant) for one in found]
            if any(voice.model_hash != voices[0].model_hash for voice in voices):
                raise PeerError(TEMPLATE_MODEL)
            return [one.id for one in found], voices

        return await services.runner.run(opened, default_model.card.name)

    async def identified(
        names: list[str], voices: list[Template], evaluated: Template, model: SpeakerModel, calibration: str, heard: Heard | None
    ) -> Json:
        found = await services.runner.run(partial(compare, evaluated, voices, model), model.card.name)
        best = max(range(len(found)), key=found.__getitem__)
        ranking = list(zip(names, (one.probability for one in found), strict=True))
        return dialect.identified(ranking, best, model.card.hash, calibration, heard)

    # ---- routes

    def get(path: str, answer: Callable[[], Awaitable[Json]]) -> None:
        async def view() -> Response:
            principal(login.authority)
            return _json(await answer())

        daspeak.add_url_rule(path, path.strip("/"), view, methods=["GET"])

    def post(path: str, answer: Callable[..., Awaitable[Json]]) -> None:
        async def view(**of_path: str) -> Response:
            tenant = principal(login.authority).tenant
            async with uploads.form(form_bytes) as parts:
                return _json(await answer(Form(parts), tenant, **of_path))

        daspeak.add_url_rule(path, path.strip("/").replace("/", "_"), view, methods=["POST"])

    get("/alive", alive)
    get("/models", models)
    post("/models/metadata", metadata)
    post("/models/calibration", model_calibrations)
    post("/models/metadata/from-credential", metadata_of_credential)
    post("/models/<model_hash>/credential/wav", enrol)
    post("/similarity/credential2wav", credential_to_audio)
    post("/similarity/wav2wav", audio_to_audio)
    post("/similarity/credential2credential", credential_to_credential)
    post("/identification/wav2credentials", audio_to_credentials)
    post("/identification/credential2credentials", credential_to_credentials)
    _refuse_in_its_own_words(daspeak, services.refused)
    return daspeak


def _refuse_in_its_own_words(daspeak: Blueprint, refused: Callable[[str], None]) -> None:
    """Every way a request to these routes can fail ends in an exception that the client knows."""

    def told(error: PeerError) -> Response:
        refusal = dialect.refusal(error)
        refused(error.fault.code)
        _log.info(
            "request refused", code=error.fault.code, status=refusal.status, route=request.url_rule.rule if request.url_rule else "none"
        )
        return _json(refusal.body, refusal.status, refusal.headers)

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


def _metadata(model: SpeakerModel) -> Json:
    return dialect.metadata(model.card.hash, f"{model.card.name} {model.card.version}")


def _json(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(msgspec.json.encode(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"  # credentials and scores are nobody's between us
    response.headers.update(headers or {})
    return response
