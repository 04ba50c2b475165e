"""What each rule of the workflow hands to its verb.

A rule carries three parameters. ``settings`` is its slice of the configuration: Snakemake compares it with the
last run's, and the shell command shows it as flags, so a verb knows nothing that is not in the slice. ``code`` is the
fingerprint of the modules that the verb runs. ``corpora`` and ``folder`` say where recordings lie on this
machine; they are :class:`Untracked`, because moving a folder changes no result.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blsh.experiment.code import code_of
from blsh.experiment.config import CONTROLS, Config, Selection, SetAside, portable
from blsh.experiment.grid import data_folder, metrics_at, model_names, results_folder, score_jobs, scored_bits
from blsh.files.checksums import digest_of

__all__ = [
    "CONTROLS",
    "Settings",
    "Untracked",
    "all_manifests",
    "code",
    "corpora_flags",
    "data_folder",
    "draw_settings",
    "examples_settings",
    "folder_flag",
    "frames_settings",
    "history_files",
    "manifest_settings",
    "model_files",
    "partial_command",
    "results_folder",
    "score_files",
    "score_settings",
    "speech_corpora",
    "speech_manifests",
    "ssm_files",
    "ssm_settings",
    "train_settings",
    "units_settings",
    "whole_settings",
]


class Settings(dict):
    """A slice of the configuration; as text, the command-line flags that say the same.

    None, False, '' and empty lists are left out, because they are the verbs' defaults; True is a flag alone.
    """

    def __str__(self) -> str:
        words = []
        for key, value in self.items():
            if value is None or value is False or value in ("", (), {}) or key.startswith("fingerprint"):
                continue
            words.append("--" + key.replace("_", "-"))
            if value is True:
                continue
            if isinstance(value, dict):
                words += [f"{name}={_word(part)}" for name, part in value.items()]
            else:
                words += [_word(part) for part in (value if isinstance(value, (tuple, list)) else (value,))]
        return shlex.join(words)


class Untracked:
    """Flags whose change reruns nothing."""

    def __init__(self, *words: str):
        self._text = shlex.join(words)

    def __str__(self) -> str:
        return self._text


def code(verb: str) -> dict[str, str]:
    """Return the fingerprints of all modules that a verb runs."""
    return code_of(f"blsh.cli.{verb}")


def manifest_settings(config: Config, corpus: str) -> Settings:
    """Return the reader, its options and the state of the corpus's folder."""
    described = config.data.corpora[corpus]
    listing = described.listing
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
        seconds=speech.seconds,
        per_speaker=speech.per_speaker,
        held_out=speech.held_out,
    )


def draw_settings(config: Config, set_name: str) -> Settings:
    """Return what the recipes of a set are drawn from."""
    described = config.data.sets[set_name]
    noise = getattr(config.data.noise, "train" if described.source == "closed" else described.source)
    return Settings(
        set=set_name,
        seed=config.data.seed,
        source=described.source,
        noise_corpus=noise.corpus,
        noise_splits=noise.splits,
        noise_classes=noise.classes,
        snr_db=described.snr_db,
        mixtures=described.mixtures,
        noises_per_utterance=described.noises_per_utterance,
    )


def frames_settings(config: Config) -> Settings:
    """Return the features to write."""
    return Settings(feature=config.grid.features)


def train_settings(config: Config, feature: str, target: str) -> Settings:
    """Return the switches of a training."""
    seed = config.seed if config.training.seed is None else config.training.seed
    return Settings(
        seed=seed,
        feature=feature,
        target=target,
        profile=config.training.profile,
        n_bits=config.training.n_bits or max(config.grid.n_bits),
        switch=config.training.switches,
    )


def score_settings(config: Config, wildcards: Any) -> Settings:
    """Return what a score job scores, and with which metrics."""
    named = dict(wildcards.items())
    system = named.get("control") or named.get("system") or "blsh"
    settings = Settings(system=system)
    if system not in CONTROLS:
        feature = named["feature"]
        settings |= {
            "seed": config.seed,
            "feature": feature,
            "target": named.get("target", ""),
            "profile": config.training.profile if system == "blsh" else "",
            "rho": float(named["rho"]),
            "repeat": int(named["repeat"]),
            "n_neighbours": config.grid.n_neighbours,
        }
        if system != "knn":
            settings["n_bits"] = scored_bits(config, system, feature)
    settings["sweep_metrics"] = config.metrics.sweep
    settings["metrics_at"] = {
        str(bits): ",".join(names)
        for bits, names in metrics_at(config, named["set"], system, named.get("feature", "")).items()
    }
    return Settings(settings)


