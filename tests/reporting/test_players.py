import base64
import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from blsh.reporting import players
from blsh.reporting.players import Example, make_players
from tests.reporting.conftest import make_example


def decoded(address):
    kind, _, data = address.partition(";base64,")
    return kind, base64.b64decode(data)


def test_clean_and_mixture_come_first(example):
    [player], n_left_out = make_players([example])
    assert n_left_out == 0
    assert player["title"] == "Rain, one speaker"
    assert [track["label"] for track in player["tracks"]] == ["Clean speech", "Mixture", "BLSH"]


def test_sounds_are_inside_without_loss(example):
    [player], _ = make_players([example])
    kind, data = decoded(player["tracks"][0]["sound"])
    assert kind == "data:audio/flac"
    sound, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    written, _ = soundfile.read(example.clean, dtype="int16")
    assert rate == 16_000
    np.testing.assert_array_equal(sound, written)
    assert len(data) < 2 * len(written)


def test_spectrograms_show_the_tone_where_it_is(tmp_path):
    """A tone of 2 kHz is a line at a quarter of the height from below, and silence is white."""
    samples = np.arange(16_000) / 16_000
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 2000 * samples), 16_000)
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    [player], _ = make_players([Example("x", tmp_path / "tone.wav", tmp_path / "silence.wav", {})])
    tone, silence = (decoded(track["spectrogram"]) for track in player["tracks"])
    assert tone[0] == "data:image/png"
    picture = np.asarray(Image.open(io.BytesIO(tone[1])))
    assert picture.shape[0] == players.PICTURE_ROWS
    assert abs(int(picture[:, 30].argmin()) - 0.75 * len(picture)) < 2
    assert (np.asarray(Image.open(io.BytesIO(silence[1]))) == 255).all()


def test_spectrograms_of_one_utterance_share_their_scale(tmp_path):
    noise = np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(tmp_path / "loud.wav", 0.2 * noise, 16_000)
    soundfile.write(tmp_path / "soft.wav", 0.002 * noise, 16_000, subtype="FLOAT")
    [player], _ = make_players([Example("x", tmp_path / "loud.wav", tmp_path / "soft.wav", {})])
    loud, soft = (np.asarray(Image.open(io.BytesIO(decoded(track["spectrogram"])[1]))) for track in player["tracks"])
    # 40 dB of the 60 that are shown.
    assert np.median(soft) - np.median(loud) == pytest.approx(255 * 40 / 60, abs=8)


def test_at_most_three_utterances_with_eight_systems(tmp_path, example):
    many = Example("x", example.clean, example.mixture, {f"system {n}": example.clean for n in range(9)})
    shown, n_left_out = make_players([many, example, example, example])
    assert [len(player["tracks"]) for player in shown] == [10, 3, 3]
    assert n_left_out == 1


def test_examples_beyond_the_room_are_counted(example, monkeypatch):
    [_], _ = make_players([example])
    monkeypatch.setattr(players, "BYTES_MAX", 120_000)
    shown, n_left_out = make_players([example, example, example])
    assert 1 <= len(shown) < 3
    assert len(shown) + n_left_out == 3


def test_an_example_that_is_not_there_is_named(example):
    example.clean.unlink()
    with pytest.raises(FileNotFoundError, match=r"clean\.wav: the recording of an example is not there"):
        make_players([example])


def test_an_example_that_is_no_sound_is_an_error(tmp_path):
    example = make_example(tmp_path)
    example.mixture.write_text("no sound")
    with pytest.raises(ValueError, match=r"mixture\.flac"):
        make_players([example])
