"""Print what is in a denoiser's model: its parts and their bytes, latency, speed on this machine, quality, sources."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from blsh.denoising.complexity import hashed_operations
from blsh.denoising.denoiser import LATENCY
from blsh.denoising.model_costs import bytes_by_part, measure_speed
from blsh.denoising.model_file import DEFAULT_MODEL, DenoiserModel, load_model
from blsh.signal.audio import SAMPLE_RATE

EXAMPLE = "blsh info my.blsh"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="MODEL",
        help="model file (default: the packaged one)",
    )
    parser.add_argument("--attributions", action="store_true", help="print every line of credit of the sources")


def run(arguments: argparse.Namespace) -> None:
    """Load, measure, print."""
    model = load_model(arguments.model)
    for name, text in _lines(model, arguments.model, arguments.attributions):
        print(f"{name:<13}{text}")


def _lines(model: DenoiserModel, path: Path, with_attributions: bool) -> Iterator[tuple[str, str]]:
    yield "model", f"{path.name}, made by blsh {model.code_version} from recordings {model.fingerprint[:12]}"
    width = model.projections.n_features
    bands, n_patterns = model.masks.bands, len(model.masks.packed)
    masks = "whole" if model.masks.index is None else f"of {len(bands)} bands with {n_patterns} patterns each"
    yield "codes", f"{model.n_bits} bits of the feature {model.feature} ({width} values)"
    yield "dictionary", f"{model.n_rows} rows, {model.n_neighbours} neighbours, masks {masks}"
    yield "training", ", ".join(f"{name} {value}" for name, value in model.settings.items()) or "not recorded"
    yield "latency", f"{1000 * LATENCY / SAMPLE_RATE:.1f} ms ({LATENCY} samples at {SAMPLE_RATE} Hz)"
    speed = measure_speed(model)
    yield "speed here", f"{speed.real_time_factor:.0f} times real time (one thread)"
    yield "", f"{100 * speed.share_of_core:.1f} % of a core for a stream in pieces of 16 ms"
    sizes = bytes_by_part(model, path.stat().st_size)
    yield "bytes", ", ".join(f"{part} {n:,}" for part, n in sizes.items()) + f": {sum(sizes.values()):,}"
    costs = hashed_operations(width, model.n_rows, model.n_neighbours, model.n_bits)
    yield "operations", f"per second of audio: {costs.macs:,.0f} multiply-accumulates of the projections,"
    yield "", f"{costs.bit_operations:,.0f} bit operations of the search, {costs.additions:,.0f} additions of masks"
    for score in model.scores:
        name = "quality" if score is model.scores[0] else ""
        yield (
            name,
            (
                f"{score.noise}, {score.snr_db:g} dB, {score.mixtures} validation mixtures: SDR {score.sdr:.2f} dB "
                f"(constant mask {score.sdr_constant:.2f}, mixture {score.sdr_mixture:.2f})"
            ),
        )
    for source in model.sources:
        yield "source", ", ".join(filter(None, (source.name, source.licence, source.address)))
        if with_attributions:
            yield from (("", line) for line in source.attributions)
        elif source.attributions:
            yield "", f"{len(source.attributions)} lines of credit (--attributions prints them)"
