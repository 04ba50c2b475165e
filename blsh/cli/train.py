"""Learn projections by boosting. A training that was killed goes on where it stopped, with the same result."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import yaml

from blsh.cli.numbers import CODE_LENGTH, CONTEXT, SEED
from blsh.cli.pairs import parse_pairs
from blsh.cli.progress import Progress
from blsh.denoising.training_frames import stack_training_frames
from blsh.experiment.code import code_of
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.files.checksums import digest_of, sha256_of_file
from blsh.files.fail_points import fail_point
from blsh.files.tables import write_csv
from blsh.hashing.boosting import boost
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.projections import save_projections
from blsh.hashing.residual import RESIDUAL, residual_rule
from blsh.hashing.rounds import history_table
from blsh.hashing.similarity import parse_target
from blsh.hashing.weights import papers_rule
from blsh.mixtures.recipes import read_recipes

EXAMPLE = (
    "blsh train --seed 2020 --feature stft --target ssm --profile project --n-bits 300 --features stft.npy \\\n"
    "    --masks masks.npy --history history.csv -o model.npz"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--system", default="blsh", choices=("blsh", "residual"), help="the rule of boosting")
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument("--feature", required=True, help="name of the feature")
    parser.add_argument("--target", help="target similarity: ssm, rbf-0.5, power-2, mix-0.5; residual has its own")
    parser.add_argument("--profile", choices=sorted(PROFILES), help="the set of switches; residual has its own")
    parser.add_argument(
        "--switch", nargs="*", default=[], metavar="NAME=VALUE", help="switches changed from the profile"
    )
    parser.add_argument("--context", type=CONTEXT, default=1, metavar="N", help="stack N frames to a feature (odd)")
    parser.add_argument("--recipes", type=Path, help="recipes of the training frames, for --context")
    parser.add_argument("--n-bits", type=CODE_LENGTH, required=True, help="bits to learn")
    parser.add_argument("--features", type=Path, required=True, help="features of all training frames (.npy)")
    parser.add_argument("--masks", type=Path, required=True, help="their packed masks (.npy)")
    parser.add_argument("--history", type=Path, required=True, help="table of the rounds to write (CSV)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="projections to write (.npz)")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": [arguments.output], "history": [arguments.history]}


def run(arguments: argparse.Namespace) -> None:
    """Train, save the projections and the history, and remove the state."""
    params = _params(arguments)
    print(f"{arguments.profile or arguments.system}: {params}", flush=True)
    features = load_array(arguments.features, mapped=True)
    if arguments.context > 1:
        features = stack_training_frames(features, read_recipes(_given(arguments, "recipes")), arguments.context)
    # A change of one switch keeps the random numbers, so that it is paired with the plain training.
    axes = ("boosting", arguments.feature, str(params.target))
    state = arguments.output.with_suffix(".state.npz")
    show = Progress(f"round ({arguments.output.stem})")
    projections, rounds = boost(
        features,
        params,
        rng_for_round=partial(generator, arguments.seed, *axes),
        masks=load_array(arguments.masks, mapped=True),
        rule=residual_rule if arguments.system == "residual" else papers_rule,
        progress=lambda done, total, epsilon, beta, *_: show(done, total, f"ε {epsilon:.4f}, β {beta:.3f}"),
        state=state,
        fingerprint=digest_of(
            [
                arguments.system,
                arguments.seed,
                axes,
                arguments.context,
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
    fail_point("training.history")
    save_projections(arguments.output, projections)
    state.unlink(missing_ok=True)


def _params(arguments: argparse.Namespace) -> TrainingParams:
    switches = {name: _switch(name, value) for name, value in parse_pairs(arguments.switch, "--switch").items()}
    if arguments.system == "residual":
        return replace(RESIDUAL, **switches, n_bits=arguments.n_bits)
    target = parse_target(_given(arguments, "target"))
    if not target.is_share:
        raise ValueError(f"target {target} is of residual boosting; add --system residual")
    return replace(PROFILES[_given(arguments, "profile")], **switches, n_bits=arguments.n_bits, target=target)


def _switch(name: str, text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"--switch {name}={text!r} is no value; write a number, a word, true or false") from None


def _given(arguments: argparse.Namespace, name: str):
    value = getattr(arguments, name)
    if value is None:
        raise ValueError(f"system {arguments.system!r} needs --{name} here; add it")
    return value
