"""What every dialect must promise, whatever a peer sends. A new dialect adds one row to ROUTES.

Each case starts from an opening that reaches a later state: random messages alone never leave the first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols import hook
from tests.protocols.peer import ROOM, TEMPLATE_TEXT, Peer, closes, read_template
from voicestream.errors import ASSESSMENT_SILENT, CALL_REFUSED, OPUS_PACKET
from voicestream.protocols import elsa, elsa_scripted
from voicestream.protocols.audiohook import AudioHook
from voicestream.protocols.base import NEVER, Close, Dialect, Goodbye, Incoming
from voicestream.protocols.elsa import Elsa
from voicestream.protocols.elsa_scripted import ElsaScripted
from voicestream.protocols.idvoice import ENDPOINTS, IDVoice, Options
from voicestream.protocols.twilio import Twilio
from voicestream.sessions.assessment_result import Assessment, Melody, Scores
from voicestream.sessions.vocabulary import (
    Assessed,
    Assessing,
    Audio,
    Call,
    CallRefused,
    CallState,
    Endpointing,
    EndpointState,
    Failed,
    Interval,
    LabelLog,
    Opened,
    PoorQuality,
    Result,
    Service,
    Summary,
    SummaryState,
    Verification,
    Verified,
    Window,
)

IDLE_S = 30.0


@dataclass(frozen=True)
class Route:
    """One dialect on one path."""

    make: Callable[[], Dialect]
    openings: tuple[tuple[Incoming, ...], ...]  # message sequences that reach each later state
    words: tuple[str, ...]  # texts that mean something to it
    answers: range  # how many messages may answer one


def idvoice(path: str, *openings: tuple[Incoming, ...]) -> Route:
    return Route(
        make=lambda: IDVoice(ENDPOINTS[path], read_template, 0.0, Options(idle_s=IDLE_S, frames_kept=7)),
        openings=openings,
        words=("300", "16000", "3", "2.5", "601", "1e9", TEMPLATE_TEXT, f'"{TEMPLATE_TEXT}"', "", "{}", "ï", "\x00"),
        answers=range(1, 2),
    )


MEDIA = {
    "/speech_endpoint_detector": ((), ("300",), ("300", "500"), ("300", "500", "16000"), ("300", "500", "16000", b"\0")),
    "/speech_summary_stream": ((), ("16000",), ("16000", b"")),
}
VERIFY: tuple[tuple[Incoming, ...], ...] = (
    (), (TEMPLATE_TEXT,), (TEMPLATE_TEXT, "16000"), (TEMPLATE_TEXT, "16000", "3"), (TEMPLATE_TEXT, "16000", "3", "4"),
    (TEMPLATE_TEXT, "16000", "3", "2"), (TEMPLATE_TEXT, "16000", "3", b"x"), (TEMPLATE_TEXT, "16000", "3", "2", b"x"),
)  # fmt: skip
ROUTES: dict[str, Route] = {
    **{path + suffix: idvoice(path + suffix, *openings) for path, openings in MEDIA.items() for suffix in ("", "_opus")},
    **{path: idvoice(path, *VERIFY) for path in ("/voice_verify_stream", "/voice_verify_stream_opus", "/verify_stream")},
}


START = '{"event":"start","start":{"callSid":"c"}}'
VOICE = '{"event":"media","media":{"payload":"/////w=="}}'
STOP = '{"event":"stop"}'
TWILIO = Route(
    make=lambda: Twilio(0.0),
    openings=((), (START,), (START, VOICE), (START, VOICE, VOICE, VOICE), (START, STOP)),
    words=(START, VOICE, STOP, '{"event":"mark"}', '{"event":"media","media":{"payload":"="}}', '{"event":5}', "", "{}", "ï", "\x00"),
    answers=range(2),
)
OPEN = hook.text("open", hook.opening(), 1)
AUDIOHOOK = Route(
    make=lambda: AudioHook(hook.SESSION, hook.ORGANIZATION, 0.0),
    openings=(
        (), (OPEN,), (OPEN, hook.text("ping", {}, 2), b"x"), (OPEN, hook.text("paused", {}, 2)), (OPEN, "mistake"),
        (hook.text("open", hook.opening(organizationId=hook.SESSION), 1),), (OPEN, hook.text("close", {"reason": "end"}, 2)),
    ),
    words=(
        *[hook.text(kind, parameters, seq) for seq in (2, 3, 4) for kind, parameters in (
            ("ping", {}), ("paused", {}), ("resumed", {"start": "PT0S", "discarded": "PT1S"}), ("close", {"reason": "end"}),
            ("error", {}))],
        OPEN, "", "{}", "ï", "\x00",
    ),
    answers=range(4),
)  # fmt: skip
CALLS = {"/daspeak-stream/v1/twilio": TWILIO, "/daspeak-stream/v1/audiohook": AUDIOHOOK}
ROUTES |= CALLS
CONFIG = '{"api_plan":"standard","return_json":true}'
STREAM_END = '{"type":"ELSA:end_stream"}'
ELSA = Route(
    make=lambda: Elsa(0.0, new_id=lambda: "s-1"),
    openings=((), (CONFIG,), (CONFIG, b"RIFF"), (CONFIG, STREAM_END), ('{"api_plan":"premium","verbose":true}', b"", b"")),
    words=(CONFIG, STREAM_END, '{"api_plan":"gold"}', '{"api_plan":"standard","return_json":7}', "[]", "{}", "", "ï", "\x00", "[" * 5000),
    answers=range(3),
)
SCRIPT = '{"type":"ELSA:start_stream","data":{"stream_info":{"api_plan":"standard","sentence":"pizza party"}}}'
ELSA_SCRIPTED = Route(
    make=lambda: ElsaScripted(0.0, new_id=lambda: "s-1"),
    openings=((), (SCRIPT,), (SCRIPT, b"RIFF"), (SCRIPT, STREAM_END), ("mistake",), (SCRIPT, b"x", "mistake")),
    words=(
        SCRIPT,
        STREAM_END,
        SCRIPT.replace("pizza party", ""),
        '{"type":"ELSA:start_stream","data":[]}',
        '{"type":7}',
        "{}",
        "",
        "ï",
        "\x00",
    ),
    answers=range(4),
)
ASSESSMENTS = {elsa.PATH: ELSA, elsa_scripted.PATH: ELSA_SCRIPTED}
ROUTES |= ASSESSMENTS


class Hearsay:
    """A session that answers anything the service may answer, as the numbers drawn say."""

    def __init__(self, whims: list[int]) -> None:
        self.services: list[Service] = []
        self._whims = whims or [0]
        self._turn = 0
        self._log = LabelLog(16000)

    def answer(self) -> Result:
        self._turn += 1
        whim = self._whims[self._turn % len(self._whims)]
        if whim == 9:
            return Failed(OPUS_PACKET, "7 bytes")
        service = self.services[-1]
        match service:
            case Endpointing():
                return EndpointState(bool(whim % 2))
            case Summary():
                self._log.append(bytes([whim % 2]) * (whim // 2))
                log = self._log
                return SummaryState(log, 480 * len(log.labels) + whim, len(log.labels), log.speech_frames, len(log.run_starts))
            case Verification():
                return Verified((Window(Interval(0, 480, service.rate_hz), 0.5, -0.5),) * (whim % 3))
            case Call():
                return [CallState.HELD, CallState.HEARD, CallState.COLLECTED, CallRefused(CALL_REFUSED)][whim % 4]
            case Assessing():
                last = Failed(ASSESSMENT_SILENT) if whim % 2 else Assessed(FOUND, "https://server/r", "")
                return [EndpointState(bool(whim % 2)), PoorQuality("noisy"), last, EndpointState(False)][whim % 4]
            case _:
                assert_never(service)


FOUND = Assessment(1.0, 0.5, 20.0, "ok", (), Scores(), None, Melody())


def meet(route: Route, whims: list[int]) -> Peer:
    hearsay = Hearsay(whims)
    peer = Peer(route.make(), hearsay.answer)
    peer.services = hearsay.services
    return peer


def messages(route: Route) -> st.SearchStrategy[list[Incoming]]:
    one = st.one_of(st.sampled_from(route.words), st.text(max_size=8), st.binary(max_size=8))
    opening = st.sampled_from([list(opening) for opening in route.openings])
    return st.tuples(opening, st.lists(one, max_size=12)).map(lambda parts: parts[0] + parts[1])


def test_every_path_has_a_row() -> None:
    assert set(ROUTES) == set(ENDPOINTS) | set(CALLS) | set(ASSESSMENTS)


@pytest.mark.parametrize("name", ROUTES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_each_message_is_answered_as_it_should_and_nothing_raises(name: str, data: st.DataObject) -> None:
    route = ROUTES[name]
    peer = meet(route, data.draw(st.lists(st.integers(0, 9), max_size=6)))
    for message in data.draw(messages(route)):
        assert len(peer.ask(message)) in route.answers


@pytest.mark.parametrize("name", ROUTES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_reading_late_and_in_pieces_gives_the_same(name: str, data: st.DataObject) -> None:
    route = ROUTES[name]
    whims = data.draw(st.lists(st.integers(0, 9), max_size=6))
    sent = data.draw(messages(route))
    prompt, late = meet(route, whims), meet(route, whims)
    at_once = [*prompt.dialect.drain(ROOM), *[answer for message in sent for answer in prompt.ask(message)]]
    late.send(*sent)
    room = st.integers(0, 400)
    in_pieces = []
    while piece := late.dialect.drain(data.draw(room)):
        in_pieces += piece
    assert in_pieces == at_once


@pytest.mark.parametrize("name", ROUTES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_close_is_last_and_nothing_follows_it(name: str, data: st.DataObject) -> None:
    route = ROUTES[name]
    peer = meet(route, data.draw(st.lists(st.integers(0, 9), max_size=6)))
    peer.send(*data.draw(messages(route)))
    if data.draw(st.booleans()):
        peer.dialect.finish(data.draw(st.sampled_from(Goodbye)))
    else:
        while peer.dialect.deadline < NEVER:
            assert not any(isinstance(event, Opened | Audio) for event in peer.dialect.tick(peer.dialect.deadline))
    peer.send(*data.draw(messages(route)))
    peer.dialect.finish(Goodbye.INTERNAL)
    said = peer.dialect.drain(ROOM)
    assert isinstance(said[-1], Close)
    assert len(closes(said)) == 1
    assert peer.ask("300", b"x") == []
    assert peer.dialect.deadline == NEVER


@pytest.mark.parametrize("name", ROUTES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_refusals_never_hold_what_the_peer_said(name: str, data: st.DataObject) -> None:
    route = ROUTES[name]
    early, late = meet(route, []), meet(route, [])
    late.send(*data.draw(messages(route)))
    for peer in (early, late):
        peer.send("secret words", "secret\n" * 3)
        assert not any("secret" in refusal.about + refusal.detail for refusal in peer.dialect.refusals)
    assert early.dialect.refusals
