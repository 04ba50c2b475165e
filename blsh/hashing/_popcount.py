"""Number of set bits of an unsigned integer, inside numba kernels.

NumPy's ``bitwise_count`` cannot be compiled by numba, so the LLVM intrinsic is named directly; LLVM
vectorises it (``vpopcntw`` with AVX-512 BITALG, byte look-ups elsewhere). With ``NUMBA_DISABLE_JIT=1``
kernels run as plain Python, where an intrinsic cannot: `popcount` is then Python's own ``int.bit_count``.
"""

from __future__ import annotations

from numba import config, types
from numba.extending import intrinsic


@intrinsic
def _ctpop(typing_context, word):
    if not isinstance(word, types.Integer):
        return None

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return word(word), generate


def _bit_count(word) -> int:
    return int(word).bit_count()


popcount = _bit_count if config.DISABLE_JIT else _ctpop
