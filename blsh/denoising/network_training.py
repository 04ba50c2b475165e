"""Train a network on crops, watch it on validation mixtures, stop when it gets no better, keep the best epoch.

An epoch is a number of batches, by default 100 of 128 one-second crops: 12,800 crops, as many as the papers' training
set has mixtures. (The authors' epoch is one crop of each training utterance, ten to twelve batches, and they train 200
of them.) After each epoch the network denoises whole validation mixtures; `NetworkParams` has the stop rule. The
numbers of the best epoch are the result.

Batches, start and optimiser depend on the seed alone, and a state is saved after an epoch (at most every 20 seconds),
so a killed training goes on with the same result. The limits on epochs and time do not belong to that state: a training
that a limit ended goes on when the limit is raised. The same seed on the same device with the same number of threads
gives the same numbers; more threads, or a GPU, add in another order.

The optimiser is Adam with β = (0.9, 0.999), as in the authors' code.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from blsh import __version__
from blsh.denoising.checkpoints import STOP_RULE, Checkpoint, Training
from blsh.denoising.network_losses import measure
from blsh.denoising.network_params import NetworkParams
from blsh.denoising.network_state import Epoch, TrainingState, load_state, save_state
from blsh.denoising.networks import start_network, tensors_of
from blsh.mixtures.rendering import Mixture

__all__ = ["find_device", "train_network"]

SECONDS_BETWEEN_SAVES = 20.0
# What a second of Conv-TasNet keeps for its gradient is about 0.63 GB. Batch normalisation needs the whole batch.
_CROPS_AT_ONCE = {"conv_tasnet": 16}

Batches = Callable[[int, int, int], tuple[np.ndarray, np.ndarray]]
"""(epoch, batch, crops) → speech and noise, float32 (crops, samples), as `Crops.batch` gives them."""


def find_device(name: str) -> torch.device:
    """Return a device that is there.

    Raises
    ------
    ValueError
        If it is a GPU and torch sees none.
    """
    if name == "cuda":
        if not torch.cuda.is_available():
            raise ValueError(
                f"device 'cuda' was asked for and torch {torch.__version__} sees no GPU; use the device cpu, or "
                "install a driver and a build of torch for it"
            )
        # Read when the first GPU product is computed: work space of a fixed size, so that sums repeat.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.device(name)


def train_network(
    params: NetworkParams,
    batches: Batches,
    validation: Sequence[Mixture],
    *,
    seed: int,
    rng: np.random.Generator,
    device: torch.device,
    max_epochs: int,
    max_seconds: float = math.inf,
    n_threads: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
    state: Path | None = None,
    fingerprint: str = "",
) -> tuple[Checkpoint, tuple[Epoch, ...]]:
    """Train a network until its stop rule or a limit ends it.

    Parameters
    ----------
    params : NetworkParams
    batches : callable
        The training crops.
    validation : sequence of Mixture
        What the stop rule listens to; at least one.
    seed : int
        For the record.
    rng : numpy.random.Generator
        Draws the start.
    device : torch.device
    max_epochs : int > 0
    max_seconds : float > 0
        Training ends after the epoch in which it exceeds this, counted over all sittings.
    n_threads : int > 0
        Threads of torch on a CPU.
    progress : callable, optional
        Called after every batch with (batches done, batches if no further epoch makes progress, a few words).
    state : Path, optional
        Where to keep a training, and to look for one. It stays when the training has ended: with a higher limit the
        next call goes on, and a training that its stop rule ended gives its result again at once.
    fingerprint : str
        Digest of everything that the result depends on.

    Returns
    -------
    checkpoint : Checkpoint
        The best epoch's numbers.
    epochs : tuple of Epoch

    Raises
    ------
    ValueError
        If there is no validation mixture, a limit is out of its range, or the loss is not finite.
    """
    if not validation:
        raise ValueError("the validation set has 0 mixtures: the stop rule needs at least one")
    if max_epochs < 1 or not max_seconds > 0:
        raise ValueError(f"max_epochs={max_epochs} must be at least 1 and max_seconds={max_seconds} above 0")
    with _repeatable(device, n_threads):
        sitting = _Sitting(params, device, rng, load_state(state, fingerprint=fingerprint) if state else None)
        saved = time.monotonic()
        while not (stopped_by := _stop_reason(params, sitting.epochs, max_epochs, max_seconds)):
            sitting.train_epoch(batches, validation, max_epochs, progress)
            if state and time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                save_state(state, sitting.state(), fingerprint=fingerprint)
                saved = time.monotonic()
        if state:
            save_state(state, sitting.state(), fingerprint=fingerprint)
    last, best = sitting.epochs[-1], params.best_of(sitting.epochs)
    training = Training(
        architecture=params.architecture,
        loss=params.loss,
        seed=seed,
        epochs=last.number,
        best_epoch=best.number,
        batches_per_epoch=params.batches_per_epoch,
        batch_size=params.batch_size,
        stopped_by=stopped_by,
        seconds=last.seconds,
        validation_si_sdr=best.validation_si_sdr,
        device=device.type,
        fingerprint=fingerprint,
        code_version=__version__,
    )
    return Checkpoint(training, sitting.best), tuple(sitting.epochs)


def _stop_reason(params: NetworkParams, epochs: Sequence[Epoch], max_epochs: int, max_seconds: float) -> str:
    """Return what ends the training now, or '' for nothing."""
    if not epochs:
        return ""
    last = epochs[-1]
    if last.number - params.best_of(epochs).number >= params.patience:
        return STOP_RULE
    if last.number >= max_epochs:
        return "epochs"
    return "time" if last.seconds >= max_seconds else ""


class _Sitting:
    """A training in memory, begun anew or continued."""

    def __init__(
        self, params: NetworkParams, device: torch.device, rng: np.random.Generator, state: TrainingState | None
    ) -> None:
        self.params, self.device = params, device
        self.network = start_network(params.architecture, rng=rng).to(device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), params.learning_rate, betas=(0.9, 0.999))
        self.epochs: list[Epoch] = []
        self.best: dict[str, np.ndarray] = {}
        if state is not None:
            self._restore(state)
        self.started = time.monotonic() - (self.epochs[-1].seconds if self.epochs else 0.0)

    def train_epoch(
        self,
        batches: Batches,
        validation: Sequence[Mixture],
        max_epochs: int,
        progress: Callable[[int, int, str], None] | None,
    ) -> None:
        """Train one epoch, measure it, and keep its numbers if they are the best."""
        number, per_epoch = len(self.epochs) + 1, self.params.batches_per_epoch
        best = self.params.best_of(self.epochs).number if self.epochs else number
        total = min(best + self.params.patience, max_epochs) * per_epoch
        losses = []
        self.network.train()
        for speech, noise in _drawn_ahead(batches, number, self.params):
            losses.append(self._step(speech, noise))
            if progress is not None:
                progress((number - 1) * per_epoch + len(losses), total, self._words())
        loss, si_sdr = self._validate(validation)
        training_loss = float(np.mean(losses))
        if not (math.isfinite(training_loss) and math.isfinite(loss)):
            raise ValueError(
                f"{self.params.architecture}: the loss of epoch {number} is {training_loss} in training and {loss} in "
                "validation; lower the learning rate"
            )
        self.epochs.append(Epoch(number, training_loss, loss, si_sdr, time.monotonic() - self.started))
        if self.params.best_of(self.epochs).number == number:
            self.best = tensors_of(self.network)

    def state(self) -> TrainingState:
        """Return everything that the next epoch depends on."""
        moments = {
            key: {
                name: self.optimiser.state[parameter][key].cpu().numpy()
                for name, parameter in self.network.named_parameters()
                if parameter in self.optimiser.state
            }
            for key in ("exp_avg", "exp_avg_sq")
        }
        return TrainingState(
            self.epochs, tensors_of(self.network), moments["exp_avg"], moments["exp_avg_sq"], self.best
        )

    def _restore(self, state: TrainingState) -> None:
        self.epochs, self.best = list(state.epochs), dict(state.best)
        self.network.load_state_dict({name: torch.from_numpy(a) for name, a in state.network.items()}, strict=False)
        n_steps = len(self.epochs) * self.params.batches_per_epoch
        for name, parameter in self.network.named_parameters():
            if name in state.first_moments:
                self.optimiser.state[parameter] = {
                    "step": torch.tensor(float(n_steps)),
                    "exp_avg": torch.from_numpy(state.first_moments[name]).to(self.device),
                    "exp_avg_sq": torch.from_numpy(state.second_moments[name]).to(self.device),
                }

    def _step(self, speech: np.ndarray, noise: np.ndarray) -> float:
        """Make one step of the optimiser and return the loss before it."""
        n_crops, total = len(speech), 0.0
        at_once = _CROPS_AT_ONCE.get(self.params.architecture.system, n_crops)
        self.optimiser.zero_grad()
        for first in range(0, n_crops, at_once):
            part = slice(first, first + at_once)
            loss = measure(self.network, self.params.loss, *self._tensors(speech[part], noise[part])).losses.sum()
            (loss / n_crops).backward()
            total += loss.item()
        self.optimiser.step()
        return total / n_crops

    @torch.inference_mode()
    def _validate(self, validation: Sequence[Mixture]) -> tuple[float, float]:
        """Return the mean loss and SI-SDR of whole mixtures, one by one because they differ in length."""
        self.network.eval()
        losses, scores = [], []
        for mixture in validation:
            tensors = self._tensors(mixture.speech[None], mixture.noise[None])
            quality = measure(self.network, self.params.loss, *tensors, with_si_sdr=True)
            losses.append(quality.losses.item())
            scores.append(quality.si_sdr.item())
        return float(np.mean(losses)), float(np.mean(scores))

    def _tensors(self, *arrays: np.ndarray) -> list[torch.Tensor]:
        return [torch.from_numpy(array).to(self.device) for array in arrays]

    def _words(self) -> str:
        if not self.epochs:
            return "first epoch"
        best = self.params.best_of(self.epochs)
        return f"validation SI-SDR {self.epochs[-1].validation_si_sdr:.2f} dB, best {best.validation_si_sdr:.2f} dB"


def _drawn_ahead(batches: Batches, epoch: int, params: NetworkParams) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the batches of an epoch, each drawn by another thread while the one before it is learned from."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(batches, epoch, 0, params.batch_size)
        for number in range(1, params.batches_per_epoch + 1):
            batch = waiting.result()
            if number < params.batches_per_epoch:
                waiting = pool.submit(batches, epoch, number, params.batch_size)
            yield batch


@contextmanager
def _repeatable(device: torch.device, n_threads: int) -> Iterator[None]:
    """Set torch's threads, and on a GPU allow only operations that repeat their result."""
    threads, only_repeatable = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(n_threads)
    torch.use_deterministic_algorithms(device.type == "cuda")
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(only_repeatable)
