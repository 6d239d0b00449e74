"""What das-Peak's back end does with a form: credentials of recordings, similarities, identification. Nothing is kept."""

from functools import partial
from typing import Final, NamedTuple

from voicestream.errors import TEMPLATE_MODEL, PeerError
from voicestream.models.speaker.model import SpeakerModel
from voicestream.protocols import daspeak_backend as dialect
from voicestream.protocols.daspeak_backend import Form, Heard, Json
from voicestream.protocols.daspeak_exception import calibration_unknown, model_unknown
from voicestream.server.config import Settings
from voicestream.server.credential import Credentials
from voicestream.server.http.daspeak_recording import Hearing
from voicestream.server.http.services import Services
from voicestream.server.voice import offered_calibrations
from voicestream.sessions.identification import compare
from voicestream.sessions.vocabulary import Template

_EVEN_ODDS: Final = 0.5  # below, a voice counts as rejected; its client may draw another line


class _Gallery(NamedTuple):
    """Those who may have spoken: the client's names of them, and their voices, all of one model."""

    names: list[str]
    voices: list[Template]


class Backend:
    """One method for each endpoint: a form of a tenant's in, the answer out. PeerError VS195x, VS196x, VS301x, VS30xx, VS1503, VS1714."""

    def __init__(self, settings: Settings, services: Services, credentials: Credentials) -> None:
        self._hearing = Hearing(settings, services)
        self._runner = services.runner
        self._credentials = credentials
        self._attempts = services.attempts
        self._models = credentials.models
        self._default = next(iter(credentials.models.values()))
        self._calibrations = {model_hash: offered_calibrations(settings, model) for model_hash, model in credentials.models.items()}
        self._most = settings.daspeak_candidates

    # ---- models

    def models(self) -> Json:
        """The default last, because that is the one that clients take: all of vericlient's examples do."""
        return dialect.models([*self._models][::-1])

    async def metadata(self, form: Form, tenant: str) -> Json:
        return _metadata(self._model(form.model_hash()))

    async def calibrations(self, form: Form, tenant: str) -> Json:
        return dialect.calibrations([*self._calibrations[self._model(form.model_hash()).card.hash]])

    async def metadata_of_credential(self, form: Form, tenant: str) -> Json:
        return _metadata(self._model(self._opened(form, "credential", tenant).model_hash))

    # ---- credentials and similarities

    async def enrol(self, form: Form, tenant: str, model_hash: str) -> Json:
        model = self._calibrated(dialect.read_hash(model_hash), form)
        template, heard = await self._hearing.hear(form.audio("audio"), form.channel(), model)
        return dialect.enrolled(model.card.hash, self._credentials.seal(template, tenant), heard)

    async def compare_credential_to_audio(self, form: Form, tenant: str) -> Json:
        reference = self._opened(form, "credential_reference", tenant)
        model = self._calibrated(reference.model_hash, form)
        with self._attempts.begin(tenant, reference) as attempt:
            voice, heard = await self._hearing.hear(form.audio("audio_to_evaluate"), form.channel(), model)
            (found,) = compare(voice, [reference], model)
            attempt.rejected = found.probability < _EVEN_ODDS
        return dialect.compared(found.probability, model.card.hash, form.calibration(), heard)

    async def compare_audio_to_audio(self, form: Form, tenant: str) -> Json:
        model = self._calibrated(self._default.card.hash, form)
        sides = [(form.audio(f"audio_{side}"), form.channel(f"channel_{side}")) for side in ("reference", "to_evaluate")]
        (reference, of_reference), (voice, heard) = [await self._hearing.hear(audio, channel, model) for audio, channel in sides]
        (found,) = compare(voice, [reference], model)
        return dialect.compared(found.probability, model.card.hash, form.calibration(), heard, of_reference)

    async def compare_credentials(self, form: Form, tenant: str) -> Json:
        reference, voice = (self._opened(form, f"credential_{side}", tenant) for side in ("reference", "to_evaluate"))
        model = self._calibrated(voice.model_hash, form)
        with self._attempts.begin(tenant, reference, voice) as attempt:  # either may be the one that is tried
            (found,) = compare(voice, [reference], model)
            attempt.rejected = found.probability < _EVEN_ODDS
        return dialect.compared_credentials(found.probability, model.card.hash, form.calibration())

    # ---- identification

    async def identify_audio(self, form: Form, tenant: str) -> Json:
        gallery = await self._gallery(form, tenant)
        model = self._calibrated(gallery.voices[0].model_hash, form)
        voice, heard = await self._hearing.hear(form.audio("audio_to_evaluate"), form.channel(), model)
        return await self._identified(gallery, voice, model, form.calibration(), heard)

    async def identify_credential(self, form: Form, tenant: str) -> Json:
        voice = self._opened(form, "credential_to_evaluate", tenant)
        model = self._calibrated(voice.model_hash, form)
        return await self._identified(await self._gallery(form, tenant), voice, model, form.calibration())

    async def _gallery(self, form: Form, tenant: str) -> _Gallery:
        """The credential list, opened on a thread: a thousand of them take some 30 ms."""

        def opened() -> _Gallery:
            candidates = form.candidates(self._most)
            voices = [self._credentials.open(one.credential, tenant) for one in candidates]
            if any(voice.model_hash != voices[0].model_hash for voice in voices):
                raise PeerError(TEMPLATE_MODEL)
            return _Gallery([one.id for one in candidates], voices)

        return await self._runner.run(opened, self._default.card.name)

    async def _identified(
        self, gallery: _Gallery, voice: Template, model: SpeakerModel, calibration: str, heard: Heard | None = None
    ) -> Json:
        found = await self._runner.run(partial(compare, voice, gallery.voices, model), model.card.name)
        best = max(range(len(found)), key=found.__getitem__)
        ranking = [(name, one.probability) for name, one in zip(gallery.names, found, strict=True)]
        return dialect.identified(ranking, best, model.card.hash, calibration, heard)

    # ---- what is on offer

    def _opened(self, form: Form, field: str, tenant: str) -> Template:
        return self._credentials.open(form.credential(field), tenant)

    def _model(self, model_hash: bytes) -> SpeakerModel:
        if model_hash not in self._models:
            raise model_unknown(model_hash.hex())
        return self._models[model_hash]

    def _calibrated(self, model_hash: bytes, form: Form) -> SpeakerModel:
        offered = self._calibrations[self._model(model_hash).card.hash]
        name = form.calibration()
        if name not in offered:
            raise calibration_unknown(name)
        return offered[name]


def _metadata(model: SpeakerModel) -> Json:
    return dialect.metadata(model.card.hash, f"{model.card.name} {model.card.version}")
