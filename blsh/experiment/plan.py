"""What a run will take: jobs, scores, disk and time, estimated before it starts.

The estimate multiplies the amount of work, which is known from the configuration (exactly once the recipes are drawn),
by what one unit of it cost on a two-core machine. It is meant to tell minutes from hours from days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from blsh.denoising.architectures import NETWORKS, count_parameters, parse_architecture
from blsh.experiment.config import Config
from blsh.experiment.config_grid import CONTROLS
from blsh.experiment.families import FITTED, Family, is_hashed, models
from blsh.experiment.grid import (
    ScoreJob,
    data_folder,
    metrics_at,
    results_folder,
    score_jobs,
    scored_bits,
    scored_bits_on,
)
from blsh.experiment.outputs import (
    manifest_file,
    model_files,
    neighbours_file,
    network_files,
    networks_by_stem,
    recipes_file,
    score_file,
)
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.residual import RESIDUAL
from blsh.hashing.switches import SWITCHES
from blsh.mixtures.recipes import read_recipes
from blsh.signal.spectra import HOP_LENGTH, SAMPLE_RATE, feature_width

__all__ = ["Plan", "Step", "plan"]

FRAMES_PER_SECOND = SAMPLE_RATE / HOP_LENGTH
# Where nothing is drawn yet and the configuration sets no limit.
ASSUMED_MIXTURES = 500
ASSUMED_SECONDS = {"synthetic_speech": 3.0, "timit": 3.0}
ASSUMED_SECONDS_OF_OTHERS = 8.0  # whole utterances of LibriSpeech

# Seconds of one core, measured on two cores with AVX-512; per job, and per second of mixture. A code length costs its
# mask, its sound and its scores, and the search of every dictionary row.
SECONDS_PER_JOB = 2.5
RENDER = 0.0015
FRAMES = 0.001
VARIANT, VARIANT_PER_ROW = 0.00055, 3.5e-9
METRIC = {"sir": 0.002, "sar": 0.002, "pesq": 0.011, "estoi": 0.006}
# Searches in float64, of raw features and of weighted bits: a product of every row, and the choice among the rows.
SEARCH_PER_ROW, SEARCH_PER_ROW_AND_BIN = 3e-9 * FRAMES_PER_SECOND, 2.7e-11 * FRAMES_PER_SECOND
# A round of training prepares every segment once, with all its codes where it is fresh, and then steps over it in
# every pass.
TRAIN_PER_SEGMENT = {"fixed": 0.007, "fresh": 0.013}
TRAIN_PER_STEP = 0.0003
# A batch of a network, with the mixing of its crops (docs/networks.md). How many epochs a stop rule takes is a guess.
BATCH, BATCH_PER_PARAMETER, CONV_TASNET_BATCH_PER_BLOCK = 0.2, 5.5e-7, 220.0 / 24
ASSUMED_EPOCHS = 60
# Iterative quantisation turns all frames' components fifty times for every code length.
FIT_PER_SQUARED_BIT = 1.5e-4


@dataclass(frozen=True)
class Step:
    """The jobs of one rule: how many there are, how many are done, and core seconds for the rest."""

    rule: str
    jobs: int
    done: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """An estimate of a run.

    Attributes
    ----------
    steps
        By rule, in the data's order.
    scores
        Numbers that the score jobs compute.
    disk_bytes
        What the features, masks and recipes take.
    assumed
        Sets whose number of mixtures is a guess, because their recipes are not drawn yet.
    """

    steps: tuple[Step, ...]
    scores: int
    disk_bytes: int
    assumed: tuple[str, ...]

    def wall_seconds(self, cores: int) -> float:
        """Return the time on so many cores, were they never idle."""
        return sum(step.seconds for step in self.steps) / cores


def plan(config: Config) -> Plan:
    """Estimate what a run of a configuration still takes, from the repository's folder."""
    data, results = Path(data_folder(config)), Path(results_folder(config))
    extents = {name: _extent(config, name) for name in config.data.sets}
    train_seconds = extents["train"][1]
    n_frames = train_seconds * FRAMES_PER_SECOND
    corpora, sets = config.data.corpora, config.data.sets
    scoring: dict[str, list] = {"score_control": [], "score_neighbours": [], "score_codes": [], "score_network": []}
    lookups: dict[Path, float] = {}
    scores = 0
    for job in score_jobs(config):
        seconds, numbers = _score_cost(config, job, extents[job.set], n_frames)
        scores += numbers
        scoring[_score_rule(job)].append((Path(score_file(config, job)), seconds))
        for path in neighbours_file(config, job):
            lookups[Path(path)] = _lookup_cost(job, extents[job.set], n_frames)
    by_rule: dict[str, list] = {"train": [], "fit": []}
    for model, path in zip(models(config), model_files(config), strict=True):
        by_rule["fit" if model.system in FITTED else "train"].append((Path(path), _model_cost(config, model, n_frames)))
    by_rule["train_network"] = [
        (Path(path), _network_cost(config, *network))
        for network, path in zip(networks_by_stem(config).values(), network_files(config), strict=True)
    ]
    jobs = {
        "manifest": [(Path(manifest_file(config, name)), 10.0) for name in corpora],
        "units": [(Path(manifest_file(config, "units")), SECONDS_PER_JOB)],
        "draw": [(Path(recipes_file(config, name)), SECONDS_PER_JOB) for name in sets],
        "frames": [(data / "masks" / "train.npy", train_seconds * (RENDER + FRAMES))],
        **by_rule,
        "neighbours": list(lookups.items()),
        **scoring,
        "results": [(results / "report.html", 30.0)],
    }
    width = sum(4 * feature_width(feature) for feature in config.grid.features) + 65
    return Plan(
        tuple(_step(rule, outputs) for rule, outputs in jobs.items() if outputs),
        scores,
        int(n_frames * width),
        tuple(name for name, (_, _, is_known) in extents.items() if not is_known),
    )


