"""What each rule of the workflow hands to its verb.

A rule carries three parameters. ``settings`` is its slice of the configuration: Snakemake compares it with the
last run's, and the shell command shows it as flags, so a verb knows nothing that is not in the slice. ``code`` is the
fingerprint of the modules that the verb runs. ``corpora`` and ``folder`` say where recordings lie on this
machine; they are :class:`Untracked`, because moving a folder changes no result. The names of a rule's files come from
`outputs` and are passed on, so that the Snakefile has one module to ask.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from blsh.denoising.architectures import NETWORKS
from blsh.experiment.code import code_of
from blsh.experiment.config import Config, portable
from blsh.experiment.config_data import Selection, SetAside
from blsh.experiment.config_grid import CONTROLS
from blsh.experiment.families import Family, families, has_dictionary, is_hashed
from blsh.experiment.flags import Settings, Untracked, flag
from blsh.experiment.grid import ScoreJob, data_folder, metrics_at, results_folder, scored_bits, scored_bits_on
from blsh.experiment.inputs import find_listing
from blsh.experiment.outputs import (
    all_manifests,
    corpora_of,
    example_models,
    history_files,
    manifest_file,
    manifests_of,
    model_files,
    models_by_stem,
    neighbours_file,
    network_files,
    networks_by_stem,
    score_files,
    score_jobs_by_stem,
    score_model,
    speech_corpora,
    speech_manifests,
    ssm_files,
)
from blsh.files.checksums import digest_of, sha256_of_file
from blsh.hashing.profiles import PROFILES
from blsh.hashing.switches import MATRICES, SWITCHES
from blsh.reporting.complexity_table import bits_shown

__all__ = [
    "CONTROLS",
    "Settings",
    "Untracked",
    "all_manifests",
    "code",
    "corpora_flags",
    "corpora_of",
    "data_folder",
    "draw_settings",
    "example_models",
    "examples_settings",
    "fit_settings",
    "flag",
    "folder_flag",
    "frames_settings",
    "growing",
    "history_files",
    "manifest_settings",
    "manifests_of",
    "model_files",
    "model_flag",
    "model_input",
    "models_by_stem",
    "neighbours_file",
    "neighbours_settings",
    "network_files",
    "network_settings",
    "networks_by_stem",
    "partial_command",
    "projections_flag",
    "results_folder",
    "score_files",
    "score_jobs_by_stem",
    "score_network_settings",
    "score_settings",
    "speech_corpora",
    "speech_manifests",
    "speed_settings",
    "ssm_files",
    "ssm_settings",
    "train_settings",
    "units_settings",
    "whole_settings",
]

HEARD = ("constant", "ibm", "knn", "lsh", "blsh", "residual")
"""Systems that the report plays."""


def code(verb: str) -> dict[str, str]:
    """Return the fingerprints of all modules that a verb runs."""
    return code_of(f"blsh.cli.{verb}")


def growing(amount: int) -> Callable[[Any, int], int]:
    """Return a resource that is twice as large when a job is tried a second time, and so on.

    Snakemake asks for memory in MB and for time in minutes.
    """

    def of_attempt(wildcards: Any, attempt: int) -> int:
        return amount * attempt

    return of_attempt


def manifest_settings(config: Config, corpus: str, repository: str | Path = ".") -> Settings:
    """Return the reader, its options and the state of the corpus's folder.

    Raises
    ------
    FileNotFoundError
        If its listing is neither in the current folder nor in the repository's.
    """
    described = config.data.corpora[corpus]
    listing = described.listing and find_listing(described.listing, repository)
    return Settings(
        reader=described.reader,
        corpus=corpus,
        listing=listing,
        **described.options,
        fingerprint="embedded" if described.is_embedded else _fingerprint(_folder(config, corpus)),
        # The listing is read inside the job; its content belongs to the slice.
        **({"fingerprint_of_listing": digest_of(Path(listing).read_text())} if listing else {}),
    )


def units_settings(config: Config) -> Settings:
    """Return how speech is divided."""
    speech = config.data.speech
    set_aside = {}
    if isinstance(speech.validation, SetAside):
        set_aside = {
            "validation_speakers": speech.validation.speakers,
            "any_gender": not speech.validation.balance_gender,
        }
    return Settings(
        seed=config.data.seed,
        train=_selection(speech.train),
        validation=_selection(speech.validation) if not set_aside else (),
        **set_aside,
        open=_selection(speech.open),
        **{
            f"{part}_speakers": selection.speakers
            for part, selection in (("train", speech.train), ("open", speech.open))
            if selection.speakers is not None
        },
        seconds=speech.seconds,
        per_speaker=speech.per_speaker,
        held_out=speech.held_out,
    )


def draw_settings(config: Config, set_name: str) -> Settings:
    """Return what the recipes of a set are drawn from."""
    described = config.data.sets[set_name]
    if described.pairs is not None:
        return Settings(set=set_name, seed=config.data.seed, pairs_corpus=described.pairs)
    level, drawn_as = described.snr_db, described.same_as
    if drawn_as is not None:
        described = config.data.sets[drawn_as]
    noise = getattr(config.data.noise, "train" if described.source == "closed" else described.source)
    return Settings(
        set=set_name,
        seed=config.data.seed,
        source=described.source,
        noise_corpus=noise.corpus,
        noise_splits=noise.splits,
        noise_classes=noise.classes,
        snr_db=level,
        **({"drawn_as": drawn_as} if drawn_as else {}),
        mixtures=described.mixtures,
        noises_per_utterance=described.noises_per_utterance,
    )


def frames_settings(config: Config) -> Settings:
    """Return the features to write."""
    return Settings(feature=config.grid.features)


def train_settings(config: Config, model: Family) -> Settings:
    """Return the switches of a training."""
    is_blsh = model.system == "blsh"
    return Settings(
        system=model.system,
        seed=_training_seed(config),
        feature=model.feature,
        target=model.target,
        profile=config.training.profile if is_blsh else "",
        n_bits=config.training.n_bits or max(config.grid.n_bits),
        switch=config.training.switches | dict(SWITCHES.get(model.switch, {})) if is_blsh else config.training.residual,
        context=model.context if model.context > 1 else None,
    )


def fit_settings(config: Config, model: Family) -> Settings:
    """Return the code lengths to which projections are fitted."""
    return Settings(
        system=model.system,
        seed=_training_seed(config),
        feature=model.feature,
        n_bits=scored_bits(config, model),
    )


def neighbours_settings(config: Config, feature: str, rho: str, repeat: str) -> Settings:
    """Return the dictionary in which the raw features' neighbours are looked up."""
    return Settings(
        seed=config.seed,
        feature=feature,
        rho=float(rho),
        repeat=int(repeat),
        n_neighbours=config.grid.n_neighbours,
    )


