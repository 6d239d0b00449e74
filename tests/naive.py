"""Slow obvious twins of the kernels: written from the definition, to be compared with everywhere."""
