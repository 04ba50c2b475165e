"""Kernels of the exact Hamming search; `blsh.hashing.search` is the public side and describes the method."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from blsh.hashing._heap import replace_worst
from blsh.hashing._popcount import popcount

CHUNK_BITS = 16
BLOCK = 512
GROUP = 32


@njit(cache=True, parallel=True)
def chunk_codes(words, starts, lengths, blocks):
    """Cut codes into 16-bit chunks, chunk-major in blocks of `BLOCK` rows; rows past the last code stay zero.

    words (rows, n_words) uint64; starts, lengths (chunks,): the bits [start, start + length) of a code form a
    chunk; blocks (n_blocks, chunks, BLOCK) uint16 is written.
    """
    n_rows = words.shape[0]
    for block in prange(blocks.shape[0]):
        first = block * BLOCK
        n_valid = min(BLOCK, n_rows - first)
        for chunk in range(starts.size):
            _cut_chunk(words[first : first + n_valid], starts[chunk], lengths[chunk], blocks[block, chunk])
            blocks[block, chunk, n_valid:] = 0


@njit(cache=True)
def _cut_chunk(words, start, length, out):
    word, shift = start >> 6, np.uint64(start & 63)
    mask = np.uint64((1 << length) - 1)
    straddles = (start & 63) + length > 64
    for i in range(words.shape[0]):
        bits = words[i, word] >> shift
        if straddles:
            bits |= words[i, word + 1] << (np.uint64(64) - shift)
        out[i] = np.uint16(bits & mask)


@njit(cache=True, parallel=True)
def search_blocks(blocks, n_rows, first_row, queries, ends, costs, rows, tile):
    """Push all rows of `blocks` through the heaps of all queries and prefixes."""
    n_queries = queries.shape[0]
    for t in prange((n_queries + tile - 1) // tile):
        _search_tile(blocks, n_rows, first_row, queries, t * tile, min((t + 1) * tile, n_queries), ends, costs, rows, aligned(BLOCK))


@njit(cache=True)
def aligned(n):
    raw = np.empty(n + 32, np.uint16)
    o = (-raw.ctypes.data) % 64 // 2
    return raw[o : o + n]


@njit(cache=True)
def _search_tile(blocks, n_rows, first_row, queries, q0, q1, ends, costs, rows, distances):
    for block in range(blocks.shape[0]):
        for query in range(q0, q1):
            for i in range(BLOCK):
                distances[i] = 0
            chunk = 0
            for prefix in range(ends.size):
                end = ends[prefix]
                least = np.uint16(0)
                while chunk + 4 <= end:
                    least = _add_four(blocks, block, chunk, queries, query, distances)
                    chunk += 4
                while chunk < end:
                    least = _add_one(blocks, block, chunk, queries, query, distances)
                    chunk += 1
                heap = query * ends.size + prefix
                if least < costs[heap, 0]:
                    first = block * BLOCK
                    _push_block(distances, min(BLOCK, n_rows - first), first_row + first, costs, rows, heap)


@njit(cache=True)
def _add_four(blocks, block, chunk, queries, query, distances):
    block, chunk, query = np.uint64(block), np.uint64(chunk), np.uint64(query)
    one = np.uint64(1)
    chunk1 = chunk + one
    chunk2 = chunk1 + one
    chunk3 = chunk2 + one
    bits0, bits1, bits2, bits3 = queries[query, chunk], queries[query, chunk1], queries[query, chunk2], queries[query, chunk3]
    least = np.uint16(65535)
    for i in range(BLOCK):
        distance = np.uint16(
            distances[i]
            + popcount(np.uint16(blocks[block, chunk, i] ^ bits0))
            + popcount(np.uint16(blocks[block, chunk1, i] ^ bits1))
            + popcount(np.uint16(blocks[block, chunk2, i] ^ bits2))
            + popcount(np.uint16(blocks[block, chunk3, i] ^ bits3))
        )
        distances[i] = distance
        least = min(least, distance)
    return least


@njit(cache=True)
def _add_one(blocks, block, chunk, queries, query, distances):
    block, chunk, query = np.uint64(block), np.uint64(chunk), np.uint64(query)
    bits = queries[query, chunk]
    least = np.uint16(65535)
    for i in range(BLOCK):
        distance = np.uint16(distances[i] + popcount(np.uint16(blocks[block, chunk, i] ^ bits)))
        distances[i] = distance
        least = min(least, distance)
    return least


@njit(cache=True)
def _push_block(distances, n_valid, first_row, costs, rows, heap):
    for start in range(0, n_valid, GROUP):
        least = np.uint16(65535)
        for i in range(GROUP):
            least = min(least, distances[np.uint64(start + i)])
        if least < costs[heap, 0]:
            for i in range(start, min(start + GROUP, n_valid)):
                if distances[i] < costs[heap, 0]:
                    replace_worst(costs, rows, heap, np.float64(distances[i]), first_row + i)
