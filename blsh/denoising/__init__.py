"""Denoising: dictionaries of training frames, and masks from a frame's neighbours.

Dictionaries
    `draw_rows`
Mask estimation
    `average_masks`, `mean_mask`
"""

from blsh.denoising.dictionary import draw_rows
from blsh.denoising.mask_estimation import average_masks, mean_mask

__all__ = ["average_masks", "draw_rows", "mean_mask"]
