"""Whom the shipped model credits, and what its commands draw; the commands themselves take minutes of recordings."""

from benchmarks import model_bytes, shipped_model
from blsh.denoising.mask_store import N_MASK_BYTES
from blsh.denoising.model_file import DEFAULT_MODEL, load_model
from tests.denoising.making import small_model

CREDITS = """
- **[1-100-A.ogg](https://x/1-100-A.ogg)**:    clip derived from [a bark.wav](http://y/1/) by *nfrae* ([CC0](http://cc/zero/))
- **[1-200-B.ogg](https://x/1-200-B.ogg)**: clip derived from [b.aiff](http://y/2/) by *some.one* ([CC-BY](http://cc/by/3.0/))
- **[2-300-A.ogg](https://x/2-300-A.ogg)**: clip derived from [c.wav](http://y/3/) by *z* ([CC-Sampling+](http://cc/sampling+/))
"""


def test_credits_are_of_open_licences_only(tmp_path):
    (tmp_path / "ATTRIBUTION.md").write_text(CREDITS, encoding="utf-8")
    assert shipped_model.read_credits(tmp_path / "ATTRIBUTION.md") == {
        "1-100-A": "1-100-A: a bark.wav by nfrae, CC0 1.0, http://y/1/",
        "1-200-B": "1-200-B: b.aiff by some.one, CC BY 3.0, http://y/2/",
    }


def test_the_shipped_model_is_the_chosen_one_and_credits_every_recording():
    model = load_model()
    assert DEFAULT_MODEL.stat().st_size <= 2_000_000
    chosen = (model.n_bits, model.n_rows, model.masks.bands)
    assert chosen == tuple(shipped_model.CHOICE[name] for name in ("n_bits", "n_rows", "bands"))
    assert [(source.name, source.licence) for source in model.sources] == [
        ("LibriSpeech ASR corpus", "CC BY 4.0"),
        ("ESC-10", "CC BY 3.0"),
    ]
    credited = " ".join(model.sources[1].attributions)
    clips = {recording.id for recording in model.origins.recordings if recording.corpus == "noise"}
    assert len(clips) > 100 and all(f"{clip}: " in credited for clip in clips)
    classes = {recording.noise_class for recording in model.origins.recordings} - {""}
    assert not classes & {"rain", "sea_waves", "helicopter"}  # the open set's
    for score in model.scores:
        assert score.sdr > score.sdr_constant and score.sdr > score.sdr_mixture


def test_the_bytes_of_a_model_are_those_of_its_file():
    for bands in model_bytes.STORES.values():
        assert bands is None or sum(bands) == N_MASK_BYTES
    model = small_model(n_rows=500)
    expected = sum(array.nbytes for array in model.arrays().values()) + 3 * 500 + 190_000
    assert model_bytes.model_bytes(model) == expected
    shipped = load_model()
    without_origins = sum(array.nbytes for name, array in shipped.arrays().items() if not name.startswith("origin_"))
    assert abs(without_origins + 3 * shipped.n_rows + 190_000 - DEFAULT_MODEL.stat().st_size) < 40_000
