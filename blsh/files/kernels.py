"""Compiled kernels: numba's decorator, with a cache on disk that can be trusted (`blsh.files._kernel_cache`)."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numba
from numba import config

from blsh.files._kernel_cache import KernelCache

__all__ = ["njit"]

if config.DISABLE_JIT:
    logging.getLogger(__name__).warning(
        "NUMBA_DISABLE_JIT is set: the kernels run uncompiled, thousands of times slower"
    )


def njit(**options: object) -> Callable:
    """Compile a function when it is first called, as `numba.njit` does, and keep the result on disk.

    Raises
    ------
    ValueError
        When ``NUMBA_CACHE_LOCATOR_CLASSES`` names no place for it.
    """

    def decorate(function: Callable) -> Callable:
        kernel = numba.njit(**options)(function)
        if not config.DISABLE_JIT:
            try:
                kernel._cache = KernelCache(function)
            except RuntimeError as error:
                raise ValueError(f"{error}: unset NUMBA_CACHE_LOCATOR_CLASSES") from error
        return kernel

    return decorate
