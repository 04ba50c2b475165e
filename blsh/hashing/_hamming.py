"""Kernels of the exact Hamming search; `blsh.hashing.search` is the public side and describes the method."""

from __future__ import annotations

import numpy as np

from blsh.files.kernels import njit
from blsh.hashing._heap import NO_ROW, replace_worst
from blsh.hashing._popcount import popcount
from blsh.hashing.plain_arrays import CACHE_LINE

CHUNK_BITS = 16
BLOCK = 512  # rows: a block of 512-bit codes is 32 KiB and stays in the first-level cache for a whole tile

_GROUP = 128
_NO_LIMIT = 65536.0  # above any distance, where a heap's root may still be infinite
_MAX_TWICE = 512  # blocks that are gone over twice: as many as a search over a part of a dictionary has
_BOUND, _REVISIT, _VISIT = 0, 1, 2
_NONE = np.uint16(0)
_ALL = np.uint16(0xFFFF)


@njit(nogil=True)
def chunk_codes(begin, end, words, starts, lengths, blocks):
    """Cut the codes of blocks begin…end - 1 of `BLOCK` rows into chunks of at most 16 bits, chunk-major.

    words (rows, n_words) uint64; starts, lengths (chunks,) int64: the bits [start, start + length) of a
    code are a chunk; blocks (n_blocks, chunks, BLOCK) uint16 is written, with zeros past the last row.
    """
    n_rows = words.shape[0]
    for block in range(begin, end):
        first = block * BLOCK
        n_valid = min(BLOCK, n_rows - first)
        block_words, chunks = words[first : first + n_valid], blocks[block]
        for chunk in range(starts.size):
            word, shift = starts[chunk] >> 6, starts[chunk] & 63
            mask = np.uint64((1 << lengths[chunk]) - 1)
            for i in range(n_valid):
                bits = block_words[i, word] >> np.uint64(shift)
                if shift + lengths[chunk] > 64:
                    bits |= block_words[i, word + 1] << np.uint64(64 - shift)
                chunks[chunk, i] = np.uint16(bits & mask)
            chunks[chunk, n_valid:] = 0


