"""The files that the rules of the workflow hand to each other, by their names."""

from __future__ import annotations

from blsh.experiment.config import Config
from blsh.experiment.config_data import Selection
from blsh.experiment.families import FITTED, Family, model_names, model_of, models
from blsh.experiment.grid import ScoreJob, data_folder, metrics_at, results_folder, score_jobs

__all__ = [
    "all_manifests",
    "corpora_of",
    "example_models",
    "history_files",
    "manifest_file",
    "manifests_of",
    "model_files",
    "models_by_stem",
    "neighbours_file",
    "network_files",
    "networks_by_stem",
    "recipes_file",
    "score_file",
    "score_files",
    "score_jobs_by_stem",
    "score_model",
    "speech_corpora",
    "speech_manifests",
    "ssm_files",
]


def models_by_stem(config: Config) -> dict[str, Family]:
    """Return every model that is learned or fitted, by the name of its file."""
    return {model.stem: model for model in models(config)}


def model_files(config: Config) -> list[str]:
    """Return the learned and fitted models."""
    return [_model_file(config, model) for model in models(config)]


def networks_by_stem(config: Config) -> dict[str, tuple[str, str]]:
    """Return (system, variant) of every network, by the name of its checkpoint."""
    return {Family(system, variant=variant).stem: (system, variant) for system, variant in config.networks.names}


def network_files(config: Config) -> list[str]:
    """Return the checkpoints of the networks."""
    return [f"{results_folder(config)}/models/{stem}.safetensors" for stem in networks_by_stem(config)]


def history_files(config: Config) -> list[str]:
    """Return the tables of the rounds of every training."""
    learned = [model for model in models(config) if model.system not in FITTED]
    return [_model_file(config, model).removesuffix(".npz") + ".csv" for model in learned]


def ssm_files(config: Config) -> list[str]:
    """Return the self-similarity matrices of every model that is boosted as the profile says."""
    return [f"{results_folder(config)}/models/ssm_{feature}_{target}.npz" for feature, target in model_names(config)]


def example_models(config: Config) -> list[str]:
    """Return the models that the report's sounds need."""
    feature = config.grid.features[0]
    heard = {"blsh": Family("blsh", feature, config.grid.targets[0]), "residual": Family("residual", feature)}
    return [_model_file(config, model) for system, model in heard.items() if system in config.grid.systems]


def score_jobs_by_stem(config: Config) -> dict[tuple[str, str], ScoreJob]:
    """Return every score job by its set and the name of its file."""
    return {(job.set, job.stem): job for job in score_jobs(config)}


def score_files(config: Config) -> list[str]:
    """Return every score file of the experiment."""
    return [score_file(config, job) for job in score_jobs(config)]


def score_file(config: Config, job: ScoreJob) -> str:
    """Return the scores of one job."""
    return f"{results_folder(config)}/scores/{job.set}/{job.stem}.parquet"


def score_model(config: Config, job: ScoreJob) -> str:
    """Return the file of the projections that a job scores: a model of the workflow's, or the user's own."""
    if job.system == "projections":
        return config.projections[job.variant]
    return _model_file(config, model_of(job.family))


def neighbours_file(config: Config, job: ScoreJob) -> list[str]:
    """Return the file of the raw features' neighbours, where a job is to be compared with them.

    The raw features' own score is made of the same file, so that their search is done once.
    """
    rivals = config.tables.rivals
    is_compared = any("recall" in names for names in metrics_at(config, job.set, job.family).values())
    is_raw = job.system == "knn" and rivals is not None and "recall" in rivals.metrics and job.set in rivals.sets
    if not is_compared and not is_raw:
        return []
    return [f"{results_folder(config)}/neighbours/{job.set}_{job.feature}_{job.draw}.npy"]


def manifest_file(config: Config, corpus: str) -> str:
    """Return the manifest of a corpus."""
    return f"{data_folder(config)}/manifests/{corpus}.csv"


def recipes_file(config: Config, name: str) -> str:
    """Return the recipes of a set's mixtures."""
    return f"{data_folder(config)}/mixtures/{name}.csv"


def all_manifests(config: Config) -> list[str]:
    """Return the manifests of all corpora."""
    return [manifest_file(config, corpus) for corpus in config.data.corpora]


def corpora_of(config: Config, set_name: str) -> list[str]:
    """Return the corpora of a set's recordings: those that it pairs, or all that speech and noise are taken from.

    A set can so be drawn and scored where a corpus of another set is missing.
    """
    pairs = config.data.sets[set_name].pairs
    noise = config.data.noise
    mixed = {selection.corpus for selection in (noise.train, noise.validation, noise.open)}
    names = {pairs} if pairs is not None else {*speech_corpora(config), *mixed}
    return [corpus for corpus in config.data.corpora if corpus in names]


def manifests_of(config: Config, set_name: str) -> list[str]:
    """Return the manifests of a set's recordings."""
    return [manifest_file(config, corpus) for corpus in corpora_of(config, set_name)]


def speech_manifests(config: Config) -> list[str]:
    """Return the manifests of the corpora that speech is taken from."""
    return [manifest_file(config, corpus) for corpus in speech_corpora(config)]


def speech_corpora(config: Config) -> list[str]:
    """Return the corpora that speech is taken from."""
    speech = config.data.speech
    selections = (speech.train, speech.validation, speech.open)
    names = {selection.corpus for selection in selections if isinstance(selection, Selection)}
    return [corpus for corpus in config.data.corpora if corpus in names]


def _model_file(config: Config, model: Family) -> str:
    return f"{results_folder(config)}/models/{model.stem}.npz"
