"""Reduce all scores of an experiment to its summaries. Of an unfinished experiment, what exists is taken."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import pandas as pd

from blsh.cli.pairs import parse_pairs
from blsh.cli.ssm import KIND, VERSION
from blsh.corpora.manifest import Manifest, read_manifest
from blsh.denoising.architectures import count_parameters
from blsh.denoising.checkpoints import read_training
from blsh.denoising.training_frames import count_frames
from blsh.experiment.config import Config, parse_config
from blsh.experiment.families import model_names
from blsh.experiment.grid import ScoreJob, data_folder, expected_cells, results_folder, table_bits
from blsh.experiment.job_logs import missing_reasons
from blsh.experiment.outputs import manifest_file, network_files, networks_by_stem, recipes_file, score_files, ssm_files
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_stamped
from blsh.mixtures.recipes import Recipe, read_recipes
from blsh.reporting.costs import read_benchmarks
from blsh.reporting.matrices import shown_matrices
from blsh.reporting.scores import read_scores
from blsh.reporting.summaries import write_summaries
from blsh.reporting.summarising import summarise
from blsh.signal.spectra import feature_width

EXAMPLE = 'blsh aggregate --config "$(cat config.json)" -o results/demo/summaries'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--config", required=True, metavar="JSON", help="the whole configuration, as the logs show it")
    parser.add_argument(
        "--projections",
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="where users' projections lie (default: as the configuration says)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the summaries")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": [arguments.output / "aggregated.csv"]}


def run(arguments: argparse.Namespace) -> None:
    """Read what has been computed and write the summaries."""
    config = _config(arguments)
    data, results = Path(data_folder(config)), Path(results_folder(config))
    files = [Path(path) for path in score_files(config)]
    scored = [path for path in files if path.is_file()]
    expected = _with_reasons(expected_cells(config), config)
    training = read_recipes(Path(recipes_file(config, "train")))
    manifests = {corpus: read_manifest(Path(manifest_file(config, corpus))) for corpus in config.data.corpora}
    summaries = summarise(
        read_scores(scored),
        expected,
        table_bits=_table_bits(config),
        n_frames=count_frames(training),
        feature_widths={feature: feature_width(feature) for feature in config.grid.features},
        rng=generator(config.seed, "claims"),
        tables={
            "training": _training(config, results),
            "noises": _concatenate(data / "noises" / f"{name}.csv" for name in config.grid.sets),
            "corpora": _corpora(config, manifests),
            "skipped": _skipped(manifests),
            "costs": pd.concat([read_benchmarks(data / "benchmarks"), read_benchmarks(results / "benchmarks")]),
            "networks": _networks(config),
            "speed": _concatenate([results / "speed.csv"]),
            "exports": _concatenate([results / "exports.csv"]),
        },
        facts=_facts(config, training),
        ssm=_ssms(config),
    )
    write_summaries(arguments.output, summaries)
    print(f"{len(scored)} of {len(files)} score files, {summaries.n_done} of {summaries.n_expected} cells")


def _config(arguments: argparse.Namespace) -> Config:
    values = json.loads(arguments.config)
    if arguments.projections:
        values["projections"] = parse_pairs(arguments.projections, "--projections")
    return parse_config(values, "--config")


def _with_reasons(expected: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Add to each cell why it is not scored, or ''."""
    names = [field.name for field in fields(ScoreJob)]
    reasons = {astuple(job): reason for job, reason in missing_reasons(config).items()}
    jobs = expected[names].itertuples(index=False, name=None)
    return expected.assign(reason=[reasons.get(job, "") for job in jobs])


def _table_bits(config: Config) -> set[int]:
    """Return the code lengths that tables print."""
    rivals = config.tables.rivals
    bits = set(rivals.n_bits if rivals else ())
    for system in config.grid.systems:
        for feature in config.grid.features:
            bits |= set(table_bits(config, system, feature))
    return bits


def _training(config: Config, results: Path) -> pd.DataFrame | None:
    tables = []
    for feature, target in model_names(config):
        path = results / "models" / f"blsh_{feature}_{target}.csv"
        if path.is_file():
            columns = {"feature": feature, "target": target, "profile": config.training.profile, "seed": 0}
            tables.append(pd.read_csv(path).assign(**columns))
    return pd.concat(tables) if tables else None


def _networks(config: Config) -> pd.DataFrame | None:
    """Return how the training of each network of the grid went, as far as there is a checkpoint."""
    rows = []
    for (system, variant), path in zip(networks_by_stem(config).values(), network_files(config), strict=True):
        if Path(path).is_file():
            training = read_training(path)
            state = (training.epochs, training.seconds, training.stopped_by, training.device)
            rows.append((system, variant, count_parameters(training.architecture), *state))
    columns = ["system", "variant", "parameters", "epochs", "seconds", "stopped_by", "device"]
    return pd.DataFrame(rows, columns=columns) if rows else None


def _concatenate(paths) -> pd.DataFrame | None:
    tables = [pd.read_csv(path, keep_default_na=False) for path in paths if path.is_file()]
    return pd.concat(tables) if tables else None


def _corpora(config: Config, manifests: dict[str, Manifest]) -> pd.DataFrame:
    rows = []
    for corpus, manifest in manifests.items():
        recordings = pd.DataFrame(manifest.recordings)
        for (split, licence), part in recordings.groupby(["split", "licence"]):
            speakers = part.loc[part["speaker"] != "", "speaker"].nunique()
            hours = part["seconds"].sum() / 3600
            rows.append((corpus, split, len(part), speakers, hours, licence, config.data.corpora[corpus].reader))
    columns = ["corpus", "split", "recordings", "speakers", "hours", "licence", "reader"]
    return pd.DataFrame(rows, columns=columns)


def _skipped(manifests: dict[str, Manifest]) -> pd.DataFrame:
    rows = [
        (corpus, skipped.path, skipped.reason) for corpus, manifest in manifests.items() for skipped in manifest.skipped
    ]
    return pd.DataFrame(rows, columns=["corpus", "path", "reason"])


def _facts(config: Config, recipes: Sequence[Recipe]) -> dict[str, str | int | float]:
    return {
        "Experiment": config.title,
        "Name": config.name,
        "Training mixtures": len(recipes),
        "Training speakers": len({recipe.speaker for recipe in recipes}),
        "Training noises": len({recipe.noise for recipe in recipes}),
        "Hours of training mixtures": round(sum(recipe.seconds for recipe in recipes) / 3600, 2),
        "Training frames T": count_frames(recipes),
        "Training profile": config.training.profile,
        "Neighbours K": config.grid.n_neighbours,
        "Repeats": config.grid.repeats,
        "Seed": config.seed,
    }


def _ssms(config: Config) -> dict:
    matrices = {}
    for (feature, target), path in zip(model_names(config), ssm_files(config), strict=True):
        if Path(path).is_file():
            _, arrays = load_stamped(path, KIND, VERSION)
            prefix = f"{feature}/{target}/{config.training.profile}"
            matrices |= {f"{prefix}/{name}": matrix for name, matrix in arrays.items()}
    return shown_matrices(matrices)
