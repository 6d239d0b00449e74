"""Twilio streams without a loop: transcripts of the specification, the state table, bad messages, closes."""

import base64
import json
import textwrap
from itertools import product
from typing import Any

import pytest
from streamdouble.protocol import MediaStreamEncoder, StreamIdentity

from voicestream.errors import CALL_FORMAT, CALL_REFUSED, INTERNAL, MisuseError
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming
from voicestream.protocols.twilio import TRANSITIONS, Input, State, Twilio
from voicestream.sessions.vocabulary import Audio, Call, CallRefused, CallState, EndpointState, Event, Failed, Finished, Opened, Result

SID = "MZ00112233445566778899aabbccddeeff"
CALL_SID = "CA0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = (
    '{"event":"start","sequenceNumber":"1","streamSid":"' + SID + '","start":{"streamSid":"' + SID + '","accountSid":"' + ACCOUNT
    + '","callSid":"' + CALL_SID + '","tracks":["inbound"],"customParameters":{"apikey":"k1"},'
    '"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)  # fmt: skip
MEDIA = (
    '{"event":"media","sequenceNumber":"2","streamSid":"'
    + SID
    + '","media":{"track":"inbound","chunk":"1","timestamp":"0","payload":"/////w=="}}'
)
STOP = (
    '{"event":"stop","sequenceNumber":"52","streamSid":"' + SID + '","stop":{"accountSid":"' + ACCOUNT + '","callSid":"' + CALL_SID + '"}}'
)
MINIMUM = '{"event":"start","start":{"callSid":"4fd9e9af-0000-4000-8000-000000000001"}}'
ROOM = 1 << 20


def media(audio: bytes = b"\xff", **fields: object) -> str:
    return json.dumps({"event": "media", "media": {"payload": base64.b64encode(audio).decode(), **fields}})


def start(**fields: object) -> str:
    return json.dumps({"event": "start", "start": {"callSid": "c", **fields}})


def said(dialect: Twilio, *messages: Incoming, now: float = 0.0) -> list[Event]:
    return [event for message in messages for event in dialect.receive(message, now)]


def closed(dialect: Twilio) -> tuple[int, str] | None:
    """Code of the Close, and the number of its reason."""
    match dialect.drain(ROOM):
        case [Close(code, reason)]:
            assert len(reason.encode()) <= 60
            return code, reason[:6]
        case nothing:
            assert nothing == []
            return None


def streaming() -> Twilio:
    dialect = Twilio(0.0)
    said(dialect, MINIMUM)
    dialect.reply(CallState.HEARD)
    return dialect


# ---- what is heard


def test_the_transcript_of_the_specification() -> None:
    dialect = Twilio(0.0)
    call = Call(CALL_SID, 8000, "mulaw", ACCOUNT, "k1")
    assert said(dialect, CONNECTED, START, MEDIA, STOP) == [Opened(call), Audio(b"\xff" * 4), Finished()]
    assert closed(dialect) is None  # held until somebody asks for it
    dialect.reply(CallState.HEARD)
    assert closed(dialect) == (1000, "")
    assert dialect.refusals == []


def test_the_minimum_of_other_platforms_is_a_whole_start() -> None:
    dialect = Twilio(0.0)
    audio = bytes(range(256)) * 3
    assert said(dialect, MINIMUM, media(audio)) == [Opened(Call("4fd9e9af-0000-4000-8000-000000000001")), Audio(audio)]


@pytest.mark.parametrize("size", [1, 160, 768, 46_000])
def test_pieces_of_any_size_give_the_same_audio(size: int) -> None:
    audio = bytes(range(256)) * 180
    pieces = [media(audio[begin : begin + size]) for begin in range(0, len(audio), size)]
    events = said(streaming(), *pieces)
    assert b"".join(event.payload for event in events if isinstance(event, Audio)) == audio


def test_the_vendors_way_of_cutting_a_file() -> None:
    audio = bytes(range(256)) * 13
    pieces = textwrap.wrap(base64.b64encode(audio).decode(), 1024)  # as in the vendor's listing
    events = said(streaming(), *[json.dumps({"event": "media", "media": {"payload": piece}}) for piece in pieces])
    assert b"".join(event.payload for event in events if isinstance(event, Audio)) == audio
    assert len(events) == len(pieces) == 5


