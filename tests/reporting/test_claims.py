import numpy as np
import pytest
import yaml

from blsh.reporting.claims import Claim, Term, Threshold, load_claims, parse_claims

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
    assert len(claims) == len({claim.id for claim in claims}) > 40
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
    for claim in load_claims():
        for term in claim.terms:
            assert term.system in ("mixture", "ibm", "knn", "lsh", "blsh"), claim.id
            assert term.set in ("open", "closed"), claim.id
            controls = ("mixture", "ibm")
            assert (term.feature == "") == (term.system in controls), claim.id
            if claim.test == "bootstrap":
                assert (term.rho == 0) == (term.system in controls), claim.id


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
