"""One sample of G.711, as the kernels that expand it have it (ITU-T G.711, tables 1 and 2).

Apart from g711.py, so that a server, whose front end has these inside, does not compile kernels that it never calls.
"""

import numpy as np

from voicestream.dsp._jit import part


@part()
def mulaw_sample(byte: np.uint8) -> np.int32:
    """One sample: the byte is sent inverted, as sign, exponent, mantissa over a bias of 33 (132 in 16 bits)."""
    code = np.int32(byte) ^ np.int32(0xFF)
    size = (((code & np.int32(0x0F)) << np.int32(3)) + np.int32(132)) << ((code >> np.int32(4)) & np.int32(7))
    return np.int32(132) - size if code & np.int32(0x80) else size - np.int32(132)


@part()
def alaw_sample(byte: np.uint8) -> np.int32:
    """One sample: every other bit is sent inverted; exponents 0 and 1 share a step."""
    code = np.int32(byte) ^ np.int32(0x55)
    exponent = (code >> np.int32(4)) & np.int32(7)
    mantissa = ((code & np.int32(0x0F)) << np.int32(4)) + np.int32(8)
    size = (mantissa + np.int32(256)) << (exponent - np.int32(1)) if exponent else mantissa
    return size if code & np.int32(0x80) else -size
