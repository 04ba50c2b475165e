"""Claims: statements of the papers in a form that a run can judge.

A claim is a statistic of the scores (or of the training) and a threshold, written down in ``claims.yaml``
with its source before any score is seen. What the kinds of statistic mean stands at the head of that file;
how a verdict is reached, in `blsh.reporting.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from itertools import product
from typing import Any

import yaml

from blsh.reporting.labels import CONTROLS, NETWORKS, SYSTEM_NAMES, feature_name, target_name, variant_name
from blsh.reporting.scores import METRICS

__all__ = ["Claim", "Term", "Threshold", "load_claims", "parse_claims"]

CURVES = ("smallest_lead", "mean_lead", "crossing", "spread")
ON_TRAINING = ("beta_ratio", "beta_fall")
STATISTICS = ("difference", *CURVES, *ON_TRAINING)
TESTS = ("bootstrap", "seeds")


@dataclass(frozen=True)
class Term:
    """One system at one setting; without ``n_bits`` a curve over L, or a system that has no L.

    ``target`` and ``profile`` are those of the model that is judged unless the term names its own; ``snr_db`` None
    is whatever the set has; a ``noise`` leaves the others out.
    """

    system: str
    set: str = "open"
    snr_db: float | None = 0.0
    noise: str = ""
    variant: str = ""
    feature: str = ""
    rho: float = 0.0
    n_bits: int | None = None
    target: str | None = None
    profile: str | None = None

    def __str__(self) -> str:
        parts = [self.system, self.variant, self.feature, self.target or ""]
        parts += [f"rho={self.rho:g}"] if self.rho else []
        parts += [f"L={self.n_bits}"] if self.n_bits else []
        parts += [f"on {self.set}"]
        parts += [f"at {self.snr_db:g} dB"] if self.snr_db else []
        parts += [f"in {self.noise}"] if self.noise else []
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Threshold:
    """What a statistic is measured against."""

    kind: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        expected = {"above": 1, "at_most": 1, "within": 2}.get(self.kind)
        if expected is None:
            raise ValueError(f"threshold {self.kind!r} is none of above, at_most, within; name one of these")
        if len(self.values) != expected:
            raise ValueError(f"threshold {self.kind} takes {expected} numbers, not {len(self.values)}; correct it")

    def margin(self, statistic: Any) -> Any:
        """How much the statistic has to spare; negative where the claim is missed."""
        if self.kind == "above":
            return statistic - self.values[0]
        if self.kind == "at_most":
            return self.values[0] - statistic
        low, high = self.values
        return (high - low) / 2 - abs(statistic - (low + high) / 2)

    def __str__(self) -> str:
        sign = {"above": "> ", "at_most": "≤ ", "within": "in "}[self.kind]
        numbers = ", ".join(f"{value:g}" for value in self.values)
        return sign + (f"[{numbers}]" if len(self.values) > 1 else numbers)


@dataclass(frozen=True)
class Claim:
    """A statement, where it comes from, and how it is judged."""

    id: str
    statement: str
    source: str
    statistic: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]
    threshold: Threshold
    test: str
    metrics: tuple[str, ...] = ("sdr",)
    rounds: tuple[int, int] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("statistic", self.statistic, STATISTICS),
            ("test", self.test, TESTS),
            *(("metric", metric, METRICS) for metric in self.metrics),
        ):
            if value not in known:
                raise ValueError(f"{self.id}: {name}={value!r} is none of {', '.join(known)}; name one of these")
        if (self.test == "seeds") != (self.statistic in ON_TRAINING):
            raise ValueError(f"{self.id}: test={self.test!r} does not fit {self.statistic}; β is judged over seeds")
        if (self.rounds is None) != (self.statistic != "beta_ratio"):
            raise ValueError(f"{self.id}: rounds belong to the statistic beta_ratio and to no other; correct it")
        n_right = 0 if self.test == "seeds" else 1
        if self.statistic != "difference" and (len(self.left), len(self.right)) != (1, n_right):
            raise ValueError(f"{self.id}: {self.statistic} takes 1 left and {n_right} right terms; correct them")
        if self.statistic in CURVES and any(term.n_bits for term in (*self.left, *self.right)):
            raise ValueError(f"{self.id}: {self.statistic} is over all L; take n_bits out of its terms")

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms, left ones first."""
        return (*self.left, *self.right)

    @property
    def is_about_blsh(self) -> bool:
        """Whether the verdict depends on a trained model."""
        return any(term.system == "blsh" for term in self.terms)


