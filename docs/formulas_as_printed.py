"""Measure what the boosting formulas do as printed, for docs/formulas_as_printed.md.

    .venv/bin/python docs/formulas_as_printed.py results/data/open_small/KEY/features/stft.npy

Trains the same rounds under four readings of ε, β and W, all with the same segments, starts and descent, prints a table
and draws docs/images/formulas_as_printed.png. Half a minute on one core.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blsh.files.arrays import load_array
from blsh.files.atomic import atomic_path
from blsh.hashing.descent import descend
from blsh.hashing.initialisation import centred_start
from blsh.hashing.profiles import PROFILES
from blsh.hashing.segments import draw_segments
from blsh.hashing.similarity import ssm
from blsh.hashing.weights import Objective, pair_losses
from blsh.reporting.curves import RBF_LINES
from blsh.reporting.figures import GREY, Figure, Picture, in_style, legend_below, new_figure, picture_bytes

N_ROUNDS = 20
PARAMS = replace(PROFILES["project"], projection_loss="xent", n_segments=10, n_bits=N_ROUNDS)
IMAGE = Path(__file__).parent / "images" / "formulas_as_printed.png"


@dataclass(frozen=True)
class Reading:
    """How ε and W are computed: with which loss, and what a round does to ln W.

    ``update`` maps ln W, β and the pairs' losses to the new ln W.
    """

    name: str
    loss: str
    update: Callable[[np.ndarray, float, np.ndarray], np.ndarray]


def sum_over_all_pairs(log_weights: np.ndarray, beta: float, losses: np.ndarray) -> np.ndarray:
    """TASLP (11) as printed: the exponent is the same sum for every pair."""
    return log_weights + beta * losses.sum()


def own_loss(log_weights: np.ndarray, beta: float, losses: np.ndarray) -> np.ndarray:
    """ICASSP (4), and (11) without the sum: each pair's own loss."""
    return log_weights + beta * losses


def own_loss_normalised(log_weights: np.ndarray, beta: float, losses: np.ndarray) -> np.ndarray:
    """Update likewise, then scale W to sum 1, which no formula says."""
    updated = log_weights + beta * losses
    return updated - np.logaddexp.reduce(updated, axis=None)


READINGS = (
    Reading("as printed in TASLP (11)", "xent", sum_over_all_pairs),
    Reading("each pair's own loss", "xent", own_loss),
    Reading("and W scaled to sum 1", "xent", own_loss_normalised),
    Reading("and squared error in ε and W", "square", own_loss_normalised),
)


@dataclass(frozen=True)
class Round:
    """What a round came to; ``agreement`` is the largest |mean(t t_l)| with an earlier bit, NaN in the first round."""

    epsilon: float
    beta: float
    agreement: float


def train(frames: list[np.ndarray], reading: Reading) -> list[Round]:
    """Learn bits until the weights are no numbers any more."""
    targets = [ssm(rows) for rows in frames]
    log_weights = [np.full(target.shape, -np.log(target.size)) for target in targets]
    earlier: list[np.ndarray] = []
    rounds: list[Round] = []
    for number in range(N_ROUNDS):
        weights = [np.exp(values) for values in log_weights]
        sums = [values.sum() for values in weights]
        if not all(np.isfinite(total) and total > 0 for total in sums):
            break
        # The scale of W does not change what a projection is pulled towards, so each is descended on with sum 1.
        objectives = [
            _objective(values / total, target) for values, total, target in zip(weights, sums, targets, strict=True)
        ]
        start = centred_start(frames, bias=True, rng=np.random.default_rng(number))
        vector = descend(frames, objectives, start, PARAMS).vector
        bits = [np.where(rows @ vector[:-1] + vector[-1] >= 0, 1.0, -1.0) for rows in frames]
        losses = [_losses(target, t, reading.loss) for target, t in zip(targets, bits, strict=True)]
        epsilon = float(np.mean([(values * loss).sum() for values, loss in zip(weights, losses, strict=True)]))
        # TASLP clips with min(ε, 1); at 1 and at 0, β would be infinite.
        clipped = np.clip(epsilon, 1e-6, 1 - 1e-6)
        beta = float(np.log((1 - clipped) / clipped))
        together = np.concatenate(bits)
        agreement = max((abs(float(np.mean(together * bit))) for bit in earlier), default=np.nan)
        earlier.append(together)
        rounds.append(Round(epsilon, beta, agreement))
        log_weights = [reading.update(values, beta, loss) for values, loss in zip(log_weights, losses, strict=True)]
    return rounds


