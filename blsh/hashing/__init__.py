"""Binary codes of frames: projections, encoding, search for neighbours, and the learning of projections.

Projections
    `Projections`, `random_projections`, `encode`, `save_projections`, `load_projections`, `read_brought_projections`
Codes
    `Codes`, `pack_bits`, `unpack_bits`
Search
    `Neighbours`, `hamming_neighbours`, `hamming_sweep`, `HammingIndex`, `hamming_index`,
    `inner_product_neighbours`, `WeightedIndex`, `weighted_index`, `weighted_neighbours`
"""

from blsh.hashing.brought import read_brought_projections
from blsh.hashing.codes import Codes, pack_bits, unpack_bits
from blsh.hashing.merging import merge_neighbours
from blsh.hashing.projections import (
    Projections,
    encode,
    load_projections,
    random_projections,
    save_projections,
)
from blsh.hashing.search import (
    HammingIndex,
    Neighbours,
    hamming_index,
    hamming_neighbours,
    hamming_sweep,
    inner_product_neighbours,
)
from blsh.hashing.weighted_search import WeightedIndex, weighted_index, weighted_neighbours

__all__ = [
    "Codes",
    "HammingIndex",
    "Neighbours",
    "Projections",
    "WeightedIndex",
    "encode",
    "hamming_index",
    "hamming_neighbours",
    "hamming_sweep",
    "inner_product_neighbours",
    "load_projections",
    "merge_neighbours",
    "pack_bits",
    "random_projections",
    "read_brought_projections",
    "save_projections",
    "unpack_bits",
    "weighted_index",
    "weighted_neighbours",
]
