"""Credentials: voice templates as das-Peak's clients keep them, sealed for the tenant that made them."""

from collections.abc import Mapping, Sequence

from voicestream.errors import TEMPLATE_KEY, PeerError
from voicestream.models.speaker.model import SpeakerModel
from voicestream.protocols.template_text import template_bytes, template_text
from voicestream.sessions.vocabulary import Template
from voicestream.store.templates import claimed_model, pack, unpack


class Credentials:
    """Seals templates and opens what it sealed: for the same tenant, of a model on offer, unchanged."""

    def __init__(self, models: Mapping[bytes, SpeakerModel], keys: Sequence[bytes]) -> None:
        """`models`: those on offer by the hash of their weights, the default first; `keys` of 32 bytes: the first seals, all open."""
        self.models = models
        self._keys = keys

    def seal(self, template: Template, tenant: str) -> str:
        """The template as a credential of that tenant: base64."""
        return template_text(pack(template, self._keys[0], tenant))

    def open(self, text: str, tenant: str) -> Template:
        """The template in a credential of that tenant. PeerError VS30xx for every other text."""
        data = template_bytes(text)
        model = self.models.get(claimed_model(data)) or next(iter(self.models.values()))  # which then says what is wrong
        for key in self._keys[:-1]:
            try:
                return unpack(data, model, key, tenant)
            except PeerError as error:
                if error.fault is not TEMPLATE_KEY:
                    raise
        return unpack(data, model, self._keys[-1], tenant)
