"""Numbers that the reference scripts and the tests draw alike, so that the reference files need not hold them: the n-th number of a stream
is the finaliser of MurmurHash3 on 32 bits, as a fraction of 2^32, minus 1/2. Exact in float64 on both sides."""

import numpy as np

MASK = 0xFFFFFFFF


def stream_of(name):
    """FNV-1a of a name: each array has a stream of its own."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & MASK
    return h


def draw(name, *shape, scale=1.0):
    """An array of numbers in [-scale/2, scale/2)."""
    size = int(np.prod(shape, dtype=np.int64))
    k = (np.arange(size, dtype=np.uint64) * 0x9E3779B9 + stream_of(name)) & MASK
    k ^= k >> 16
    k = (k * 0x85EBCA6B) & MASK
    k ^= k >> 13
    k = (k * 0xC2B2AE35) & MASK
    k ^= k >> 16
    return (k.astype(np.float64) / 2.0**32 - 0.5).reshape(shape) * scale