def ssm_settings(config: Config, feature: str, target: str) -> Settings:
    """Return the matrices of a model."""
    longest = config.training.n_bits or max(config.grid.n_bits)
    return Settings(
        feature=feature,
        target=target,
        n_bits=sorted({min(n_bits, longest) for n_bits in config.results.ssm_bits}),
    )


def examples_settings(config: Config) -> Settings:
    """Return the mixtures and systems that the report plays."""
    feature = config.grid.features[0]
    return Settings(
        seed=config.seed,
        system=[name for name in config.grid.systems if name not in ("mixture", "irm", "lsh_fixed")],
        feature=feature,
        target=config.grid.targets[0],
        rho=config.grid.rho[0],
        n_neighbours=config.grid.n_neighbours,
        n_bits=min(config.tables.icassp.n_bits, max(config.grid.n_bits)),
        mixtures=config.results.example_mixtures,
    )


def whole_settings(config: Config) -> Settings:
    """Return the whole configuration, but for where the recordings lie."""
    return Settings(config=json.dumps(portable(config), ensure_ascii=False))


def partial_command(config: Config, configfiles: Sequence[str | Path]) -> str:
    """Return the shell command that shows an unfinished run in results/NAME/partial; it fails without a message."""
    folder = f"{results_folder(config)}/partial"
    # Snakemake gives the preset's absolute path; the report should name no folder of this machine.
    preset = shlex.join(["--configfile", os.path.relpath(configfiles[0])]) if configfiles else ""
    finish = shlex.quote(f"blsh run {preset}".strip())
    command = (
        f"blsh aggregate {whole_settings(config)} -o {folder}/summaries"
        f" && blsh report --from {folder} --finish {finish} -o {folder}"
    )
    # Snakemake formats the text of a shell command.
    return f"({command}) 2> /dev/null || true".replace("{", "{{").replace("}", "}}")


def model_files(config: Config) -> list[str]:
    """Return the learned models."""
    return [f"{results_folder(config)}/models/blsh_{feature}_{target}.npz" for feature, target in model_names(config)]


def history_files(config: Config) -> list[str]:
    """Return the tables of the rounds of every training."""
    return [path.removesuffix(".npz") + ".csv" for path in model_files(config)]


def ssm_files(config: Config) -> list[str]:
    """Return the self-similarity matrices of every model."""
    return [f"{results_folder(config)}/models/ssm_{feature}_{target}.npz" for feature, target in model_names(config)]


def score_files(config: Config) -> list[str]:
    """Return every score file of the experiment."""
    return [f"{results_folder(config)}/scores/{job.set}/{job.stem}.parquet" for job in score_jobs(config)]


def all_manifests(config: Config) -> list[str]:
    """Return the manifests of all corpora."""
    return [_manifest(config, corpus) for corpus in config.data.corpora]


def speech_manifests(config: Config) -> list[str]:
    """Return the manifests of the corpora that speech is taken from."""
    return [_manifest(config, corpus) for corpus in speech_corpora(config)]


def speech_corpora(config: Config) -> list[str]:
    """Return the corpora that speech is taken from."""
    speech = config.data.speech
    selections = (speech.train, speech.validation, speech.open)
    names = {selection.corpus for selection in selections if isinstance(selection, Selection)}
    return [corpus for corpus in config.data.corpora if corpus in names]


def folder_flag(config: Config, corpus: str) -> Untracked:
    """Say where a corpus's recordings lie."""
    return Untracked("--folder", str(_folder(config, corpus)))


def corpora_flags(config: Config, corpora: Sequence[str] | None = None) -> Untracked:
    """Say where the manifests and the recordings of some corpora lie, or of all."""
    corpora = list(config.data.corpora) if corpora is None else corpora
    words = ["--manifest", *(f"{corpus}={_manifest(config, corpus)}" for corpus in corpora)]
    words += ["--folder", *(f"{corpus}={_folder(config, corpus)}" for corpus in corpora)]
    return Untracked(*words)


def _manifest(config: Config, corpus: str) -> str:
    return f"{data_folder(config)}/manifests/{corpus}.csv"


def _folder(config: Config, corpus: str) -> Path:
    described = config.data.corpora[corpus]
    if described.is_embedded:
        return Path("results/data") / config.data.name / "recordings" / corpus
    return Path(config.corpora_folder) / described.folder


def _selection(selection: Selection) -> tuple[str, ...]:
    return (selection.corpus, *selection.splits)


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, float):
        return str(value)
    # YAML takes 1e-05 for text, 1.0e-05 for a number.
    mantissa, *exponent = repr(value).split("e")
    return "e".join([mantissa if "." in mantissa or not exponent else f"{mantissa}.0", *exponent])


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
