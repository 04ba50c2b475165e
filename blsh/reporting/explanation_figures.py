"""The pictures of an explained frame: spectrograms, the vote of every bit, and the neighbours' masks."""

from __future__ import annotations

import numpy as np

from blsh.denoising.explanation import Explanation
from blsh.reporting.figures import BLACK, DARK, GREY, LIGHT, Picture, in_style, new_figure
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import HOP_LENGTH, N_FFT, stft

__all__ = ["masks_picture", "spectrograms_picture", "votes_picture"]

_SECONDS_SHOWN = 4.0
_RANGE_DB = 70.0
_KHZ_PER_BIN = SAMPLE_RATE / N_FFT / 1000


@in_style
def spectrograms_picture(why: Explanation) -> Picture:
    """Draw the seconds around the frame before and after, one scale for both."""
    levels = [20 * np.log10(np.abs(stft(signal)) + 1e-9) for signal in (why.noisy, why.cleaned)]
    top = levels[0].max()
    half = round(_SECONDS_SHOWN / 2 * SAMPLE_RATE / HOP_LENGTH)
    first, last = max(why.frame - half, 0), min(why.frame + half, len(levels[0]))
    figure, rows = new_figure(2, 1, width=7.2, height=4.2, sharex=True)
    for (axes,), level, title in zip(rows, levels, ("Before", "After"), strict=True):
        image = axes.imshow(
            level[first:last].T,
            **_as_image(first, last, level.shape[1]),
            cmap="gray_r",
            vmin=top - _RANGE_DB,
            vmax=top,
        )
        axes.axvline(why.seconds, color=LIGHT, linewidth=1.2)
        axes.set(title=title, ylabel="Frequency (kHz)")
        axes.grid(visible=False)
    rows[-1][0].set_xlabel("Time (s)")
    figure.colorbar(image, ax=[axes for (axes,) in rows], label="Level (dB)")
    return Picture(
        "spectrograms",
        figure,
        f"Spectrograms before and after, on one scale of {_RANGE_DB:.0f} dB. The line is the explained moment, "
        f"{why.seconds:.2f} s.",
        "Two spectrograms, one above the other, with a line at the explained moment.",
    )


@in_style
def votes_picture(why: Explanation) -> Picture:
    """Draw every bit's margin, and in which bits each neighbour differs."""
    n_bits, n_neighbours = len(why.bits), len(why.rows)
    figure, ((margins,), (votes,)) = new_figure(2, 1, width=7.2, height=2.1 + 0.17 * n_neighbours, sharex=True)
    places = np.arange(1, n_bits + 1)
    margins.bar(places, why.margins, width=1.0, color=np.where(why.bits, DARK, LIGHT))
    margins.axhline(0, color=BLACK, linewidth=0.7)
    margins.set(ylabel="Margin", title="How far from each bit's plane the frame lies (above: bit 1, below: bit 0)")
    differs = why.neighbour_bits != why.bits
    votes.imshow(
        differs, cmap="gray_r", vmin=0, vmax=1, aspect="auto", extent=(0.5, n_bits + 0.5, n_neighbours + 0.5, 0.5)
    )
    votes.set_yticks(range(1, n_neighbours + 1), [f"{n + 1}: {d}" for n, d in enumerate(why.distances)])
    votes.set(xlabel="Bit, in the order of learning", ylabel="Neighbour: distance", title="Bits that differ (black)")
    votes.grid(visible=False)
    return Picture(
        "votes",
        figure,
        f"How the {n_bits} bits voted. Above, each bit's margin; a short bar is a bit that could as well have been the "
        f"other one. Below, the bits in which each of the {n_neighbours} neighbours differs from the frame: the fewer, "
        f"the nearer.",
        "A bar for the margin of every bit, and below it a row for each neighbour with a mark where its bit differs.",
    )


@in_style
def masks_picture(why: Explanation) -> Picture:
    """Draw the neighbours' masks as strips, and their mean."""
    n_neighbours, n_bins = why.neighbour_masks.shape
    figure, ((strips, mean),) = new_figure(1, 2, width=7.2, height=3.4, sharey=True)
    strips.imshow(
        why.neighbour_masks.T,
        cmap="gray",
        vmin=0,
        vmax=1,
        aspect="auto",
        origin="lower",
        extent=(0.5, n_neighbours + 0.5, 0, n_bins * _KHZ_PER_BIN),
    )
    strips.set(title="Masks of the neighbours (white: kept)", xlabel="Neighbour", ylabel="Frequency (kHz)")
    strips.set_xticks(range(1, n_neighbours + 1))
    strips.grid(visible=False)
    khz = np.arange(n_bins) * _KHZ_PER_BIN
    mean.fill_betweenx(khz, why.masks[why.frame], color=GREY, alpha=0.4, linewidth=0, step="mid")
    mean.step(why.masks[why.frame], khz, color=DARK, where="mid", linewidth=0.9)
    mean.set(title="Their mean: the filter", xlabel="Gain", xlim=(0, 1.02), ylim=(0, SAMPLE_RATE / 2000))
    return Picture(
        "masks",
        figure,
        f"The binary masks of the {n_neighbours} neighbours, and their mean, which is multiplied onto the frame's "
        f"spectrum.",
        "Strips of the neighbours' binary masks beside the curve of their mean over frequency.",
    )


def _as_image(first: int, last: int, n_bins: int) -> dict[str, object]:
    hop = HOP_LENGTH / SAMPLE_RATE
    extent = ((first - 0.5) * hop, (last - 0.5) * hop, 0, n_bins * _KHZ_PER_BIN)
    return {"aspect": "auto", "origin": "lower", "extent": extent}
