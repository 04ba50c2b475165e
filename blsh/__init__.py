"""Boosted Locality Sensitive Hashing for speech denoising: the papers' experiments, and the denoiser."""

__version__ = "0.1.0"