def _extent(config: Config, name: str) -> tuple[int, float, bool]:
    """Return (mixtures, seconds of mixtures, whether they are known) of a set."""
    path = Path(recipes_file(config, name))
    if path.is_file():
        recipes = read_recipes(path)
        return len(recipes), sum(recipe.seconds for recipe in recipes), True
    described = config.data.sets[name]
    if described.same_as is not None:
        return _extent(config, described.same_as)
    n_mixtures = described.mixtures or ASSUMED_MIXTURES
    seconds = config.data.speech.seconds if described.source in ("train", "closed") else None
    reader = config.data.corpora[config.data.speech.train.corpus].reader
    return n_mixtures, n_mixtures * (seconds or ASSUMED_SECONDS.get(reader, ASSUMED_SECONDS_OF_OTHERS)), False


def _score_rule(job: ScoreJob) -> str:
    if job.system in NETWORKS:
        return "score_network"
    if job.system in CONTROLS:
        return "score_control"
    return "score_neighbours" if job.system in ("knn", "lsh", "lsh_fixed") else "score_codes"


def _score_cost(config: Config, job: ScoreJob, extent: tuple[int, float, bool], n_frames: float) -> tuple[float, int]:
    """Return (core seconds, numbers computed) of a score job."""
    n_mixtures, seconds, _ = extent
    n_variants, cost = 1, RENDER
    if job.system == "knn":
        cost += _exact_search(job.rho * n_frames, feature_width(job.feature))
    elif is_hashed(job.system):
        bits = scored_bits_on(config, job.set, job.family)
        n_variants = len(bits)
        if job.variant == "weighted":
            cost += sum(_exact_search(job.rho * n_frames, length) for length in bits)
    further = metrics_at(config, job.set, job.family)
    names = [name for at in further.values() for name in at if name not in config.metrics.sweep]
    cost += n_variants * (VARIANT + VARIANT_PER_ROW * job.rho * n_frames) + sum(METRIC.get(name, 0.0) for name in names)
    numbers = n_variants * len(config.metrics.sweep) + len(names)
    return SECONDS_PER_JOB + seconds * cost, n_mixtures * numbers


def _lookup_cost(job: ScoreJob, extent: tuple[int, float, bool], n_frames: float) -> float:
    """Return the core seconds of looking up the raw features' neighbours."""
    return SECONDS_PER_JOB + extent[1] * (RENDER + _exact_search(job.rho * n_frames, feature_width(job.feature)))


def _exact_search(n_rows: float, width: int) -> float:
    """Return the core seconds that a second of mixture takes against rows of a width."""
    return n_rows * (SEARCH_PER_ROW + SEARCH_PER_ROW_AND_BIN * width)


def _model_cost(config: Config, model: Family, n_frames: float) -> float:
    """Return the core seconds of learning or fitting projections, at the most passes."""
    if model.system in FITTED:
        squares = sum(bits**2 for bits in scored_bits(config, model)) if model.system == "itq" else 0
        return SECONDS_PER_JOB + FIT_PER_SQUARED_BIT * squares
    params = _params(config, model)
    n_segments = n_frames / params.segment_frames if params.n_segments is None else params.n_segments
    per_segment = model.context * (TRAIN_PER_SEGMENT[params.segments] + TRAIN_PER_STEP * params.max_passes)
    return SECONDS_PER_JOB + (config.training.n_bits or max(config.grid.n_bits)) * n_segments * per_segment


def _network_cost(config: Config, system: str, variant: str) -> float:
    """Return the core seconds of training a network, were it to take `ASSUMED_EPOCHS` epochs."""
    architecture = parse_architecture(system, variant)
    batch = (
        CONV_TASNET_BATCH_PER_BLOCK * architecture.depth * architecture.width
        if architecture.takes_waveforms
        else BATCH + BATCH_PER_PARAMETER * count_parameters(architecture)
    )
    epochs = min(ASSUMED_EPOCHS, config.networks.max_epochs)
    seconds = epochs * config.networks.batches_per_epoch * batch
    return SECONDS_PER_JOB + min(seconds, 60 * (config.networks.max_minutes or math.inf))


def _params(config: Config, model: Family) -> TrainingParams:
    if model.system == "residual":
        return replace(RESIDUAL, **config.training.residual)
    changes = config.training.switches | dict(SWITCHES.get(model.switch, {}))
    return replace(PROFILES[config.training.profile], **changes)


def _step(rule: str, outputs: list[tuple[Path, float]]) -> Step:
    missing = [seconds for path, seconds in outputs if not path.is_file()]
    return Step(rule, len(outputs), len(outputs) - len(missing), sum(missing))
