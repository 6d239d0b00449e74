"""PyPI vericlient, das-Peak's own client, against the running server: every method, and every exception of its own."""

import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from vericlient import DaspeakClient
from vericlient.daspeak import exceptions as daspeak
from vericlient.exceptions import AuthorizationError, InvalidCredentialError, ServerError, UnsupportedMediaTypeError

from benchmarks.house import House, house
from tests.clients.speech import Pcm, Person
from voicestream.errors import CATALOGUE

RATE_HZ = 8000


def wav(samples: Pcm | np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_16") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format="WAV", subtype=subtype)
    return out.getvalue()


class Caller(NamedTuple):
    """A person on the telephone: two recordings, of other sentences."""

    name: str
    first: bytes
    second: bytes


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("vericlient")
    with house(folder / "log", data_folder=folder / "data") as running:
        yield running
        assert [entry for entry in running.log() if entry.get("level") in ("warning", "error")] == []


def connect(served: House, key: str) -> DaspeakClient:
    return DaspeakClient(url=f"http://127.0.0.1:{served.port}/daspeak/v1", headers={"apikey": key}, timeout=120)


@pytest.fixture(scope="module")
def client(served: House) -> DaspeakClient:
    (key,) = [entry["apikey"] for entry in served.log() if "apikey" in entry]
    return connect(served, key)


@pytest.fixture(scope="module")
def model(client: DaspeakClient) -> str:
    return str(client.get_models().models[-1])  # as its documentation does


@pytest.fixture(scope="module")
def callers(crowd: list[Person]) -> list[Caller]:
    return [Caller(one.name, wav(one.enrol[: 25 * RATE_HZ]), wav(one.test[: 15 * RATE_HZ], subtype="ULAW")) for one in crowd[:4]]


@pytest.fixture(scope="module")
def credentials(client: DaspeakClient, model: str, callers: list[Caller]) -> list[str]:
    return [client.generate_credential(audio=one.first, hash=model).credential for one in callers]


# ---- every method


def test_alive(client: DaspeakClient) -> None:
    assert client.alive()


def test_models(client: DaspeakClient, model: str, credentials: list[str]) -> None:
    told = client.get_model_metadata(hash=model).metadata
    assert (told.hash, told.description) == (model, "mfcc 2")
    assert client.get_model_metadata_from_credential(credential=credentials[0]).metadata == told
    assert client.get_model_calibrations(hash=model).calibrations == ["telephone-channel", "microphone-channel"]


def test_a_credential_says_what_was_heard(client: DaspeakClient, model: str, callers: list[Caller]) -> None:
    made = client.generate_credential(audio=callers[0].first, hash=model, channel=1, calibration="microphone-channel")
    assert (made.model.hash, made.input_audio_duration) == (model, 25.0)
    assert 15 < made.net_speech_duration < 25
    assert made.authenticity > 0.5


def test_the_same_person_is_recognised_and_others_are_not(client: DaspeakClient, callers: list[Caller], credentials: list[str]) -> None:
    for enrolled, credential in enumerate(credentials):
        for calling, caller in enumerate(callers):
            found = client.compare_credential_to_audio(credential_reference=credential, audio_to_evaluate=caller.second)
            assert (found.score > 0.9) == (enrolled == calling), (callers[enrolled].name, caller.name, found.score)
            assert found.score > 0.9 or found.score < 0.3


def test_two_recordings(client: DaspeakClient, callers: list[Caller]) -> None:
    same = client.compare_audio_to_audio(audio_reference=callers[0].first, audio_to_evaluate=callers[0].second)
    other = client.compare_audio_to_audio(audio_reference=callers[0].first, audio_to_evaluate=callers[1].second)
    assert same.score > 0.9 > 0.3 > other.score
    assert (same.input_audio_duration_reference, same.input_audio_duration_to_evaluate) == (25.0, 15.0)
    assert same.authenticity_reference > 0.5 < same.authenticity_to_evaluate


def test_two_credentials(client: DaspeakClient, model: str, callers: list[Caller], credentials: list[str]) -> None:
    again = client.generate_credential(audio=callers[0].second, hash=model).credential
    same = client.compare_credential_to_credential(credential_reference=credentials[0], credential_to_evaluate=again)
    other = client.compare_credential_to_credential(credential_reference=credentials[1], credential_to_evaluate=again)
    assert same.score > 0.9 > 0.3 > other.score
    assert same.calibration == "telephone-channel"


def test_everybody_is_identified(client: DaspeakClient, model: str, callers: list[Caller], credentials: list[str]) -> None:
    gallery = [(one.name, credential) for one, credential in zip(callers, credentials, strict=True)]
    for caller in callers:
        by_audio = client.identify_audio(audio_to_evaluate=caller.second, credential_list=gallery)
        assert by_audio.result["id"] == caller.name
        assert [one["id"] for one in by_audio.scores] == [one.name for one in callers]
        credential = client.generate_credential(audio=caller.second, hash=model).credential
        by_credential = client.identify_credential(credential_to_evaluate=credential, credential_list=gallery)
        assert by_credential.result["id"] == caller.name
        assert by_credential.result == pytest.approx({"id": caller.name, "score": by_audio.result["score"]}, abs=1e-3)


def test_the_other_side_of_a_stereo_call(client: DaspeakClient, model: str, crowd: list[Person], credentials: list[str]) -> None:
    length = 15 * RATE_HZ
    call = wav(np.stack((crowd[0].test[:length], crowd[1].test[:length]), axis=1))
    for channel, speaker in ((1, 0), (2, 1)):
        found = client.compare_credential_to_audio(credential_reference=credentials[speaker], audio_to_evaluate=call, channel=channel)
        assert found.score > 0.9


# ---- every exception


def test_recordings_that_are_refused(client: DaspeakClient, model: str, crowd: list[Person]) -> None:
    voice = crowd[0].enrol[: 10 * RATE_HZ]
    hiss = np.random.default_rng(1).normal(scale=np.abs(voice).mean(), size=len(voice)).astype(np.int16)
    refused: list[tuple[bytes, type[Exception]]] = [
        (b"# no recording", UnsupportedMediaTypeError),
        (wav(np.zeros((80, 3), np.int16)), daspeak.TooManyAudioChannelsError),
        (wav(voice, subtype="PCM_24"), daspeak.UnsupportedAudioCodecError),
        (wav(voice, 11025), daspeak.UnsupportedSampleRateError),
        (wav(np.tile(voice, 3)), daspeak.AudioDurationTooLongError),
        (wav(voice // 2 + hiss), daspeak.SignalNoiseRatioError),
        (wav((60.0 * voice).clip(-32768, 32767).astype(np.int16)), daspeak.InsufficientQualityError),
        (wav(voice)[:12], ValueError),
    ]
    for audio, error in refused:
        with pytest.raises(error):
            client.generate_credential(audio=audio, hash=model)


def test_too_little_speech_is_told_in_seconds(client: DaspeakClient, model: str, crowd: list[Person]) -> None:
    with pytest.raises(daspeak.NetSpeechDurationIsNotEnoughError, match=r"only [12]\.[0-9]+ seconds were detected"):
        client.generate_credential(audio=wav(crowd[0].enrol[: 3 * RATE_HZ]), hash=model)


def test_wrong_parameters(client: DaspeakClient, model: str, callers: list[Caller]) -> None:
    with pytest.raises(daspeak.InvalidSpecifiedChannelError):
        client.generate_credential(audio=callers[0].first, hash=model, channel=2)
    with pytest.raises(daspeak.CalibrationNotAvailableError, match="The calibration cellar is not"):
        client.generate_credential(audio=callers[0].first, hash=model, calibration="cellar")
    with pytest.raises(daspeak.ModelNotAvailableError, match="The biometrics model 9b1f is not"):
        client.generate_credential(audio=callers[0].first, hash="9b1f")
    with pytest.raises(daspeak.ModelNotAvailableError, match="9b1f"):
        client.get_model_metadata(hash="9b1f")


def test_credentials_that_are_none(client: DaspeakClient, credentials: list[str]) -> None:
    middle = len(credentials[0]) // 2
    changed = credentials[0][:middle] + ("A" if credentials[0][middle] != "A" else "B") + credentials[0][middle + 1 :]
    for wrong in ("", "nonsense", changed):
        with pytest.raises(InvalidCredentialError):
            client.compare_credential_to_credential(credential_reference=credentials[0], credential_to_evaluate=wrong)
    with pytest.raises(InvalidCredentialError):
        client.identify_credential(credential_to_evaluate=credentials[0], credential_list=[("a", credentials[1]), ("b", changed)])


def test_too_many_candidates(client: DaspeakClient, credentials: list[str]) -> None:
    most = [(str(number), credentials[number % 4]) for number in range(1000)]
    assert client.identify_credential(credential_to_evaluate=credentials[2], credential_list=most).result["id"] == "2"
    with pytest.raises(ValueError, match="longer than 1000"):
        client.identify_credential(credential_to_evaluate=credentials[2], credential_list=[*most, ("x", credentials[0])])


def test_keys(served: House) -> None:
    with pytest.raises(AuthorizationError):
        DaspeakClient(url=f"http://127.0.0.1:{served.port}/daspeak/v1").get_models()
    with pytest.raises(ServerError):  # which is what it makes of "Invalid authentication credentials"
        connect(served, "wrong").get_models()


def test_the_log_holds_no_key_and_no_credential(served: House, credentials: list[str]) -> None:
    text = "".join(str(entry) for entry in served.log() if "apikey" not in entry)
    assert "request refused" in text
    assert not any(credential[100:140] in text for credential in credentials)
    assert "cellar" not in text
    assert {entry["code"] for entry in served.log() if entry["event"] == "request refused"} <= set(CATALOGUE)
