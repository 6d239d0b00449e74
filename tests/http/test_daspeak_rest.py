"""REST signalling as its clients see it: keys, settings, sessions, polls, refusals, and what survives a restart."""

import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from tests.http.fake import MODEL_HASH, UNIX_S, Server, shared_authority
from voicestream import errors
from voicestream.errors import PeerError
from voicestream.server.rest_channel import RestChannel
from voicestream.sessions.call import CallFailed, Judged, Told, VoiceStatus
from voicestream.store.api_key import add_key
from voicestream.store.rest_session import RestSessions

REST = "/dpsrest/v1"
AUDIO = {"audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "mulaw", "sample_format": "", "sample_rate": 8000, "channels": 1}
KEYS = {
    "register": ["id", "created_at", "status", "audio_seconds", "vad_percentage", "authenticity", "credential",
                 "voice_audio_collected", "content"],
    "verify": ["id", "created_at", "status", "audio_seconds", "vad_percentage", "authenticity", "similarity", "score",
               "voice_audio_collected", "content"],
}  # fmt: skip
APPROVED = Judged(0.976, 5.12, True, "dm9p", b"RIFF")
VERIFIED = Judged(0.976, 3.0721, True, similarity=0.8449)


class Caller:
    """A client with a key of its own tenant."""

    def __init__(self, server: Server, tenant: str | None = None) -> None:
        self.server = server
        self.tenant = tenant or f"t{uuid.uuid4().hex[:12]}"
        _, key = add_key(shared_authority()[0].database, "test", self.tenant, UNIX_S)
        shared_authority()[0].reload()
        self.client = server.client
        self.client.headers["apikey"] = key

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.client.post(f"{REST}/{path}", json=body)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"{REST}/{path}")

    async def settings_id(self, **changes: Any) -> str:
        answer = await self.post("audio_settings", {**AUDIO, **changes})
        assert answer.status_code == 201
        return str(answer.json()["id"])

    async def body(self, call_id: str = "call", kind: str = "register", **changes: Any) -> dict[str, Any]:
        mine = {"credential": f"credential of {self.tenant}"} if kind == "verify" else {}
        return {"audio_settings_id": await self.settings_id(), "call_id": call_id, **mine, **changes}

    async def begin(self, call_id: str = "call", kind: str = "register", **changes: Any) -> str:
        answer = await self.post(f"{kind}_session", await self.body(call_id, kind, **changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def poll(self, id: str, kind: str = "register") -> dict[str, Any]:
        answer = await self.get(f"{kind}_session/{id}")
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == KEYS[kind]
        return dict(answer.json())

    def tell(self, told: Told, call_id: str = "call") -> None:
        self.server.exchange.told[call_id](told)


@pytest.fixture
def caller(server: Server) -> Caller:
    return Caller(server)


def channel(server: Server) -> RestChannel:
    assert server.rest_channel is not None
    return server.rest_channel


@asynccontextmanager
async def writing(server: Server) -> AsyncIterator[None]:
    """The task that writes results runs; at the end all of them are on the disk."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel(server).watch_loop)
        yield
        nursery.cancel_scope.cancel()


async def eventually(holds: Callable[[], bool]) -> None:
    """Threads finish when they finish; a mock clock does not wait for them."""
    give_up_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up_at
        await trio.lowlevel.checkpoint()


def restarted(server: Server) -> Server:
    """Another process with the same database, that starts an hour less a second later."""
    return Server(server.settings, unix_s=server.unix_s + 3599)


def check(answer: httpx.Response, status: int, error: str, content: str, field: str | None = None) -> None:
    told = {"error": error, "content": content, **({} if field is None else {"field": field})}
    assert (answer.status_code, answer.json()) == (status, told)
    assert answer.headers["Content-Type"] == "application/json"


BAD = "A required parameter is missing or invalid"

# ---- keys


async def test_alive_needs_no_key(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{REST}/alive")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


RESOURCES = [
    (method, path + id)
    for path in ("audio_settings", "register_session", "verify_session")
    for method, id in (("POST", ""), ("GET", f"/{uuid.uuid4()}"))
]


@pytest.mark.parametrize(("method", "path"), RESOURCES)
async def test_everything_else_does(server: Server, method: str, path: str) -> None:
    for headers, message in (
        ({}, "no Authorization header found"),
        ({"apikey": ""}, "no Authorization header found"),
        ({"apikey": "wrong"}, "Invalid authentication credentials"),
        ({"x-api-key": "x" * 1000}, "Invalid authentication credentials"),
    ):
        answer = await server.client.request(method, f"{REST}/{path}", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"message": message})
        assert answer.headers["WWW-Authenticate"] == 'Key realm="voicestream"'
    assert server.watch.refused == ["VS1950", "VS1950", "VS1951", "VS1951"]


async def test_either_header_and_not_two_keys(caller: Caller) -> None:
    key = caller.client.headers.pop("apikey")
    url = f"{REST}/audio_settings"
    assert (await caller.client.post(url, json=AUDIO, headers={"X-Api-Key": key})).status_code == 201
    assert (await caller.client.post(url, json=AUDIO, headers={"X-Api-Key": key, "apikey": key})).status_code == 201
    assert (await caller.client.post(url, json=AUDIO, headers={"X-Api-Key": key, "apikey": "other"})).status_code == 401


# ---- audio settings


async def test_audio_settings_as_the_vendor_answers_them(caller: Caller) -> None:
    answer = await caller.post("audio_settings", AUDIO)
    assert answer.status_code == 201
    told = answer.json()
    assert list(told) == ["id", "created_at", *AUDIO]
    assert {name: told[name] for name in AUDIO} == AUDIO
    assert uuid.UUID(told["id"])
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", told["created_at"])
    assert parsedate_to_datetime(told["created_at"]).timestamp() == UNIX_S
    again = await caller.get(f"audio_settings/{told['id'].upper()}")
    assert (again.status_code, again.json()) == (200, told)
    assert again.headers["Cache-Control"] == "no-store"


async def test_the_date_of_the_documentation(caller: Caller) -> None:
    caller.server.unix_s = 1684315524.0
    assert (await caller.post("audio_settings", AUDIO)).json()["created_at"] == "Wed, 17 May 2023 09:25:24 GMT"


async def test_numbers_are_numbers_whatever_was_sent(caller: Caller) -> None:
    sent = {"audio_protocol": "audiohook", "audio_format": "raw", "audio_codec": "pcm", "sample_rate": "16000", "call_id": 5, "x": None}
    told = (await caller.post("audio_settings", sent)).json()
    assert [told[name] for name in AUDIO] == ["audiohook", "raw", "pcm", "s16le", 16000, 1]


async def test_the_same_settings_are_the_same(caller: Caller) -> None:
    assert await caller.settings_id() == await caller.settings_id(sample_rate="8000", channels=None)
    assert await caller.settings_id() != await caller.settings_id(audio_codec="alaw")
    assert await caller.settings_id() != await Caller(caller.server).settings_id()


@pytest.mark.parametrize("field", AUDIO)
async def test_audio_settings_with_a_wrong_field(caller: Caller, field: str) -> None:
    check(await caller.post("audio_settings", {**AUDIO, field: "nonsense"}), 400, "error-parameters", BAD, field)


# ---- sessions


async def test_a_registration_from_creation_to_result(caller: Caller) -> None:
    body = await caller.body("CA1", authenticity_threshold=0.8, audio_total_duration="5.0", model_hash=MODEL_HASH.hex())
    answer = await caller.post("register_session", body)
    assert answer.status_code == 201
    created = answer.json()
    assert list(created) == KEYS["register"]
    assert created == {**dict.fromkeys(KEYS["register"]), "id": created["id"], "created_at": created["created_at"], "status": "created"}
    [(tenant, inquiry)] = caller.server.exchange.asked
    assert (tenant, inquiry.call_id, inquiry.consumer, inquiry.authenticity_threshold) == (caller.tenant, "CA1", "twilio", 0.8)

    async def told(told: Told) -> dict[str, Any]:
        caller.tell(told, "CA1")
        await trio.testing.wait_all_tasks_blocked()
        polled = await caller.poll(created["id"])
        return {name: value for name, value in polled.items() if value is not None and name not in ("id", "created_at")}

    polled = await caller.poll(created["id"])
    assert polled == {**created, "status": "consumer_ready", "content": "Audio consumer for provided audio protocol is ready"}
    async with writing(caller.server):
        talking = {"status": "in_progress", "content": "Voice activity detection percentage"}
        assert await told(VoiceStatus(0, 8000, 5.0)) == {**talking, "audio_seconds": 0.0, "vad_percentage": 0}
        assert await told(VoiceStatus(40960, 8000, 5.0)) == {**talking, "audio_seconds": 5.12, "vad_percentage": 102}
        caller.tell(APPROVED, "CA1")
    assert await caller.poll(created["id"]) == {
        "id": created["id"], "created_at": created["created_at"], "status": "success", "audio_seconds": 5.12, "vad_percentage": 102,
        "authenticity": 0.98, "credential": "dm9p", "voice_audio_collected": 5.12, "content": "Registration: approved",
    }  # fmt: skip


OUTCOMES: list[tuple[str, Told, dict[str, Any]]] = [
    ("register", Judged(0.2, 5.1, False), {"status": "fail_spoof", "authenticity": 0.2, "content": "Registration: rejected"}),
    ("verify", VERIFIED, {"status": "success", "similarity": 0.84, "score": 0.84, "content": "Verification: approved"}),
    ("verify", Judged(0.9, 3.0, True, similarity=0.1, same_speaker=False), {"status": "fail_score", "score": 0.1, "authenticity": 0.9}),
    ("verify", Judged(0.1, 3.0, False, similarity=0.1, same_speaker=False), {"status": "fail_spoof", "authenticity": 0.1}),
    ("verify", CallFailed(errors.CALL_STALLED), {"status": "error", "content": "The audio stream stalled", "score": None}),
    ("register", CallFailed(errors.CALL_STREAMLESS), {"status": "error", "content": "No audio stream arrived for the call in time"}),
]


@pytest.mark.parametrize(("kind", "told", "shown"), OUTCOMES)
async def test_outcomes(caller: Caller, kind: str, told: Told, shown: dict[str, Any]) -> None:
    id = await caller.begin(kind=kind)
    async with writing(caller.server):
        caller.tell(told)
    polled = await caller.poll(id, kind)
    assert {name: polled[name] for name in shown} == shown


async def test_what_is_asked_of_a_verification(caller: Caller) -> None:
    await caller.begin(kind="verify", score_threshold=0.7)
    [(_, inquiry)] = caller.server.exchange.asked
    assert inquiry.similarity_threshold == 0.7
    assert inquiry.template is not None


async def test_a_result_is_shown_when_it_is_on_the_disk(caller: Caller) -> None:
    id = await caller.begin()
    caller.tell(APPROVED)
    assert (await caller.poll(id))["status"] == "consumer_ready"
    async with writing(caller.server):
        pass
    assert (await caller.poll(id))["status"] == "success"


async def test_results_are_readable_for_an_hour(caller: Caller) -> None:
    id = await caller.begin()
    async with writing(caller.server):
        caller.tell(APPROVED)
    caller.server.unix_s += 3599
    assert (await caller.poll(id))["credential"] == "dm9p"
    caller.server.unix_s += 1
    check(await caller.get(f"register_session/{id}"), 404, "error-parameters", "Nothing has this id", "id")


async def test_old_results_leave_the_database(caller: Caller, mock_clock: trio.testing.MockClock) -> None:
    id = await caller.begin()
    database = shared_authority()[0].database

    def there() -> bool:
        with database.read() as connection:
            return bool(connection.execute("SELECT count(*) FROM rest_sessions WHERE id = ?", (id,)).fetchone()[0])

    async with writing(caller.server):
        caller.tell(APPROVED)
        await eventually(lambda: not channel(caller.server)._live)
        assert there()
        caller.server.unix_s += 3600
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(60)
        await eventually(lambda: not there())


async def test_a_restart_keeps_results_and_ends_what_was_in_progress(caller: Caller) -> None:
    done, open_one = await caller.begin("a"), await caller.begin("b", "verify")
    async with writing(caller.server):
        caller.tell(APPROVED, "a")
        caller.tell(VoiceStatus(8000, 8000, 5.0), "b")
    after = Caller(restarted(caller.server), caller.tenant)
    assert await after.poll(done) == await caller.poll(done)
    assert (await after.poll(open_one, "verify"))["status"] == "error"
    assert (await after.poll(open_one, "verify"))["content"] == "The biometric service could not process the voice"
    assert await after.settings_id() == await caller.settings_id()


async def test_a_session_without_voice_for_a_week_is_not_too_old_when_it_is_interrupted(caller: Caller) -> None:
    id = await caller.begin()
    caller.server.unix_s += 7 * 24 * 3600
    assert (await Caller(restarted(caller.server), caller.tenant).poll(id))["status"] == "error"


class Disk(RestSessions):
    """A store that refuses results when it is full."""

    full = True

    def finish(self, said: Any, at: float) -> None:
        if self.full:
            raise PeerError(errors.DATABASE_UNUSABLE)
        super().finish(said, at)


@pytest.fixture
def disk(server: Server) -> Disk:
    disk = Disk(shared_authority()[0].database)
    channel(server)._store = disk
    return disk


async def test_a_full_disk_takes_no_result_from_a_client(caller: Caller, disk: Disk, mock_clock: trio.testing.MockClock) -> None:
    id = await caller.begin()
    async with writing(caller.server):
        caller.tell(APPROVED)
        await eventually(lambda: channel(caller.server)._live[id].said["status"] == "success")
        assert (await caller.poll(id))["credential"] == "dm9p"
        disk.full = False
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(60)
        await eventually(lambda: not channel(caller.server)._live)
    assert (await Caller(restarted(caller.server), caller.tenant).poll(id))["credential"] == "dm9p"


async def test_results_that_no_disk_takes_are_forgotten(caller: Caller, disk: Disk, mock_clock: trio.testing.MockClock) -> None:
    id = await caller.begin()
    async with writing(caller.server):
        caller.tell(APPROVED)
        await eventually(lambda: channel(caller.server)._live[id].said["status"] == "success")
        caller.server.unix_s += 3600
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(60)
        await eventually(lambda: not channel(caller.server)._live)
    assert (await caller.get(f"register_session/{id}")).status_code == 404


async def test_a_session_that_could_not_be_stored_is_not_begun(server: Server) -> None:
    class NoDisk(RestSessions):
        def begin(self, new: Any, tenant: str, kind: str) -> None:
            raise PeerError(errors.DATABASE_UNUSABLE)

    channel(server)._store = NoDisk(shared_authority()[0].database)
    caller = Caller(server)
    answer = await caller.post("register_session", await caller.body())
    check(answer, 503, "error-das-Peak", "The session could not be stored")
    assert server.exchange.asked == []
    assert channel(server)._live == {}


# ---- refusals


async def test_a_busy_call(caller: Caller) -> None:
    caller.server.exchange.refusal = PeerError(errors.CALL_BUSY)
    answer = await caller.post("register_session", await caller.body())
    check(answer, 409, "error-parameters", "A session for this call is already in progress")
    caller.server.exchange.refusal = None
    for call_id in "abc":  # nothing of the refused one is left
        await caller.begin(call_id)


async def test_a_server_that_goes_down(caller: Caller) -> None:
    caller.server.exchange.refusal = PeerError(errors.DRAINING)
    answer = await caller.post("register_session", await caller.body())
    check(answer, 503, "error-consumer-not-ready", "No audio consumer is available for the audio protocol")
    assert answer.headers["Retry-After"] == "5"


async def test_so_many_sessions_and_no_more(caller: Caller) -> None:
    ids = [await caller.begin(call_id) for call_id in "abc"]
    answer = await caller.post("register_session", await caller.body("d"))
    check(answer, 429, "error-consumer-not-ready", "Too many sessions of this client are in progress")
    assert answer.headers["Retry-After"] == "5"
    await Caller(caller.server).begin()  # others are not concerned
    async with writing(caller.server):
        caller.tell(CallFailed(errors.CALL_SHORT), "b")
        await caller.begin("d")
    assert (await caller.poll(ids[1]))["status"] == "error"


async def test_many_at_once_do_not_slip_through(caller: Caller) -> None:
    statuses: list[int] = []

    async def one(call_id: str) -> None:
        statuses.append((await caller.post("register_session", await caller.body(call_id))).status_code)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(one, f"{number}")
    assert sorted(statuses) == [201] * 3 + [429] * 7


@pytest.mark.parametrize(("change", "field"), [
    ({"call_id": ""}, "call_id"), ({"call_id": None}, "call_id"), ({"audio_total_duration": 61}, "audio_total_duration"),
    ({"authenticity_threshold": "x"}, "authenticity_threshold"), ({"model_hash": "9b1f"}, "model_hash"),
    ({"credential": "another's"}, "credential"), ({"score_threshold": True}, "score_threshold"),
    ({"audio_settings_id": 5}, "audio_settings_id"),
])  # fmt: skip
async def test_a_wrong_field(caller: Caller, change: dict[str, Any], field: str) -> None:
    answer = await caller.post("verify_session", await caller.body(kind="verify", **change))
    check(answer, 400, "error-parameters", BAD, field)
    assert caller.server.exchange.asked == []


@pytest.mark.parametrize("id", [str(uuid.uuid4()), "", "x", "é", "../..", "x" * 5000, "%ff", "' OR 1=1 --"])
async def test_ids_that_nobody_gave(caller: Caller, id: str) -> None:
    answer = await caller.post("register_session", await caller.body(audio_settings_id=id))
    check(answer, 404, "error-parameters", "Nothing has this id", "audio_settings_id")
    for path in ("audio_settings", "register_session", "verify_session"):
        answer = await caller.client.get(httpx.URL("http://server", path=f"{REST}/{path}/{id}"))
        if "/" not in id and id:
            check(answer, 404, "error-parameters", "Nothing has this id", "id")
        else:  # another path
            assert answer.status_code in (404, 405)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"5", b"\xff", b"[" * 60_000, b'{"call_id":NaN}', b'{"a":"\\ud800"}'])
async def test_bodies_that_are_no_objects(caller: Caller, body: bytes) -> None:
    answer = await caller.client.post(f"{REST}/audio_settings", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
    check(answer, 400, "error-parameters", BAD)


async def test_of_a_key_given_twice_the_last_counts(caller: Caller) -> None:
    body = b'{"audio_codec":"opus","audio_codec":"alaw","audio_protocol":"twilio","audio_format":"raw"}'
    answer = await caller.client.post(f"{REST}/audio_settings", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["audio_codec"] == "alaw"


async def test_bodies_of_another_type_or_size(caller: Caller) -> None:
    answer = await caller.client.post(f"{REST}/audio_settings", data={"audio_codec": "mulaw"})
    check(answer, 415, "error-parameters", "The request body must be application/json")
    answer = await caller.post("audio_settings", {"x": "y" * 70_000})
    check(answer, 413, "error-parameters", "The request body is too large")


async def test_a_body_that_does_not_come(caller: Caller, autojump_clock: trio.testing.MockClock) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await trio.sleep_forever()

    answer = await caller.client.post(f"{REST}/audio_settings", content=stuck(), headers={"Content-Type": "application/json"})
    check(answer, 408, "error-parameters", "The request body did not arrive in time")


async def test_switched_off_there_is_nothing(serve: Callable[..., Server]) -> None:
    client = serve(component_daspeak=False).client
    assert (await client.get(f"{REST}/alive")).status_code == 404


# ---- tenants


async def test_what_is_another_tenants_does_not_exist(caller: Caller) -> None:
    settings, session = await caller.settings_id(), await caller.begin()
    async with writing(caller.server):
        other = Caller(caller.server)
        answers = [await other.get(f"audio_settings/{settings}"), await other.get(f"register_session/{session}")]
        caller.tell(APPROVED)
    answers.append(await other.get(f"register_session/{session}"))
    answers.append(await other.get(f"register_session/{uuid.uuid4()}"))
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    answer = await other.post("register_session", await other.body(audio_settings_id=settings))
    check(answer, 404, "error-parameters", "Nothing has this id", "audio_settings_id")
    answer = await other.post("verify_session", await other.body(kind="verify", credential=f"credential of {caller.tenant}"))
    check(answer, 400, "error-parameters", BAD, "credential")


async def test_two_keys_of_a_tenant_see_the_same(caller: Caller) -> None:
    id = await caller.begin()
    assert (await Caller(caller.server, caller.tenant).poll(id))["id"] == id


async def test_a_session_is_of_one_kind(caller: Caller) -> None:
    id = await caller.begin(kind="verify")
    assert (await caller.get(f"register_session/{id}")).status_code == 404
    async with writing(caller.server):
        caller.tell(VERIFIED)
    assert (await caller.get(f"register_session/{id}")).status_code == 404


async def operate(server: Server, random: Random, operations: int) -> int:
    """Random requests of three tenants with all ids there are, while sessions go on and end: how many ids of others were tried."""
    callers = [Caller(server) for _ in range(3)]
    owners: dict[str, tuple[Caller, str]] = {}  # id -> whose, and the path
    open_calls: list[tuple[str, str]] = []  # call_id, kind
    foreign = 0
    for number in range(operations):
        caller = random.choice(callers)
        kind = random.choice(["register", "verify"])
        match random.randrange(5):
            case 0:
                id = await caller.settings_id(audio_codec=random.choice(["mulaw", "alaw"]))
                assert owners.setdefault(id, (caller, "audio_settings")) == (caller, "audio_settings")
            case 1:
                settings = [id for id, (_, path) in owners.items() if path == "audio_settings"]
                id = random.choice(settings) if settings else str(uuid.uuid4())
                body = await caller.body(f"{number}", kind, audio_settings_id=id)
                answer = await caller.post(f"{kind}_session", body)
                if id in owners and owners[id][0] is caller:
                    assert answer.status_code in (201, 429)
                else:
                    assert answer.status_code == 404
                    foreign += 1
                if answer.status_code == 201:
                    owners[answer.json()["id"]] = caller, f"{kind}_session"
                    open_calls.append((f"{number}", kind))
                    assert server.exchange.asked[-1][0] == caller.tenant
            case 2 if open_calls:
                call_id, kind = open_calls.pop(random.randrange(len(open_calls)))
                server.exchange.told[call_id](APPROVED if kind == "register" else VERIFIED)
            case _ if owners:
                id = random.choice(list(owners))
                owner, path = owners[id]
                tried = random.choice([path, "audio_settings", "register_session", "verify_session"])
                mine = owner is caller and tried == path
                assert (await caller.get(f"{tried}/{id}")).status_code == (200 if mine else 404)
                foreign += owner is not caller
    return foreign


@pytest.mark.parametrize("seed", range(3))
async def test_three_tenants_at_random(server: Server, seed: int) -> None:
    async with writing(server):
        assert await operate(server, Random(seed), 150) > 20


@pytest.mark.fuzz
async def test_three_tenants_for_long(server: Server) -> None:
    async with writing(server):
        assert await operate(server, Random(), 10_000) > 1000
