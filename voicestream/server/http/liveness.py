"""The liveness component over HTTP: is the voice of a recording a living one (idvoice.md section 7)."""

from functools import partial
from typing import TypeAlias

from quart import Blueprint, Response

from voicestream.protocols.idvoice_json import compact, widen
from voicestream.server.http.route import json_response, post_audio
from voicestream.server.http.services import Services
from voicestream.server.http.upload import Recording, Uploads
from voicestream.sessions.authenticity import Verdict, judge

Json: TypeAlias = dict[str, object]

ENGINE = "/liveness_engine"


def blueprint(services: Services, uploads: Uploads) -> Blueprint:
    """`/liveness_engine/check_liveness_file` and `_samples`."""
    liveness = Blueprint("liveness", __name__)
    model = services.authenticity()

    def spell(recording: Recording) -> str:
        return compact(liveness_object(judge(recording.open(), model, services.make_front)))

    async def check(recording: Recording) -> Response:
        return json_response(await services.runner.run(partial(spell, recording), model.card.name))

    post_audio(liveness, f"{ENGINE}/check_liveness_file", uploads.file, check)
    post_audio(liveness, f"{ENGINE}/check_liveness_samples", uploads.samples, check)
    return liveness


def liveness_object(verdict: Verdict | None) -> Json:
    """The vendor's answer; without a score where there was too little speech."""
    if verdict is None:
        return {"validation_status_code": "TOO_SMALL_SPEECH_LENGTH"}
    return {"score": widen(verdict.score), "probability": widen(verdict.probability), "validation_status_code": "OK"}