def _losses(target: np.ndarray, bits: np.ndarray, loss: str) -> np.ndarray:
    mean, difference = (values.astype(np.float64) for values in pair_losses(target, loss=loss))
    return mean - np.outer(bits, bits) * difference / 2


def _objective(weights: np.ndarray, target: np.ndarray) -> Objective:
    mean, difference = pair_losses(target, loss=PARAMS.projection_loss)
    matrix = (weights * difference).astype(np.float32)
    return Objective(matrix, float((weights * mean).sum()), weights.sum(axis=1), float(1 / (weights**2).sum()))


@in_style
def draw(found: dict[str, list[Round]]) -> Figure:
    """Draw ε, β and the agreement with earlier bits over the rounds."""
    figure, [panels] = new_figure(1, 3, width=9.6, height=3.4)
    for line, (name, rounds) in zip(reversed(list(RBF_LINES.values())), found.items(), strict=True):
        places = np.arange(1, len(rounds) + 1)
        for axes, quantity in zip(panels, ("epsilon", "beta", "agreement"), strict=True):
            axes.plot(
                places,
                [getattr(one, quantity) for one in rounds],
                color=line.colour,
                linestyle=line.stroke,
                marker=line.marker,
                markerfacecolor=line.colour if line.filled else "white",
                # A reading that ends after its first round is a ring around the others' first points.
                markersize=9 if len(rounds) == 1 else 4.5,
                markevery=2,
                label=name,
            )
    titles = ("error of the round, ε", "weight of the round, β", "agreement with the nearest earlier bit")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title)
        axes.set_xlabel("boosting round, l")
        axes.set_xlim(0, N_ROUNDS + 1)
    panels[0].set_yscale("log")
    panels[1].set_yscale("symlog", linthresh=2)
    panels[0].axhline(0.5, color=GREY, linewidth=0.8)
    panels[1].axhline(0, color=GREY, linewidth=0.8)
    panels[2].set_ylim(0, 1.05)
    legend_below(figure, panels, n_columns=2)
    return figure


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path, help="STFT features of the training frames (.npy)")
    features = load_array(parser.parse_args().features, mapped=True)
    places, _ = draw_segments(len(features), PARAMS, rng=np.random.default_rng(0))
    frames = [np.ascontiguousarray(features[rows]) for rows in places]
    found = {reading.name: train(frames, reading) for reading in READINGS}
    print("| reading | rounds | ε of rounds 1, 2, 20 | β of rounds 1, 2, 20 | largest agreement, rounds 2 to 20 |")
    for name, rounds in found.items():
        shown = [*rounds[:2], *([rounds[-1]] if len(rounds) == N_ROUNDS else [])]
        epsilons = ", ".join(f"{one.epsilon:.3f}" for one in shown)
        betas = ", ".join(f"{one.beta:.2f}" for one in shown)
        agreement = max((one.agreement for one in rounds[1:]), default=np.nan)
        print(f"| {name} | {len(rounds)} | {epsilons} | {betas} | {agreement:.2f} |")
    with atomic_path(IMAGE) as temporary:
        temporary.write_bytes(picture_bytes(Picture("formulas_as_printed", draw(found), "", ""), "png"))


if __name__ == "__main__":
    main()
