"""The media component over HTTP: how much speech a recording holds, and how clean it is."""

from functools import partial

from quart import Blueprint, Response

from voicestream.protocols.idvoice_json import compact, file_summary_object, widen
from voicestream.server.config import Settings
from voicestream.server.http.route import json_response, post_audio
from voicestream.server.http.services import AUDIO, Services
from voicestream.server.http.upload import Recording, Uploads
from voicestream.sessions.quality import assess
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.vocabulary import Audio, Summary


def blueprint(settings: Settings, services: Services, uploads: Uploads) -> Blueprint:
    """`/speech_summary_engine` and `/snr_computer`."""
    media = Blueprint("media", __name__)

    def spell_summary(recording: Recording) -> str:
        rate_hz, blocks = recording.open()
        session = SummarySession(Summary(rate_hz), services.make_front)
        for block in blocks:
            session.feed(Audio(block))
        return compact(file_summary_object(session.finish(), settings.summary_frames))

    def spell_snr(recording: Recording) -> str:
        return compact(widen(assess(*recording.open(), services.make_front).snr_db))

    async def summary(recording: Recording) -> Response:
        return json_response(await services.runner.run(partial(spell_summary, recording), AUDIO))

    async def snr(recording: Recording) -> Response:
        return json_response(await services.runner.run(partial(spell_snr, recording), AUDIO))

    post_audio(media, "/speech_summary_engine/get_speech_summary_from_file", uploads.file, summary)
    post_audio(media, "/speech_summary_engine/get_speech_summary_from_samples", uploads.samples, summary)
    post_audio(media, "/snr_computer/compute_with_file", uploads.file, snr)
    post_audio(media, "/snr_computer/compute_with_samples", uploads.samples, snr)
    return media
