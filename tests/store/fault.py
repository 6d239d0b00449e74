"""What a refusal looks like."""

import pytest

from voicestream.errors import Fault, PeerError


def refused(fault: Fault) -> "pytest.RaisesExc[PeerError]":
    return pytest.RaisesExc(PeerError, check=lambda error: error.fault is fault)