@njit(nogil=True)
def search_blocks(begin, end, blocks, n_rows, first_row, queries, ends, costs, rows, tile):
    """Push the rows of all blocks through the heaps of every (query, prefix) of the tiles begin…end - 1 of queries.

    blocks (n_blocks, chunks, BLOCK) uint16 hold `n_rows` rows, numbered from `first_row`; queries
    (n_queries, chunks) uint16; the chunks before ends[p] make up prefix p; heaps: costs float64, rows int64
    (n_queries * prefixes, k). `tile` queries share a pass over the dictionary.
    """
    n_queries, n_blocks = queries.shape[0], blocks.shape[0]
    # Empty heaps take in many rows that later ones displace. So the first blocks are gone over twice: k blocks
    # whose smallest distances are at most T hold k rows at most T, so of a block beyond T nothing can enter.
    # Rows that only fill up the last block would count, so it is not among them.
    n_twice = min(n_rows // BLOCK, _MAX_TWICE) if first_row == 0 else 0
    if n_twice <= costs.shape[1]:
        n_twice = 0
    for start in range(begin, end):
        first, last = start * tile, min((start + 1) * tile, n_queries)
        distances = _row_on_cache_line()
        least = np.empty((n_twice, last - first, ends.size), np.uint16)
        limits = np.empty((last - first, ends.size), np.uint16)
        arguments = (n_rows, first_row, queries, first, last, ends, costs, rows, distances, least, limits)
        if n_twice > 0:
            _search_tile(_BOUND, blocks, 0, n_twice, *arguments)
            for heap in range(first * ends.size, last * ends.size):
                limits[heap // ends.size - first, heap % ends.size] = np.uint16(costs[heap, 0])
                costs[heap] = costs[heap, 0] + 1.0
            _search_tile(_REVISIT, blocks, 0, n_twice, *arguments)
        _search_tile(_VISIT, blocks, n_twice, n_blocks, *arguments)


@njit()
def _row_on_cache_line():
    row = np.empty(BLOCK + CACHE_LINE // 2, np.uint16)
    start = (-row.ctypes.data % CACHE_LINE) // 2
    return row[start : start + BLOCK]


def _make_adder(n_chunks):
    """Kernel that adds the distances of `n_chunks` chunks to the running ones, and returns the smallest sum.

    A constant number of chunks is unrolled, so that a running distance is loaded and stored once for all of
    them. It is made part of the caller: as a call, with its arrays on the stack, it would cost a search a
    sixth of its time and a sweep a quarter. Unsigned indices spare the check for negative ones, without
    which LLVM does not vectorise.
    """

    @njit(forceinline=True)
    def add(blocks, block, queries, query, chunk, distances):
        # A prefix's first distances must not see those of the query before.
        kept = _NONE if chunk == 0 else _ALL
        block, query, chunk = np.uint64(block), np.uint64(query), np.uint64(chunk)
        least = _ALL
        for i in range(BLOCK):
            distance = np.uint16(distances[i] & kept)
            for j in range(n_chunks):
                differing = blocks[block, chunk + np.uint64(j), i] ^ queries[query, chunk + np.uint64(j)]
                distance = np.uint16(distance + popcount(np.uint16(differing)))
            distances[i] = distance
            least = min(least, distance)
        return least

    return add


_add_one, _add_two, _add_four, _add_eight = (_make_adder(n) for n in (1, 2, 4, 8))


@njit()
def _search_tile(
    task,
    blocks,
    first_block,
    last_block,
    n_rows,
    first_row,
    queries,
    first,
    last,
    ends,
    costs,
    rows,
    distances,
    least_of,
    limits,
):
    """Search blocks for queries first…last - 1.

    _BOUND pushes each block's least distance alone, and notes it in `least_of` (blocks, queries, prefixes);
    _REVISIT passes over what is beyond `limits` (queries, prefixes) there; _VISIT knows nothing.
    """
    # All loops stand inside one function: at a call per (query, block), counting the references of the
    # array arguments would cost as much as the distances.
    for block in range(first_block, last_block):
        for query in range(first, last):
            n_prefixes = ends.size
            if task == _REVISIT:
                while n_prefixes > 0 and (
                    least_of[block, query - first, n_prefixes - 1] > limits[query - first, n_prefixes - 1]
                ):
                    n_prefixes -= 1
            chunk = 0
            for prefix in range(n_prefixes):
                end = ends[prefix]
                least = _ALL
                while chunk + 8 <= end:
                    least = _add_eight(blocks, block, queries, query, chunk, distances)
                    chunk += 8
                if chunk + 4 <= end:
                    least = _add_four(blocks, block, queries, query, chunk, distances)
                    chunk += 4
                if chunk + 2 <= end:
                    least = _add_two(blocks, block, queries, query, chunk, distances)
                    chunk += 2
                if chunk < end:
                    least = _add_one(blocks, block, queries, query, chunk, distances)
                    chunk += 1
                heap = query * ends.size + prefix
                if task == _BOUND:
                    least_of[block, query - first, prefix] = least
                if least < costs[heap, 0]:
                    if task == _BOUND:
                        replace_worst(costs, rows, heap, np.float64(least), NO_ROW)
                    else:
                        start = block * BLOCK
                        _push_block(distances, min(BLOCK, n_rows - start), first_row + start, costs, rows, heap)


@njit()
def _push_block(distances, n_valid, first_row, costs, rows, heap):
    """Push the distances of one block that can still enter; the rest is passed over in groups."""
    limit = np.int64(min(costs[heap, 0], _NO_LIMIT))  # an integer: no conversion at each comparison
    for start in range(0, n_valid, _GROUP):
        least = _ALL
        for i in range(_GROUP):
            least = min(least, distances[np.uint64(start + i)])
        if least < limit:
            for i in range(start, min(start + _GROUP, n_valid)):
                if distances[np.uint64(i)] < limit:
                    replace_worst(costs, rows, heap, np.float64(distances[i]), first_row + i)
                    limit = np.int64(min(costs[heap, 0], _NO_LIMIT))
