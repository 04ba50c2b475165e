import numpy as np
import pytest
import yaml

from blsh.denoising.architectures import NETWORKS, TABLED
from blsh.reporting.claims import Claim, Term, Threshold, load_claims, parse_claims
from blsh.reporting.printed_numbers import load_printed

ENTRY = """
- id: better
  statement: One is better
  source: here
  each: {feature: [stft, mel], rho: [0.1]}
  statistic: difference
  left: [{system: blsh, n_bits: 50}]
  right: [{system: mixture}]
  threshold: {above: 0}
  test: bootstrap
"""


def test_the_packaged_claims_are_read():
    claims = load_claims()
    assert len(claims) == len({claim.id for claim in claims}) > 140
    assert all(claim.statement and claim.source for claim in claims)
    assert {claim.statistic for claim in claims} == {
        "difference",
        "smallest_lead",
        "mean_lead",
        "crossing",
        "spread",
        "beta_fall",
        "beta_ratio",
    }


def test_every_system_feature_and_set_of_the_packaged_claims_is_known():
    without_feature = ("mixture", "ibm", *NETWORKS)
    networks = [(one.system, one.variant) for one in TABLED]
    for claim in load_claims():
        for term in claim.terms:
            assert term.system in ("knn", "lsh", "blsh", *without_feature), claim.id
            assert term.set in ("open", "closed", "voicebank"), claim.id
            assert (term.feature == "") == (term.system in without_feature), claim.id
            assert (term.variant == "") == ((term.system, term.variant) not in networks), claim.id
            assert (term.snr_db is None) == (term.set == "voicebank"), claim.id
            if claim.test == "bootstrap":
                assert (term.rho == 0) == (term.system in without_feature), claim.id


def test_the_papers_own_tables_bear_the_claims_out():
    """Those that their tables contradict are restricted or say so in a note; a threshold of another claim is a slip."""
    printed = load_printed()
    printed = printed[~printed["is_slip"]]
    found = {claim.id: _printed_margin(claim, printed) for claim in load_claims() if claim.statistic == "difference"}
    margins = {name: margin for name, margin in found.items() if margin is not None}
    assert len(margins) > 70
    assert {name for name, margin in margins.items() if margin <= 0} == {"mel-blsh-no-higher-estoi-at-snr-5-0.01"}


def _printed_margin(claim, printed):
    """The claim's worst margin on the printed numbers, None where a term was not printed."""
    margins = []
    for metric in claim.metrics:
        values = []
        for term in claim.terms:
            rows = printed[(printed["system"] == term.system) & (printed["variant"] == term.variant)]
            rows = rows[(rows["set"] == term.set) & (rows["column"] == metric) & (rows["rho"] == term.rho)]
            rows = rows[(rows["n_bits"] == (term.n_bits or 0)) & (rows["source"] != "W")]
            rows = rows if term.snr_db is None else rows[rows["snr_db"] == term.snr_db]
            rows = rows[rows["feature"].isin([term.feature, "stft"] if term.system in NETWORKS else [term.feature])]
            if len(rows) == 0 or term.target not in (None, "ssm") or term.noise:
                return None
            # Where both papers print a cell the claim's first source is meant.
            own = rows[rows["source"] == claim.source[:3]]
            values.append((own if len(own) else rows)["printed"].iloc[0] / (100 if metric == "estoi" else 1))
        left, right = values[: len(claim.left)], values[len(claim.left) :]
        margins.append(claim.threshold.margin(sum(left) - sum(right)))
    return min(margins)


def test_each_gives_systems_only_what_they_have():
    entry = yaml.safe_load(ENTRY)[0] | {"each": {"variant": ["3x256", "2x64"], "target": ["rbf-0.5"], "snr_db": [-5]}}
    entry |= {"left": [{"system": "fc"}], "right": [{"system": "blsh", "feature": "stft", "rho": 0.1, "n_bits": 300}]}
    first, _ = parse_claims(yaml.safe_dump([entry]), "x.yaml")
    assert first.id == "better-3x256"
    assert first.left == (Term("fc", snr_db=-5, variant="3x256"),)
    assert first.right == (Term("blsh", snr_db=-5, feature="stft", rho=0.1, n_bits=300, target="rbf-0.5"),)


def test_values_are_named_in_statement_and_id():
    entry = yaml.safe_load(ENTRY)[0] | {"each": {"snr_db": [-5, 5], "target": ["rbf-0.5", "ssm"]}}
    entry |= {"left": [{"system": "blsh", "feature": "stft", "rho": 0.1, "n_bits": 300}]}
    claims = parse_claims(yaml.safe_dump([entry]), "x.yaml")
    assert [claim.id for claim in claims] == ["better-m5-rbf-0.5", "better-m5-ssm", "better-5-rbf-0.5", "better-5-ssm"]
    assert claims[0].statement == "One is better (−5 dB, RBF, σ² = 0.5)"
    assert str(claims[0].left[0]) == "blsh stft rbf-0.5 rho=0.1 L=300 on open at -5 dB"


def test_each_makes_one_claim_of_every_combination():
    first, second = parse_claims(ENTRY, "x.yaml")
    assert (first.id, second.id) == ("better-stft", "better-mel")
    assert second.statement == "One is better (mel)"
    assert second.left == (Term("blsh", feature="mel", rho=0.1, n_bits=50),)
    assert second.right == (Term("mixture"),)  # a control has no feature and no ρ


@pytest.mark.parametrize(
    ("threshold", "statistic", "margin"),
    [
        (Threshold("above", (1.0,)), 1.5, 0.5),
        (Threshold("at_most", (0.1,)), 0.3, -0.2),
        (Threshold("within", (75.0, 150.0)), 100.0, 25.0),
        (Threshold("within", (75.0, 150.0)), 160.0, -10.0),
        (Threshold("within", (75.0, 150.0)), np.inf, -np.inf),
    ],
)
def test_margins(threshold, statistic, margin):
    assert threshold.margin(statistic) == pytest.approx(margin)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statistic": "median"}, r"better-stft: statistic='median' is none of difference"),
        ({"test": "seeds"}, r"test='seeds' does not fit difference"),
        ({"metrics": ["mos"]}, r"metric='mos' is none of sdr"),
        ({"threshold": {"near": 1}}, r"threshold 'near' is none of above"),
        ({"threshold": {"within": [1]}}, r"threshold within takes 2 numbers, not 1"),
        ({"rounds": [1, 20]}, r"rounds belong to the statistic beta_ratio"),
        ({"statistic": "smallest_lead"}, r"smallest_lead is over all L; take n_bits out"),
        ({"colour": "red"}, r"x\.yaml: claim 'better': .*colour"),
        ({"left": [{"system": "blsh", "bits": 3}]}, r"x\.yaml: claim 'better': .*unknown key 'bits'"),
    ],
)
def test_wrong_entries_are_errors(change, message):
    entry = yaml.safe_load(ENTRY)[0] | change
    with pytest.raises(ValueError, match=message):
        parse_claims(yaml.safe_dump([entry]), "x.yaml")


def test_two_claims_with_one_id_are_an_error():
    with pytest.raises(ValueError, match=r"x\.yaml: two claims have the id 'better-mel'"):
        parse_claims(ENTRY + ENTRY, "x.yaml")


def test_a_lead_needs_two_curves():
    with pytest.raises(ValueError, match="mean_lead takes 1 left and 1 right terms"):
        Claim("a", "b", "c", "mean_lead", (Term("lsh"),), (), Threshold("above", (0.0,)), "bootstrap")
