"""voicestream: a self-hosted voice server. One process, one port, the clients you already have."""

import os

# Threads of BLAS spin beside ours: a template of 60 s took 162 ms of CPU with two of them and 17 ms with one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