def test_a_simulators_call_with_both_tracks() -> None:
    encoder = MediaStreamEncoder(StreamIdentity(call_sid=CALL_SID, account_sid=ACCOUNT))
    frames = [bytes([number]) * 160 for number in range(100)]
    messages = [encoder.connected(), encoder.start(tracks=["inbound", "outbound"], custom_parameters={"apikey": "k1"})]
    for frame in frames:
        messages += [encoder.media(frame), encoder.media(bytes(160), track="outbound")]
    messages += [encoder.dtmf("5"), encoder.mark("m"), encoder.stop()]
    dialect = Twilio(0.0)
    opened, *audio, finished = said(dialect, *map(json.dumps, messages))
    assert opened == Opened(Call(CALL_SID, 8000, "mulaw", ACCOUNT, "k1"))
    assert audio == [Audio(frame) for frame in frames]
    assert finished == Finished()
    assert (dialect.gaps, dialect.refusals) == (0, [])


def test_only_the_callers_track_is_heard() -> None:
    tracks = [media(b"a", track="inbound"), media(b"b", track="outbound"), media(b"c"), media(b"d", track=None), media(b"e", track="x")]
    assert said(streaming(), *tracks) == [Audio(b"a"), Audio(b"c"), Audio(b"d")]


@pytest.mark.parametrize(
    "fields, call",
    [
        ({"callSid": 7}, Call("7")),
        ({"callSid": "x", "customParameters": {"call_id": "y", "apikey": "z", "other": {"a": [1]}}}, Call("y", key="z")),
        ({"customParameters": {"call_id": 5}}, Call("5")),
        ({"customParameters": None, "mediaFormat": None, "tracks": ["inbound", "outbound"]}, Call("c")),
        ({"mediaFormat": {"encoding": "audio/L16", "sampleRate": "16000", "channels": "1"}}, Call("c", 16000, "pcm16")),
        ({"mediaFormat": {"encoding": "audio/x-alaw", "sampleRate": 8000.0}}, Call("c", 8000, "alaw")),
        ({"mediaFormat": {"encoding": "audio/mulaw"}}, Call("c", None, "mulaw")),
    ],
)
def test_start_is_read_as_leniently_as_its_writers_are(fields: dict[str, object], call: Call) -> None:
    assert said(Twilio(0.0), start(**fields)) == [Opened(call)]


def test_a_key_is_never_shown() -> None:
    (opened,) = said(Twilio(0.0), start(customParameters={"apikey": "geheim"}))
    assert "geheim" not in repr(opened)


def test_what_means_nothing_to_us_is_skipped_in_every_state() -> None:
    skipped = [
        CONNECTED, '{"event":"dtmf","streamSid":"x","dtmf":{"track":"inbound_track","digit":"1"}}', '{"event":"mark","mark":{"name":"m"}}',
        '{"event":"new","start":5,"media":[]}',
    ]  # fmt: skip
    for dialect in (Twilio(0.0), streaming()):
        assert said(dialect, *skipped) == []
        assert (closed(dialect), dialect.refusals) == (None, [])


def test_gaps_are_counted_and_nothing_is_repaired() -> None:
    def numbered(number: object, audio: bytes) -> str:
        return json.dumps({"event": "media", "sequenceNumber": number, "media": {"payload": base64.b64encode(audio).decode()}})

    dialect = streaming()
    numbers = [("2", b"a"), (3, b"b"), ("5", b"c"), ("4", b"d"), ("4", b"e"), (None, b"f"), ("five", b"g"), ("9" * 5000, b"h")]
    heard = said(dialect, *[numbered(number, audio) for number, audio in numbers])
    assert b"".join(event.payload for event in heard if isinstance(event, Audio)) == b"abcdefgh"
    assert dialect.gaps == 3


# ---- bad messages

DEEP = "[" * 60_000
BAD: list[tuple[Incoming, int, str]] = [
    (b"\xff", 1003, "VS1703"),
    ("", 1007, "VS1701"), ("[]", 1007, "VS1701"), ("5", 1007, "VS1701"), ("{", 1007, "VS1701"), ('{"event":5}', 1007, "VS1701"),
    ("{}", 1007, "VS1701"), (DEEP, 1007, "VS1701"), ('{"event":"x","a":' + DEEP, 1007, "VS1701"), ('{"event":NaN}', 1007, "VS1701"),
    ('{"event":"\\ud800"}', 1007, "VS1701"), ("\ud800", 1007, "VS1701"), ('\ufeff{"event":"x"}', 1007, "VS1701"),
    ('{"event":"media"}', 1007, "VS1701"), ('{"event":"media","media":{}}', 1007, "VS1701"),
    ('{"event":"media","media":{"payload":5}}', 1007, "VS1701"), (media(chunk={}), 1007, "VS1701"), (media(timestamp=True), 1007, "VS1701"),
    ('{"event":"media","sequenceNumber":1e400,"media":{"payload":""}}', 1007, "VS1701"), ('{"event":"start"}', 1007, "VS1701"),
    *[('{"event":"media","media":{"payload":"' + text + '"}}', 1007, "VS1702")
      for text in ("QQ", "QQ=", "Q Q=", "QQ==QQ==", "Q-_=", "é", "QUJD=", "=", "QQ\\n==", "QUJD\\r\\n")],
    ('{"event":"x","a":"' + "a" * 65_520 + '"}', 1009, "VS1705"), ('{"event":"x","a":"' + "é" * 33_000 + '"}', 1009, "VS1705"),
    (MINIMUM, 1007, "VS1704"),
]  # fmt: skip


