"""Learn projections by boosting. A training that was killed goes on where it stopped, with the same result."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import yaml

from blsh.cli.pairs import parse_pairs
from blsh.cli.progress import Progress
from blsh.experiment.code import code_of
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.files.checksums import digest_of, sha256_of_file
from blsh.files.tables import write_csv
from blsh.hashing.boosting import boost
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.projections import save_projections
from blsh.hashing.rounds import history_table
from blsh.hashing.similarity import Target

EXAMPLE = (
    "blsh train --seed 2020 --feature stft --target ssm --profile project --n-bits 300 --features stft.npy \\\n"
    "    --masks masks.npy --history history.csv -o model.npz"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--seed", type=int, required=True, help="base seed of the experiment")
    parser.add_argument("--feature", required=True, help="name of the feature")
    parser.add_argument("--target", required=True, help="target similarity: ssm, rbf-0.5, power-2, mix-0.5")
    parser.add_argument("--profile", required=True, choices=sorted(PROFILES), help="the set of switches")
    parser.add_argument(
        "--switch", nargs="*", default=[], metavar="NAME=VALUE", help="switches changed from the profile"
    )
    parser.add_argument("--n-bits", type=int, required=True, help="bits to learn")
    parser.add_argument("--features", type=Path, required=True, help="features of all training frames (.npy)")
    parser.add_argument("--masks", type=Path, required=True, help="their packed masks (.npy)")
    parser.add_argument("--history", type=Path, required=True, help="table of the rounds to write (CSV)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="projections to write (.npz)")


def run(arguments: argparse.Namespace) -> None:
    """Train, save the projections and the history, and remove the state."""
    params = _params(arguments)
    print(f"{arguments.profile}: {params}", flush=True)
    features = load_array(arguments.features, mapped=True)
    axes = ("boosting", arguments.feature, arguments.target)
    state = arguments.output.with_suffix(".state.npz")
    show = Progress(f"round ({arguments.feature}, {arguments.target})")
    projections, rounds = boost(
        features,
        params,
        rng_for_round=partial(generator, arguments.seed, *axes),
        masks=load_array(arguments.masks, mapped=True),
        progress=lambda done, total, epsilon, beta, *_: show(done, total, f"ε {epsilon:.4f}, β {beta:.3f}"),
        state=state,
        fingerprint=digest_of(
            [
                arguments.seed,
                axes,
                # A prefix of a longer training is a shorter one.
                repr(replace(params, n_bits=1)),
                sha256_of_file(arguments.features),
                sha256_of_file(arguments.masks),
                code_of("blsh.cli.train"),
            ]
        ),
        scratch=arguments.output.parent,
    )
    write_csv(arguments.history, history_table(rounds))
    save_projections(arguments.output, projections)
    state.unlink(missing_ok=True)


def _params(arguments: argparse.Namespace) -> TrainingParams:
    switches = {name: yaml.safe_load(value) for name, value in parse_pairs(arguments.switch, "--switch").items()}
    return replace(
        PROFILES[arguments.profile],
        **switches,
        n_bits=arguments.n_bits,
        target=parse_target(arguments.target),
    )


def parse_target(text: str) -> Target:
    """Read a target as it stands in configurations and paths: ``ssm``, ``rbf-0.5``."""
    name, _, parameter = text.partition("-")
    return Target(name, float(parameter) if parameter else None)
