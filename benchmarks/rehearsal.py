"""What a server must answer to a conversation, worked out without one: dialect and session, no socket, no clock."""

from collections.abc import Iterable
from functools import partial

from voicestream.models.registry import default_speaker_model
from voicestream.protocols.base import Close
from voicestream.protocols.idvoice import ENDPOINTS, IDVoice
from voicestream.sessions.endpointing import EndpointingSession
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.verification import VerificationSession
from voicestream.sessions.vocabulary import Audio, Endpointing, Job, Opened, Service, Session, Summary
from voicestream.store.templates import unpack


def rehearse(path: str, parameters: Iterable[str], messages: Iterable[bytes]) -> list[str]:
    """One answer per parameter and message, as a server with default settings and no key gives them."""
    dialect = IDVoice(ENDPOINTS[path], partial(unpack, model=default_speaker_model()), 0.0)
    session: Session | None = None
    answers: list[str] = []
    for message in [*parameters, *messages]:
        for event in dialect.receive(message, 0.0):
            match event:
                case Opened():
                    session = _session(event.service)
                case Audio() if session is not None:
                    outcome = session.feed(event)
                    dialect.reply(outcome.run() if isinstance(outcome, Job) else outcome)
        answers += [str(said) for said in dialect.drain(1 << 30) if not isinstance(said, Close)]
    return answers


def _session(service: Service) -> Session:
    match service:
        case Endpointing():
            return EndpointingSession(service)
        case Summary():
            return SummarySession(service)
        case _:
            return VerificationSession(service, default_speaker_model())