def load_claims() -> tuple[Claim, ...]:
    """Read the claims that come with the package."""
    text = files("blsh.reporting").joinpath("claims.yaml").read_text(encoding="utf-8")
    return parse_claims(text, "claims.yaml")


def parse_claims(text: str, source: str) -> tuple[Claim, ...]:
    """Read claims from YAML.

    Parameters
    ----------
    text
        A list in the form of ``claims.yaml``.
    source
        The file's name, for messages.

    Raises
    ------
    ValueError
        If an entry has an unknown or missing key or contradicts itself, or two claims have one id.
    """
    claims: list[Claim] = []
    for entry in yaml.safe_load(text):
        try:
            claims.extend(_expand(entry))
        except (TypeError, KeyError) as error:
            raise ValueError(f"{source}: claim {entry.get('id', '?')!r}: {error}; see the head of the file") from None
    ids = [claim.id for claim in claims]
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    if doubled:
        raise ValueError(f"{source}: two claims have the id {doubled[0]!r}; rename one")
    return tuple(claims)


_LABELS = {
    "rho": "ρ = {:g}".format,
    "feature": feature_name,
    "system": SYSTEM_NAMES.__getitem__,
    "variant": variant_name,
    "target": target_name,
    "snr_db": lambda snr_db: f"{snr_db:g} dB".replace("-", "−"),
}


def _expand(entry: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield one claim for each combination of the values under `each`."""
    entry = dict(entry)
    each = entry.pop("each", {})
    [(kind, values)] = entry.pop("threshold").items()
    threshold = Threshold(kind, tuple(float(value) for value in (values if isinstance(values, list) else [values])))
    for name in ("metrics", "rounds"):
        if name in entry:
            entry[name] = tuple(entry[name])
    left, right = entry.pop("left"), entry.pop("right", [])
    for combination in product(*each.values()):
        chosen = dict(zip(each, combination, strict=True))
        # An axis with one value needs no name in the id or the statement.
        varied = {name: value for name, value in chosen.items() if len(each[name]) > 1}
        labels = [_LABELS[name](value) if name in _LABELS else str(value) for name, value in varied.items()]
        yield Claim(
            **{
                **entry,
                "id": "-".join([entry["id"], *map(_id_part, varied.values())]),
                "statement": entry["statement"] + (f" ({', '.join(labels)})" if labels else ""),
                "left": tuple(_term(term, chosen) for term in left),
                "right": tuple(_term(term, chosen) for term in right),
                "threshold": threshold,
            }
        )


def _id_part(value: object) -> str:
    """Spell a value for an id, where a minus sign would read as a dash: ``m5``."""
    return str(value).replace("-", "m") if isinstance(value, (int, float)) else str(value)


def _term(given: Mapping[str, Any], chosen: Mapping[str, Any]) -> Term:
    values = {**chosen, **given}
    system = values.get("system")
    inapplicable = {"feature", "rho", "n_bits"} if system in (*CONTROLS, *NETWORKS) else set()
    inapplicable |= set() if system in NETWORKS else {"variant"}
    inapplicable |= set() if system == "blsh" else {"target"}
    values = {name: value for name, value in values.items() if name in given or name not in inapplicable}
    known = {field.name for field in fields(Term)}
    if not set(values) <= known:
        raise KeyError(f"unknown key {min(set(values) - known)!r} in a term")
    return Term(**values)
