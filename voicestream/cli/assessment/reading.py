"""A recording of a known sentence, read out to a server."""

from __future__ import annotations

import trio

from voicestream.cli.assessment.answer import read_result
from voicestream.cli.assessment.conversation import Speech, converse
from voicestream.cli.assessment.finding import Finding
from voicestream.cli.assessment.talk import SentenceTalk
from voicestream.cli.recording import Recording
from voicestream.cli.stream import paced


async def read_out(url: str, key: str, sentence: str, recording: Recording) -> Finding:
    """What the server finds. PeerError VS1021 where none answers, VS1022 where it gives no result."""
    speech = Speech(paced(recording.messages("pcm16"), None), recording.rate_hz, trio.Event(), lambda packet: None)
    return read_result(await converse(url, f"ELSA {key}", SentenceTalk(sentence), speech, lambda answer, news: None))
