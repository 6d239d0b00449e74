"""voicestream: a self-hosted voice server. One process, one port, the clients you already have."""

__version__ = "0.1.0"
