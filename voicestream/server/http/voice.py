"""The verify component over HTTP: templates made, checked, merged and matched; nothing is kept."""

import json
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct
from quart import Blueprint, Response, request
from werkzeug.datastructures import MIMEAccept

from voicestream.errors import NOT_CONVERTIBLE, TEMPLATE_MODEL, PeerError
from voicestream.protocols.idvoice_json import compact, score_object, widen
from voicestream.protocols.template_text import template_bytes, template_text
from voicestream.server.config import Settings
from voicestream.server.http import query
from voicestream.server.http.liveness import Json, liveness_object
from voicestream.server.http.route import json_response, post_audio
from voicestream.server.http.services import AUDIO, Services
from voicestream.server.http.upload import Recording, Uploads
from voicestream.sessions.authenticity import judge
from voicestream.sessions.enrolment import enrol, merge
from voicestream.sessions.quality import Threshold, assess
from voicestream.sessions.vocabulary import Template

FACTORY: Final = "/voice_template_factory"
MATCHER: Final = "/voice_template_matcher"
CONVERTER: Final = "/voice_template_converter"
ALIAS: Final = "/verify_engine"  # what the 2.x generation called both


class Pair(Struct):
    """Body of a match."""

    template1: str
    template2: str


class Collection(Struct):
    """Body of a merge."""

    voice_templates: list[str]


def blueprint(settings: Settings, services: Services, uploads: Uploads) -> Blueprint:
    """The routes of the components `verify` and, where switched on, `template_converter`."""
    voice = Blueprint("voice", __name__)

    def read(text: str) -> Template:
        return services.unpack(template_bytes(text))

    async def enrolled(recording: Recording) -> Template:
        query.check_channel()
        model = services.model(query.model_name(settings))
        found = await services.runner.run(lambda: enrol(recording.open(), model, settings.gate, services.make_front), model.card.name)
        return found.template

    async def create(recording: Recording) -> Response:
        bare = prefers_bare()
        return _told(services.pack(await enrolled(recording)), bare)

    def quality_of(recording: Recording) -> Json:
        threshold = Threshold(speech_length_ms=1000 * settings.min_speech_s)
        quality = assess(*recording.open(), services.make_front)
        return {
            "threshold_values": _values(threshold.snr_db, threshold.speech_length_ms),
            "obtained_values": _values(quality.snr_db, quality.speech_length_ms),
            "quality_short_description": quality.word(threshold),
        }

    async def check(recording: Recording) -> Response:
        return json_response(compact(await services.runner.run(partial(quality_of, recording), AUDIO)))

    async def create_checked(recording: Recording) -> Response:
        """A template only of a good recording of a living voice; both findings in any case."""
        quality = await services.runner.run(partial(quality_of, recording), AUDIO)
        detector = services.authenticity()
        verdict = await services.runner.run(lambda: judge(recording.open(), detector, services.make_front), detector.card.name)
        template = None
        if quality["quality_short_description"] == "OK" and verdict is not None and verdict.score >= detector.card.threshold:
            template = template_text(services.pack(await enrolled(recording)))
        answer = {"voice_template": template, "quality_check_result": quality, "liveness_result": liveness_object(verdict)}
        return json_response(compact(answer))

    async def match() -> Response:
        pair = await uploads.json(Pair)
        one, other = read(pair.template1), read(pair.template2)
        if one.model_hash != other.model_hash:
            raise PeerError(TEMPLATE_MODEL)
        model = services.model(one.model)
        score = model.score(one.vector, other.vector)
        probability = model.probability(score, min(one.net_speech_s, other.net_speech_s))
        return json_response(compact(score_object(probability, score)))

    async def merge_templates() -> Response:
        bare = prefers_bare()
        collection = await uploads.json(Collection)
        return _told(services.pack(merge([read(text) for text in collection.voice_templates])), bare)

    async def convert() -> Response:
        bare = prefers_bare()
        template = read(await uploads.json(str))
        if template.model_hash != services.model(query.active_model(settings)).card.hash:
            raise PeerError(NOT_CONVERTIBLE)
        return _told(services.pack(template), bare)

    if settings.component_verify:
        for prefix in (FACTORY, ALIAS):
            post_audio(voice, f"{prefix}/create_voice_template_from_file", uploads.file, create)
            post_audio(voice, f"{prefix}/create_voice_template_from_samples", uploads.samples, create)
        if settings.component_liveness:
            post_audio(voice, f"{FACTORY}/create_voice_template_checked_from_file", uploads.file, create_checked)
        post_audio(voice, f"{FACTORY}/check_quality_from_file", uploads.file, check)
        post_audio(voice, f"{FACTORY}/check_quality_from_samples", uploads.samples, check)
        voice.post(f"{FACTORY}/merge_voice_templates")(merge_templates)
        voice.post(f"{MATCHER}/match_voice_templates")(match)
        voice.add_url_rule(f"{ALIAS}/verify", "verify", match, methods=["POST"])
    if settings.component_template_converter:
        voice.post(f"{CONVERTER}/convert_voice_template")(convert)
    return voice


def example_template(settings: Settings, services: Services) -> str:
    """The text of a template that this server takes and that is nobody's voice: for the documents."""
    card = services.model(query.active_model(settings)).card
    vector = np.full(card.dimension, card.dimension**-0.5, np.float32)
    return template_text(services.pack(Template(card.name, card.hash, vector, net_speech_s=10.0)))


def prefers_bare() -> bool:
    """`?bare=true`, or an Accept header that ranks text/plain above JSON; `*/*` ranks them alike."""
    accepted: MIMEAccept = request.accept_mimetypes
    return query.flag("bare") or accepted.quality("text/plain") > accepted.quality("application/json")


def _values(snr_db: float, speech_length_ms: float) -> dict[str, float]:
    return {"SNR": widen(snr_db), "SpeechLength": widen(speech_length_ms)}


def _told(data: bytes, bare: bool) -> Response:
    text = template_text(data)
    return Response(text, content_type="text/plain") if bare else json_response(json.dumps(text))