def score_settings(config: Config, job: ScoreJob) -> Settings:
    """Return what a score job scores, and with which metrics."""
    settings = Settings(system=job.system)
    if has_dictionary(job.system):
        settings |= {
            "seed": config.seed,
            "variant": job.variant,
            "feature": job.feature,
            "target": job.target,
            "profile": config.training.profile if job.system == "blsh" else "",
            "rho": job.rho,
            "repeat": job.repeat,
            "n_neighbours": config.grid.n_neighbours,
            "weighted": job.variant == "weighted",
            "context": job.family.context if job.family.context > 1 else None,
            "matrix_per_length": job.family.switch == MATRICES,
        }
        if is_hashed(job.system):
            settings["n_bits"] = scored_bits_on(config, job.set, job.family)
    if job.system == "projections":
        settings["fingerprint_of_model"] = sha256_of_file(score_model(config, job))
    return Settings(settings | _metrics_settings(config, job))


def model_input(config: Config, job: ScoreJob) -> list[str]:
    """Return the learned or fitted model that a job scores.

    A user's own projections are none of Snakemake's files: it takes braces in a name for patterns, and clusters'
    executors hand names to a shell in double quotes, which would run what stands in one. `score_settings` has their
    content, `model_flag` their name.
    """
    return [] if job.system == "projections" else [score_model(config, job)]


def model_flag(config: Config, job: ScoreJob) -> Untracked:
    """Name the projections that a job scores."""
    file = score_model(config, job)
    return Untracked("--model", f"./{file}" if file.startswith("-") else file)


def network_settings(config: Config, system: str, variant: str) -> Settings:
    """Return how a network is trained: on the speech, the noise and the SNR of the training set."""
    networks, noise = config.networks, config.data.noise.train
    return Settings(
        system=system,
        variant=variant,
        seed=_training_seed(config),
        noise_corpus=noise.corpus,
        noise_splits=noise.splits,
        noise_classes=noise.classes,
        snr_db=[config.data.sets["train"].snr_db],
        loss=networks.loss,
        batches_per_epoch=networks.batches_per_epoch,
        patience=networks.patience,
        max_epochs=networks.max_epochs,
        max_minutes=networks.max_minutes,
        device=networks.device,
    )


def score_network_settings(config: Config, job: ScoreJob) -> Settings:
    """Return which network a job scores, and with which metrics."""
    return Settings({"system": job.system, "variant": job.variant} | _metrics_settings(config, job))


