"""Quality of a denoiser's model over its bytes, on the validation set: a table and a figure for docs/model_card.md.

    .venv/bin/python -m benchmarks.model_bytes --corpora-folder FOLDER --cores 2

A model of given bytes can have many rows with short codes or few with long ones, and its masks whole or compressed:
in bands of 256 patterns each, one of them a codebook of whole masks. Every combination of the grid is packed and scored
on validation mixtures; no number of the open set is computed. The projections are those of the shipped model. Results
go to results/shipped_model/bytes.csv and .png.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.shipped_model import FEATURE, FOLDER, SEED, Made, add_arguments, compute, full_model
from blsh.cli.progress import Progress
from blsh.denoising.dictionary import draw_rows
from blsh.denoising.mask_codebook import BANDS, compress_masks
from blsh.denoising.mask_store import MaskStore
from blsh.denoising.model_file import DenoiserModel
from blsh.evaluation.model_quality import score_models
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.files.tables import write_csv
from blsh.hashing.projections import encode, load_projections
from blsh.hashing.quantisation import quantised
from blsh.mixtures.recipes import read_recipes
from blsh.reporting.figures import in_plain_style, new_figure

N_ROWS = (10_000, 20_000, 40_000, 64_000)
N_BITS = (75, 150, 300)
STORES: dict[str, tuple[int, ...] | None] = {
    "whole masks": None,
    "10 bands": BANDS,
    "5 bands": (4, 4, 8, 16, 33),
    "1 band": (65,),
}
# What origins take: a number of the mixture and of the frame, and the mixtures and recordings once.
_ORIGIN_BYTES, _ORIGIN_BYTES_ONCE = 3, 190_000
_MODELS_AT_ONCE = 20
_TICKS = [0.5, 1, 2, 5]


def main() -> None:
    """Pack, score, write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--n-rows", type=int, nargs="+", default=N_ROWS)
    parser.add_argument("--n-bits", type=int, nargs="+", default=N_BITS)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    parser.add_argument("--mixtures", type=int, help="only so many validation mixtures, to try it out")
    arguments = parser.parse_args()
    made = compute(arguments.corpora_folder, arguments.cores)
    recipes = read_recipes(made.data / "mixtures/validation.csv")
    # Every so many, so that all noises are there.
    recipes = recipes[:: max(1, len(recipes) // arguments.mixtures)] if arguments.mixtures else recipes
    models = list(candidates(made, arguments.n_rows, arguments.n_bits, arguments.stores))
    models.append(({"n_rows": 0, "n_bits": 300, "store": "full model"}, full_model(made)))
    constant = load_array(made.data / "masks/constant.npy")
    rows = []
    for first in range(0, len(models), _MODELS_AT_ONCE):
        chosen = models[first : first + _MODELS_AT_ONCE]
        show = Progress(f"mixtures, models {first + 1} to {first + len(chosen)} of {len(models)}")
        group = [model for _, model in chosen]
        scores = score_models(group, recipes, made.recordings(), constant=constant, progress=show)
        for (labels, model), (overall, *_) in zip(chosen, scores, strict=True):
            rows.append({**labels, "bytes": model_bytes(model), "sdr": overall.sdr, "constant": overall.sdr_constant})
    table = pd.DataFrame(rows)
    write_csv(FOLDER / "bytes.csv", table)
    draw(table, FOLDER / "bytes.png")
    print(table.pivot_table(index=["store", "n_rows"], columns="n_bits", values="sdr").round(2).to_string())


def candidates(
    made: Made, n_rows: tuple[int, ...], n_bits: tuple[int, ...], stores: list[str]
) -> Iterator[tuple[dict[str, object], DenoiserModel]]:
    """Yield every combination's labels and model; dictionaries are heads of one permutation."""
    features = load_array(made.data / f"features/{FEATURE}.npy", mapped=True)
    masks = load_array(made.data / "masks/train.npy", mapped=True)
    encoder, plain = quantised(load_projections(made.projections)), full_model(made)
    for n in n_rows:
        rows = draw_rows(len(features), n / len(features), rng=generator(SEED, "dictionary", 1))
        codes, kept = encode(features[rows], encoder), masks[rows]
        for name in stores:
            rng = generator(SEED, "mask patterns")
            store = MaskStore(kept) if STORES[name] is None else compress_masks(kept, bands=STORES[name], rng=rng)
            whole = replace(plain, projections=encoder, codes=codes, masks=store)
            for bits in n_bits:
                yield {"n_rows": n, "n_bits": bits, "store": name}, whole.prefix(bits)


def model_bytes(model: DenoiserModel) -> int:
    """Return the bytes of the model's file, with origins."""
    parts = sum(array.nbytes for array in model.arrays().values())
    return parts + _ORIGIN_BYTES * model.n_rows + _ORIGIN_BYTES_ONCE


@in_plain_style
def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw SDR over megabytes: a line per store and code length, along the number of rows."""
    stores = [name for name in STORES if name in set(table["store"])]
    figure, [axes] = new_figure(1, len(stores), width=10, height=3.6, sharex=True, sharey=True)
    full = table[table["store"] == "full model"].iloc[0]
    for panel, name in zip(axes, stores, strict=True):
        for shade, (bits, line) in enumerate(table[table["store"] == name].groupby("n_bits")):
            panel.semilogx(
                line["bytes"] / 1e6, line["sdr"], "o-", ms=3, color=str(0.7 - 0.35 * shade), label=f"{bits} bits"
            )
        panel.axhline(full["sdr"], color="black", lw=0.8, ls="--")
        panel.axvline(2, color="black", lw=0.8, ls=":")
        panel.set(title=name, xlabel="megabytes", xticks=_TICKS, xticklabels=_TICKS)
        panel.minorticks_off()
        panel.grid(True, color="0.9", lw=0.6)
    axes[0].set_ylabel("SDR in dB, validation")
    axes[0].legend(frameon=False, fontsize="small", loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
