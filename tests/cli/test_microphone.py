"""The microphone, with a sound card that is a thread."""

import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from types import ModuleType, TracebackType
from typing import Self

import pytest

from voicestream import errors
from voicestream.cli.microphone import RATE_HZ, microphone
from voicestream.cli.telephone_audio import spoken
from voicestream.dsp.g711 import mulaw_expand
from voicestream.errors import PeerError

Callback = Callable[[object, int, object, object], None]


class SoundCard:
    """Plays three tenths of a second as soon as it is opened."""

    def __init__(self, samplerate: int, channels: int, dtype: str, blocksize: int, callback: Callback) -> None:
        assert (samplerate, channels, dtype) == (RATE_HZ, 1, "int16")
        self._blocks = [bytes([number]) * (2 * blocksize) for number in (1, 2, 3)]
        self._callback = callback

    def __enter__(self) -> Self:
        threading.Thread(target=lambda: [self._callback(memoryview(block), len(block) // 2, None, None) for block in self._blocks]).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass


class NoCard(Exception):
    pass


def install(monkeypatch: pytest.MonkeyPatch, stream: object) -> None:
    module = ModuleType("sounddevice")
    module.RawInputStream = stream  # type: ignore[attr-defined]
    module.PortAudioError = NoCard  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)


async def test_sound_arrives_in_order_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, SoundCard)
    heard = []
    async with aclosing(microphone()) as messages:
        async for message in messages:
            heard.append(message)
            if len(heard) == 3:
                break
    assert heard == [bytes([number]) * 3200 for number in (1, 2, 3)]


async def test_a_call_from_the_microphone_is_telephone_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, SoundCard)
    heard = b""
    async with aclosing(spoken()) as pieces:
        async for piece in pieces:
            heard += piece
            if len(heard) == 2400:  # three tenths of a second at 8 kHz
                break
    assert len(set(heard[900:1500])) == 1  # the second block: every sample 0x0202
    assert abs(int(mulaw_expand(heard[1200:1201])[0]) - 0x0202) < 16


async def test_no_input_is_told_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_options: object) -> None:
        raise NoCard

    install(monkeypatch, refuse)
    with pytest.raises(PeerError) as caught:
        async for _ in microphone():
            pass
    assert caught.value.fault is errors.NO_MICROPHONE


async def test_no_library_is_told_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(PeerError) as caught:
        async for _ in microphone():
            pass
    assert caught.value.fault is errors.NO_MICROPHONE