def _metrics_settings(config: Config, job: ScoreJob) -> Settings:
    wanted = metrics_at(config, job.set, job.family)
    return Settings(
        sweep_metrics=config.metrics.sweep,
        metrics_at={str(bits): ",".join(names) for bits, names in wanted.items()},
    )


def ssm_settings(config: Config, feature: str, target: str) -> Settings:
    """Return the matrices of a model."""
    longest = config.training.n_bits or max(config.grid.n_bits)
    return Settings(
        feature=feature,
        target=target,
        boosting_loss=replace(PROFILES[config.training.profile], **config.training.switches).boosting_loss,
        n_bits=sorted({min(n_bits, longest) for n_bits in config.results.ssm_bits}),
    )


def examples_settings(config: Config) -> Settings:
    """Return the mixtures and systems that the report plays."""
    return Settings(
        seed=config.seed,
        system=[name for name in config.grid.systems if name in HEARD],
        feature=config.grid.features[0],
        target=config.grid.targets[0],
        rho=config.grid.rho[0],
        n_neighbours=config.grid.n_neighbours,
        n_bits=min(config.tables.icassp.n_bits, max(config.grid.n_bits)),
        mixtures=config.results.example_mixtures,
    )


def speed_settings(config: Config) -> Settings:
    """Return the searches and networks whose time the complexity table shows, each once."""
    shown = [family for family in families(config, "open") if not family.is_option]
    codes: dict[str, set[int]] = {}
    for family in shown:
        if is_hashed(family.system):
            bits = bits_shown(family.system, family.feature, scored_bits(config, family))
            codes.setdefault(family.feature, set()).add(bits)
    return Settings(
        seed=config.seed,
        raw=tuple(family.feature for family in shown if family.system == "knn"),
        codes={feature: ",".join(map(str, sorted(lengths))) for feature, lengths in codes.items()},
        network=tuple(family.stem for family in shown if family.system in NETWORKS),
        rho=config.grid.rho,
        n_neighbours=config.grid.n_neighbours,
    )


def whole_settings(config: Config) -> Settings:
    """Return the whole configuration, but for where the recordings lie."""
    return Settings(config=json.dumps(portable(config), ensure_ascii=False))


def projections_flag(config: Config) -> Untracked:
    """Say where the files of users' projections lie, of which the whole configuration has the names alone."""
    words = [f"{name}={file}" for name, file in config.projections.items()]
    return Untracked(*(["--projections", *words] if words else []))


def partial_command(config: Config, finish: str) -> str:
    """Return the shell command that shows an unfinished run in results/NAME/partial; it fails without a message.

    Parameters
    ----------
    config
        The experiment.
    finish
        The command that finishes the run, for the report.
    """
    folder = f"{results_folder(config)}/partial"
    command = (
        f"blsh aggregate {whole_settings(config)} {projections_flag(config)} -o {folder}/summaries"
        f" && blsh report --from {folder} --finish {shlex.quote(finish)} -o {folder}"
    )
    # Snakemake formats the text of a shell command.
    return f"({command}) 2> /dev/null || true".replace("{", "{{").replace("}", "}}")


def folder_flag(config: Config, corpus: str) -> Untracked:
    """Say where a corpus's recordings lie."""
    return Untracked("--folder", str(_folder(config, corpus)))


def corpora_flags(config: Config, corpora: Sequence[str] | None = None) -> Untracked:
    """Say where the manifests and the recordings of some corpora lie, or of all."""
    corpora = list(config.data.corpora) if corpora is None else corpora
    words = ["--manifest", *(f"{corpus}={manifest_file(config, corpus)}" for corpus in corpora)]
    words += ["--folder", *(f"{corpus}={_folder(config, corpus)}" for corpus in corpora)]
    return Untracked(*words)


def _training_seed(config: Config) -> int:
    return config.seed if config.training.seed is None else config.training.seed


def _folder(config: Config, corpus: str) -> Path:
    described = config.data.corpora[corpus]
    if described.is_embedded:
        return Path("results/data") / config.data.name / "recordings" / corpus
    return Path(config.corpora_folder) / described.folder


def _selection(selection: Selection) -> tuple[str, ...]:
    return (selection.corpus, *selection.splits)


def _fingerprint(folder: Path) -> str:
    """Hash the relative paths, sizes and times of a folder's files; 'absent' without it, so a dry run passes."""
    if not folder.is_dir():
        return "absent"
    entries = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root, name)
            state = path.stat()
            entries.append([path.relative_to(folder).as_posix(), state.st_size, state.st_mtime_ns])
    return digest_of(entries)
