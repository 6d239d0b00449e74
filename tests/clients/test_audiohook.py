"""An AudioHook client of others' making against the running server: the whole dialogue, and every mistake a client can make."""

from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from benchmarks.house import House, house
from tests.clients.hook_client import HookClient, hooked
from tests.protocols import hook
from voicestream.store.api_key import add_key
from voicestream.store.database import FILE_NAME, Database
from voicestream.store.vault import Vault

SECRET = b"a secret of the tests: 32 bytes."
NOBODY = {"id": hook.NIL, "ani": "", "aniName": "", "dnis": ""}


class Keyed:
    """A running server, a key that signs and one that does not."""

    def __init__(self, running: House, signing: str, plain: str) -> None:
        self.running = running
        self.signing = signing
        self.plain = plain


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    folder = tmp_path_factory.mktemp("hooked")
    database = Database(folder / FILE_NAME)
    _, signing = add_key(database, "signing", "acme", 0.0, (Vault.load(folder), SECRET))
    _, plain = add_key(database, "plain", "acme", 0.0)
    database.close()
    with house(folder / "log", data_folder=folder, call_hold_s=60) as running:
        yield Keyed(running, signing, plain)
        assert [entry for entry in running.log() if entry.get("level") == "error" or entry["event"] == "no JSON"] == []
        told = (folder / "log").read_text()
        assert signing not in told
        assert plain not in told


@pytest.fixture
def client(keyed: Keyed) -> Iterator[HookClient]:
    with hooked(keyed.running.port, keyed.signing, SECRET) as client:
        yield client


def test_a_signed_session_from_open_to_closed(client: HookClient) -> None:
    stereo, mono = hook.media("external internal"), hook.media("external")
    assert client.open(stereo, mono, hook.media("internal")) == [mono]
    client.websocket.send(b"\xff" * 1600)
    client.say("discarded", {"start": "PT0.2S", "discarded": "PT1S"})
    client.say("update", {"language": "en-US"})
    client.say("paused")
    client.say("resumed", {"start": "PT1.2S", "discarded": "PT2S"})
    client.websocket.send(b"\xff" * 1600)
    client.say("error", {"code": 429, "message": "for the log"})
    client.ping()
    assert client.close() == 1000


@pytest.mark.parametrize("channels", ["external internal", "internal external", "internal"])
@pytest.mark.parametrize("form", ["PCMU", "L16"])
def test_every_offer_of_one_kind_is_taken(client: HookClient, channels: str, form: str) -> None:
    offer = hook.media(channels, form)
    assert client.open(offer) == [offer]
    client.websocket.send(bytes(1600))
    client.ping()
    client.close()


def test_a_connection_probe(client: HookClient) -> None:
    assert client.open(hook.media(), conversationId=hook.NIL, participant=NOBODY) == []
    client.close()


def test_a_key_without_a_secret_comes_in_unsigned(keyed: Keyed) -> None:
    with hooked(keyed.running.port, keyed.plain) as client:
        assert client.open() == [hook.media()]
        client.close()


@pytest.mark.parametrize(
    "unfit",
    [
        {"key": "wrong"},
        {"secret": b"another secret of the tests"},
        {"secret": None},
        {"changed": {"Audiohook_Correlation_Id": "00000000-0000-4000-8000-000000000000"}},
    ],
)
def test_who_may_not_come_in_is_refused_before_the_upgrade(keyed: Keyed, unfit: dict[str, object]) -> None:
    secret, key, changed = unfit.get("secret", SECRET), unfit.get("key", keyed.signing), unfit.get("changed", {})
    with pytest.raises(InvalidStatus) as caught, hooked(keyed.running.port, key, secret, **changed):  # type: ignore[arg-type]
        pass
    response = caught.value.response
    assert (response.status_code, response.body) == (401, b'{"message": "Invalid authentication credentials"}')


def test_another_organization_is_unauthorized(client: HookClient) -> None:
    client.say("open", hook.opening(organizationId=hook.SESSION))
    assert client.hear() == ("disconnect", {"reason": "unauthorized"})
    client.close("disconnect")


def bring(client: HookClient, state: str) -> None:
    """Where its mistake is one."""
    match state:
        case "silent":
            client.open(conversationId=hook.NIL, participant=NOBODY)
        case "stereo":
            client.open(hook.media("external internal"))
        case "opened" | "paused":
            client.open()
    if state == "paused":
        client.say("paused")


MISTAKES: list[tuple[str, Callable[[HookClient], None], str]] = [
    ("opened", lambda client: client.websocket.send(" " * 65_536), "Text message too large"),
    ("opened", lambda client: client.websocket.send("{"), "Text message not valid JSON"),
    ("opened", lambda client: client.websocket.send("{}"), "Message not a well-formed client message"),
    ("opened", lambda client: client.say("ping", version="3"), "Message not a well-formed client message"),
    ("opened", lambda client: client.say("ping", seq=99), "Invalid seq value (not monotonically increasing)"),
    ("opened", lambda client: client.say("ping", serverseq=99), "Invalid serverseq value"),
    ("opened", lambda client: client.say("ping", id=hook.SESSION), "Session identifier mismatch"),
    ("opened", lambda client: client.say("discarded", {"start": "soon"}), "Invalid Message: Invalid/missing parameters"),
    ("fresh", lambda client: client.say("open", {}), "Invalid Message: Invalid/missing parameters"),
    ("opened", lambda client: client.say("<script>"), "Invalid Message: unsupported client message"),
    ("fresh", lambda client: client.websocket.send(b"\xff"), "Received audio in state PREPARING"),
    ("paused", lambda client: client.websocket.send(b"\xff" * 16_000), "Received audio in state PAUSED"),
    ("silent", lambda client: client.websocket.send(b"\xff"), "Unexpected binary message: No media selected"),
    ("stereo", lambda client: client.websocket.send(b"\xff" * 3), "Binary data not a valid audio frame"),
]


@pytest.mark.parametrize("state, err, told", MISTAKES)
def test_a_mistake_is_told_and_then_only_close_is_heard(
    client: HookClient, state: str, err: Callable[[HookClient], None], told: str
) -> None:
    bring(client, state)
    err(client)
    assert client.hear() == ("disconnect", {"reason": "error", "info": f"Client Error: {told}"})
    client.websocket.send(b"\xff" * 3)
    client.close("disconnect")


def test_a_message_over_the_limit_of_the_websocket_ends_it(client: HookClient) -> None:
    client.open()
    client.websocket.send(b"\xff" * 65_537)
    with pytest.raises(ConnectionClosedError, match="1009"):
        client.hear()
