"""The switches of training, and the two named settings of them all.

The papers leave much of the training open, contradict each other in places, and differ from their authors'
published code. So every choice is a switch here, documented with its source: *TASLP* is Kim and Kim, IEEE/ACM
TASLP 30, 2022; *ICASSP* is Kim, Yang and Kim, ICASSP 2020; *the authors' code* is the script published with
TASLP. ``docs/training.md`` shows both profiles side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from types import MappingProxyType

from blsh.hashing.similarity import Target

__all__ = ["PROFILES", "TrainingParams"]

LOSSES = ("square", "xent")
_CHOICES = {
    "projection_loss": LOSSES,
    "square_gradient": ("affine", "autograd"),
    "boosting_loss": LOSSES,
    "beta_scale": (1.0, 0.5),
    "segments": ("fixed", "fresh"),
    "frame_order": ("shuffled", "contiguous"),
    "epsilon_on": ("training", "held-out"),
    "learning_rate_unit": ("absolute", "relative"),
    "initialisation": ("xavier", "centred"),
    "bias": (True, False),
}
# Least values of whole numbers, and one that no recordings fill.
_LEAST = {"n_bits": 1, "segment_frames": 2, "min_passes": 1, "max_passes": 1, "n_epsilon_segments": 0}
_MOST = 10**9


@dataclass(frozen=True)
class TrainingParams:
    """How projections are learned; the defaults are the profile ``project``.

    Raises
    ------
    TypeError
        If a number is none, or not a whole one where it must be.
    ValueError
        If a value is unknown, out of its range, or contradicts another.

    Attributes
    ----------
    n_bits : int >= 1
        Rounds L, one bit each. Round l never depends on it: fewer bits are a prefix of more.
    projection_loss : {'square', 'xent'}
        What a projection minimises. TASLP III-A: "cross-entropy in our case"; ICASSP: "such as"
        cross-entropy; the authors' code has both and its README's command uses cross-entropy.
    square_gradient : {'affine', 'autograd'}
        Two gradients of the squared error agree on ±1 codes but not beside them: of its affine form, `-M t`
        (this project), or of the square itself, `-M t + t ⊙ (W·1)` (the authors' code, by autograd), which
        also pulls every frame towards the decision boundary. Without effect on cross-entropy, which is
        affine.
    boosting_loss : {'square', 'xent'}
        What ε and the pair weights W use. TASLP (11), (12) and ICASSP (4), (5) print the projection's loss,
        with which ε exceeds ½ on speech and boosting fails; the authors' code uses the squared error,
        whatever the other.
    beta_scale : {1.0, 0.5}
        Factor of ``ln((1 - ε) / ε)``: 1 in TASLP (13) and in the authors' code, ½ in ICASSP (6).
    target : Target
        The SSM to approach: ``ssm`` in both papers, ``rbf`` in TASLP (15), others are this project's.
    segment_frames : int >= 2
        Frames n of a segment, whose n² pairs are weighed together: 1000 (TASLP IV).
    n_segments : int or None
        Segments that a round learns from; None is all ``T // n``, as in both papers.
    segments : {'fixed', 'fresh'}
        Whether all rounds learn from the same segments (papers) or each draws its own (this project).
    frame_order : {'shuffled', 'contiguous'}
        Whether a segment is of frames from anywhere (the authors' code) or of consecutive ones (both papers'
        text).
    epsilon_on : {'training', 'held-out'}
        Whether ε is measured on the segments that the round learned from (papers) or on others (this
        project): on its own segments it falls in late rounds, as the round then fits the few pairs that W has
        left.
    n_epsilon_segments : int
        How many others; 0 with ``'training'``.
    min_passes, max_passes : int
        A pass takes one step per segment. From ``min_passes`` on a round ends when the mean loss of the last
        ten passes is no more than ``1 / n²`` below that of the ten up to the pass before, at the latest after
        ``max_passes``: 20 and 200 in the authors' code. Equal numbers mean that many passes.
    learning_rate : float > 0
        Adam's step, with β = 0.95, 0.98 and a fresh state each round: 1e-4 in the authors' code.
    learning_rate_unit : {'absolute', 'relative'}
        ``relative`` is in units of the starting projection's mean magnitude.
    initialisation : {'xavier', 'centred'}
        A round's start: normal entries of variance ``2 / (D + 2)`` (the authors' code), or a random direction
        scaled to unit spread over the round's frames with the bias that centres it (this project).
    bias : bool
        Whether a bit has a bias: (1) of both papers, and the authors' later code; their ICASSP code has none.
    """

    n_bits: int = 300
    projection_loss: str = "square"
    square_gradient: str = "affine"
    boosting_loss: str = "square"
    beta_scale: float = 0.5
    target: Target = field(default_factory=Target)
    segment_frames: int = 1000
    n_segments: int | None = 40
    segments: str = "fixed"
    frame_order: str = "shuffled"
    epsilon_on: str = "training"
    n_epsilon_segments: int = 0
    min_passes: int = 10
    max_passes: int = 10
    learning_rate: float = 1e-2
    learning_rate_unit: str = "relative"
    initialisation: str = "centred"
    bias: bool = True

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            # True equals 1, which is no switch's meaning.
            if value not in choices or isinstance(value, bool) != (name == "bias"):
                raise ValueError(f"{name}={value!r} is unknown: choose one of {', '.join(map(str, choices))}")
        for name, least in _LEAST.items():
            value = _whole(name, getattr(self, name))
            if value < least:
                raise ValueError(f"{name}={value} is below its least value {least}")
        if self.max_passes < self.min_passes:
            raise ValueError(f"max_passes={self.max_passes} is below min_passes={self.min_passes}")
        if isinstance(self.learning_rate, bool) or not isinstance(self.learning_rate, Real):
            raise TypeError(f"learning_rate={self.learning_rate!r} must be a number")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate={self.learning_rate} must be a positive number")
        if self.n_segments is not None and _whole("n_segments", self.n_segments) < 1:
            raise ValueError(f"n_segments={self.n_segments} must be at least 1, or None for all")
        if self.n_segments is None and self.segments == "fresh":
            raise ValueError("segments='fresh' needs n_segments: the number that each round draws")
        if (self.n_epsilon_segments > 0) != (self.epsilon_on == "held-out"):
            raise ValueError(
                f"n_epsilon_segments={self.n_epsilon_segments} contradicts epsilon_on={self.epsilon_on!r}:"
                " held-out needs at least 1, training 0"
            )


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r:.80} must be a whole number")
    if value > _MOST:
        raise ValueError(f"{name} is above its largest value {_MOST}")
    return value


PROFILES: Mapping[str, TrainingParams] = MappingProxyType(
    {
        "project": TrainingParams(),
        "authors2022": TrainingParams(
            projection_loss="xent",
            square_gradient="autograd",
            boosting_loss="square",
            beta_scale=1.0,
            n_segments=None,
            segments="fixed",
            frame_order="shuffled",
            epsilon_on="training",
            n_epsilon_segments=0,
            min_passes=20,
            max_passes=200,
            learning_rate=1e-4,
            learning_rate_unit="absolute",
            initialisation="xavier",
            bias=True,
        ),
    }
)
"""``project``: this project's default. ``authors2022``: what the authors' TASLP code does."""
