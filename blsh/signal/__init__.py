"""Signals: waveforms from and to sound files, spectra and features, and ideal masks.

Sound files
    `SAMPLE_RATE`, `AudioInfo`, `probe`, `read_audio`, `write_wav`
Spectra
    `N_FFT`, `HOP_LENGTH`, `N_BINS`, `n_frames`, `stft`, `istft`
Features of a frame
    `FEATURES`, `N_MELS`, `feature`, `feature_width`
Masks
    `ideal_binary_mask`, `ideal_ratio_mask`, `apply_mask`, `pack_masks`, `unpack_masks`
"""

from blsh.signal.audio import SAMPLE_RATE, AudioInfo, probe, read_audio, write_wav
from blsh.signal.masks import apply_mask, ideal_binary_mask, ideal_ratio_mask, pack_masks, unpack_masks
from blsh.signal.spectra import (
    FEATURES,
    HOP_LENGTH,
    N_BINS,
    N_FFT,
    N_MELS,
    feature,
    feature_width,
    istft,
    n_frames,
    stft,
)

__all__ = [
    "FEATURES",
    "HOP_LENGTH",
    "N_BINS",
    "N_FFT",
    "N_MELS",
    "SAMPLE_RATE",
    "AudioInfo",
    "apply_mask",
    "feature",
    "feature_width",
    "ideal_binary_mask",
    "ideal_ratio_mask",
    "istft",
    "n_frames",
    "pack_masks",
    "probe",
    "read_audio",
    "stft",
    "unpack_masks",
    "write_wav",
]
