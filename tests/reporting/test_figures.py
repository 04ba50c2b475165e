import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from blsh.reporting.figures import DARK, FORMATS, LIGHT, picture_bytes, write_picture
from blsh.reporting.result_figures import icassp_fig2, icassp_fig3, make_pictures, taslp_fig6
from blsh.reporting.summaries import Summaries
from tests.reporting.made_up_scores import make_training


def test_files_and_caption(summaries, tmp_path):
    paths = write_picture(tmp_path, taslp_fig6(summaries))
    assert [path.name for path in paths] == [f"taslp_fig6.{suffix}" for suffix in (*FORMATS, "txt")]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in paths[2].read_bytes()
    assert paths[3].read_text().startswith("Weights β of the boosting rounds (target ssm, profile authors2022).")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("make", [icassp_fig2, taslp_fig6])
def test_same_values_give_the_same_bytes(summaries, make, suffix):
    assert picture_bytes(make(summaries), suffix) == picture_bytes(make(summaries), suffix)


def test_no_settings_of_matplotlib_are_left_changed(summaries):
    before = dict(mpl.rcParams)
    picture_bytes(taslp_fig6(summaries), "svg")
    assert dict(mpl.rcParams) == before


def test_fig3_draws_what_was_scored(summaries):
    picture = icassp_fig3(summaries)
    stft, mel = picture.figure.axes
    assert (stft.get_title(), mel.get_title()) == ("STFT features", "mel features")
    assert (stft.get_xlabel(), stft.get_ylabel()) == ("number of bits, L", "SDR (dB)")
    lines = {line.get_label(): line for line in mel.get_lines()}
    rows = summaries.aggregated
    own = rows[(rows["set"] == "open") & (rows["by"] == "all") & (rows["system"] == "blsh")]
    own = own[(own["feature"] == "mel") & (own["rho"] == 0.01)].sort_values("n_bits")
    np.testing.assert_array_equal(lines["BLSH, ρ = 0.01"].get_xdata(), own["n_bits"])
    np.testing.assert_array_equal(lines["BLSH, ρ = 0.01"].get_ydata(), own["sdr"])
    knn = rows[(rows["set"] == "open") & (rows["by"] == "all") & (rows["system"] == "knn")]
    knn = knn[(knn["feature"] == "mel") & (knn["rho"] == 0.1)]
    assert set(lines["KNN, ρ = 0.1"].get_ydata()) == {knn["sdr"].iloc[0]}
    for part in ("10 % and 1 %", "3 repeats", "6 speakers", "36 mixtures"):
        assert part in picture.caption


def test_lines_differ_without_colour(summaries):
    lines = [line for line in icassp_fig3(summaries).figure.axes[0].get_lines() if "ρ" in line.get_label()]
    looks = {(str(line._dash_pattern), line.get_marker(), line.get_markerfacecolor() == "white") for line in lines}
    assert len(looks) == len(lines) == 6
    # Lightness (CIE luma) of the two colours is far apart.
    dark, light = (np.dot((0.2126, 0.7152, 0.0722), np.power(to_rgb(colour), 2.2)) for colour in (DARK, LIGHT))
    assert light - dark > 0.25


def test_fig3_of_a_partial_run_names_every_line(partial_summaries):
    [legend] = icassp_fig3(partial_summaries).figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert sorted(names) == sorted(f"{name}, ρ = {rho}" for name in ("LSH", "BLSH", "KNN") for rho in (0.1, 0.01))


def test_fig2_puts_the_truth_last(summaries):
    panels = [axes for axes in icassp_fig2(summaries).figure.axes if axes.get_title()]
    titles = [axes.get_title() for axes in panels]
    assert titles[:4] == ["STFT, L = 10", "STFT, L = 50", "STFT, L = 300", "STFT, truth"]
    assert titles[4:] == [title.replace("STFT", "mel") for title in titles[:4]]
    shown = panels[3].get_images()[0].get_array()
    np.testing.assert_array_equal(np.asarray(shown), summaries.ssm["stft/ssm/authors2022/truth"] / 255)


def test_fig2_with_a_panel_missing(summaries):
    fewer = {name: matrix for name, matrix in summaries.ssm.items() if name != "mel/ssm/authors2022/bits_50"}
    picture = icassp_fig2(dataclasses.replace(summaries, ssm=fewer))
    assert len([axes for axes in picture.figure.axes if axes.get_images()]) == 7


def test_fig6_shows_the_range_over_seeds(summaries):
    several = dataclasses.replace(summaries, training=make_training(seeds=3))
    picture = taslp_fig6(several)
    assert "mean over 3 trainings" in picture.caption
    assert len(picture.figure.axes[0].collections) == 2
    assert "one training each" in taslp_fig6(summaries).caption


def test_nothing_to_draw(summaries):
    assert make_pictures(Summaries()) == ()
    rule = dataclasses.replace(summaries, training=summaries.training.assign(beta=np.nan))
    assert taslp_fig6(rule) is None