@pytest.mark.parametrize("message, code, number", BAD, ids=range(len(BAD)))
def test_a_bad_message_ends_the_stream_with_its_code(message: Incoming, code: int, number: str) -> None:
    dialect = streaming()
    (finished,) = said(dialect, message)
    assert isinstance(finished, Finished)
    assert finished.fault is not None
    assert finished.fault.code == number
    assert [refusal.fault for refusal in dialect.refusals] == [finished.fault]
    assert closed(dialect) == (code, number)
    assert (said(dialect, MEDIA, STOP), closed(dialect), dialect.deadline) == ([], None, NEVER)


@pytest.mark.parametrize(
    "fields, number",
    [
        ({"callSid": None}, "VS1701"), ({"callSid": ""}, "VS1701"), ({"callSid": "x" * 129}, "VS1701"), ({"callSid": "a\nb"}, "VS1701"),
        ({"callSid": True}, "VS1701"), ({"customParameters": {"call_id": ""}}, "VS1701"), ({"customParameters": []}, "VS1701"),
        ({"tracks": "inbound"}, "VS1701"), ({"mediaFormat": {"encoding": "audio/opus"}}, "VS1709"),
        ({"mediaFormat": {"channels": 2}}, "VS1709"),
        ({"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 16000}}, "VS1709"), ({"mediaFormat": {"sampleRate": 44100}}, "VS1709"),
        ({"mediaFormat": {"sampleRate": 8000.5}}, "VS1709"), ({"mediaFormat": {"sampleRate": "٨٠٠٠"}}, "VS1709"),
    ],
)  # fmt: skip
def test_a_bad_start_opens_nothing(fields: dict[str, Any], number: str) -> None:
    dialect = Twilio(0.0)
    assert said(dialect, start(**fields)) == []
    assert closed(dialect) == (1007, number)


def test_a_start_of_128_printable_characters_is_taken() -> None:
    assert said(Twilio(0.0), start(callSid="é" * 128)) == [Opened(Call("é" * 128))]


# ---- the table

OPENINGS: dict[State, tuple[Incoming | CallState, ...]] = {
    State.AWAIT_START: (),
    State.HOLDING: (MINIMUM,),
    State.STOPPED: (MINIMUM, STOP),
    State.STREAMING: (MINIMUM, CallState.HEARD),
    State.CLOSED: (STOP,),
}
INPUTS: dict[Input, Incoming | CallState] = {
    Input.START: MINIMUM, Input.MEDIA: MEDIA, Input.STOP: STOP, Input.HEARD: CallState.HEARD, Input.COLLECTED: CallState.COLLECTED,
}  # fmt: skip
NO_ROW = {(State.AWAIT_START, Input.MEDIA), *product([State.HOLDING, State.STOPPED, State.STREAMING], [Input.START])}
MISUSE = set(product([State.AWAIT_START], [Input.HEARD, Input.COLLECTED]))


def at(state: State) -> Twilio:
    dialect = Twilio(0.0)
    for step in OPENINGS[state]:
        put(dialect, step)
    dialect.drain(ROOM)
    assert dialect._state is state
    return dialect


def put(dialect: Twilio, step: Incoming | Result) -> None:
    if isinstance(step, str | bytes):
        dialect.receive(step, 0.0)
    else:
        dialect.reply(step)


@pytest.mark.parametrize("state, heard", list(product(State, Input)), ids=lambda value: value.name)
def test_every_state_with_every_input(state: State, heard: Input) -> None:
    dialect = at(state)
    if (state, heard) in MISUSE:
        with pytest.raises(MisuseError):
            put(dialect, INPUTS[heard])
        return
    put(dialect, INPUTS[heard])
    if state is State.CLOSED:
        assert (dialect._state, closed(dialect)) == (State.CLOSED, None)
    elif (state, heard) in NO_ROW:
        assert closed(dialect) == (1007, "VS1704")
    else:
        after, _ = TRANSITIONS[state, heard]
        assert dialect._state is after
        assert closed(dialect) == ((1000, "") if after is State.CLOSED else None)


def test_the_table_has_a_row_for_all_that_may_happen() -> None:
    assert set(TRANSITIONS) == set(product(set(State) - {State.CLOSED}, Input)) - NO_ROW - MISUSE


# ---- holding


def test_held_audio_is_full_after_five_seconds_of_samples_until_somebody_listens() -> None:
    dialect = Twilio(0.0)
    said(dialect, MINIMUM, media(bytes(39_999)))
    assert not dialect.full
    said(dialect, media(b"x"))
    assert dialect.full
    dialect.reply(CallState.HELD)
    assert dialect.full
    dialect.reply(CallState.HEARD)
    assert not dialect.full


def test_sixteen_bit_audio_fills_at_twice_the_bytes() -> None:
    dialect = Twilio(0.0)
    said(dialect, start(mediaFormat={"encoding": "audio/l16", "sampleRate": 8000}), media(bytes(40_000)), media(bytes(39_998)))
    assert not dialect.full
    said(dialect, media(b"xy"))
    assert dialect.full


@pytest.mark.parametrize("opening, events", [((MINIMUM,), 1), ((MINIMUM, STOP), 0)])
def test_nobody_asks_for_the_call(opening: tuple[str, ...], events: int) -> None:
    dialect = Twilio(0.0)
    said(dialect, *opening, now=2.0)
    said(dialect, MEDIA, now=6.5)  # audio does not lengthen it
    assert dialect.deadline == 7.0
    assert dialect.tick(6.99) == ()
    assert len(dialect.tick(7.0)) == events
    assert closed(dialect) == (1008, "VS1707")


# ---- ends


def test_no_start_in_five_seconds() -> None:
    dialect = Twilio(10.0)
    said(dialect, CONNECTED, now=14.0)
    assert (dialect.deadline, dialect.tick(14.9)) == (15.0, ())
    assert dialect.tick(15.0) == ()
    assert closed(dialect) == (1008, "VS1706")


def test_silence_of_thirty_seconds_ends_a_stream() -> None:
    dialect = streaming()
    assert dialect.deadline == 30.0
    said(dialect, media(), now=20.0)
    said(dialect, media(track="outbound"), media(b""), CONNECTED, now=40.0)
    assert dialect.deadline == 50.0
    (finished,) = dialect.tick(50.0)
    assert isinstance(finished, Finished)
    assert finished.fault is not None
    assert closed(dialect) == (1008, finished.fault.code)


def test_patience_with_silence_begins_with_the_last_audio_also_where_it_was_held() -> None:
    dialect = Twilio(0.0)
    said(dialect, MINIMUM, now=3.0)
    said(dialect, MEDIA, now=4.0)
    dialect.reply(CallState.HEARD)
    assert dialect.deadline == 34.0


def test_enough_voice_closes_while_the_peer_still_pushes() -> None:
    dialect = streaming()
    dialect.reply(CallState.COLLECTED)
    assert said(dialect, MEDIA, MEDIA, STOP, "not json", b"x") == []
    assert closed(dialect) == (1000, "")
    assert dialect.refusals == []


@pytest.mark.parametrize(
    "result, code, number",
    [(CallRefused(CALL_REFUSED), 1008, "VS1710"), (Failed(CALL_FORMAT), 1007, "VS1709"), (Failed(INTERNAL), 1011, "VS5000")],
)
def test_a_session_that_refuses_ends_the_stream(result: Result, code: int, number: str) -> None:
    dialect = Twilio(0.0)
    said(dialect, MINIMUM)
    dialect.reply(result)
    assert closed(dialect) == (code, number)
    assert [refusal.fault.code for refusal in dialect.refusals] == [number]


def test_results_of_other_services_are_our_mistake() -> None:
    with pytest.raises(MisuseError):
        streaming().reply(EndpointState(True))


@pytest.mark.parametrize("goodbye", Goodbye)
def test_each_goodbye_has_its_code(goodbye: Goodbye) -> None:
    dialect = streaming()
    dialect.finish(goodbye)
    dialect.finish(Goodbye.INTERNAL)
    code, number = closed(dialect) or (0, "")
    assert (code, number[:2]) == (goodbye.value, "VS")
