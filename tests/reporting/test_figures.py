import dataclasses

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from blsh.reporting.cost_figure import cost_figure
from blsh.reporting.curve_figures import icassp_fig3, taslp_fig3, taslp_fig4
from blsh.reporting.figures import DARK, FORMATS, LIGHT, picture_bytes, write_picture
from blsh.reporting.matrices import shown_matrices
from blsh.reporting.matrix_figures import article_ssm, icassp_fig2, taslp_fig2, taslp_fig5
from blsh.reporting.result_figures import make_pictures
from blsh.reporting.summaries import Summaries
from blsh.reporting.training_figures import taslp_fig6
from tests.reporting.made_up_scores import RBF, make_every_ssm, make_training


def test_files_and_caption(summaries, tmp_path):
    paths = write_picture(tmp_path, taslp_fig6(summaries))
    assert [path.name for path in paths] == [f"taslp_fig6.{suffix}" for suffix in (*FORMATS, "txt")]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in paths[2].read_bytes()
    assert paths[3].read_text().startswith("Weights β of the boosting rounds (profile authors2022).")


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


@pytest.mark.parametrize(("n_features", "columns"), [(1, 2), (2, 3)])
def test_a_legend_is_no_wider_than_its_figure(summaries, n_features, columns):
    rows = summaries.aggregated
    shown = rows[~rows["feature"].isin(["mel"])] if n_features == 1 else rows
    figure = icassp_fig3(dataclasses.replace(summaries, aggregated=shown)).figure
    [legend] = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width
    assert legend._ncols == columns


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
    assert titles[:3] == ["STFT, L = 10", "STFT, L = 50", "STFT, truth"]
    assert titles[3:] == [title.replace("STFT", "mel") for title in titles[:3]]
    shown = panels[2].get_images()[0].get_array()
    np.testing.assert_array_equal(np.asarray(shown), summaries.ssm["stft/ssm/authors2022/truth"] / 255)


def test_fig2_with_a_panel_missing(summaries):
    fewer = {name: matrix for name, matrix in summaries.ssm.items() if name != "mel/ssm/authors2022/bits_50"}
    picture = icassp_fig2(dataclasses.replace(summaries, ssm=fewer))
    assert len([axes for axes in picture.figure.axes if axes.get_images()]) == 5


def test_fig6_shows_the_range_over_seeds(summaries):
    several = dataclasses.replace(summaries, training=make_training(seeds=3))
    picture = taslp_fig6(several)
    assert "mean over 3 trainings" in picture.caption
    assert len(picture.figure.axes[0].collections) == 2
    assert "one training each" in taslp_fig6(summaries).caption


def titles_of(picture):
    return [axes.get_title() for axes in picture.figure.axes if axes.get_title()]


def curves_of(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_taslp_fig3_has_the_papers_four_panels(summaries):
    picture = taslp_fig3(summaries)
    assert titles_of(picture) == ["(a) STFT, ρ = 0.1", "(b) mel, ρ = 0.1", "(c) STFT, ρ = 0.01", "(d) mel, ρ = 0.01"]
    lines = curves_of(picture.figure.axes[2])
    assert set(lines) == {"LSH", "BLSH", "KNN"}
    rows = summaries.aggregated
    own = rows[(rows["set"] == "open") & (rows["by"] == "all") & (rows["feature"] == "stft") & (rows["rho"] == 0.01)]
    lsh = own[own["system"] == "lsh"].sort_values("n_bits")
    np.testing.assert_array_equal(lines["LSH"].get_ydata(), lsh["delta_sdr"])
    assert set(lines["KNN"].get_ydata()) == {own.loc[own["system"] == "knn", "delta_sdr"].iloc[0]}
    for part in ("10 % and 1 %", "3 repeats", "6 speakers", "36 mixtures"):
        assert part in picture.caption


def test_taslp_fig3_of_a_run_with_one_panel(summaries):
    rows = summaries.aggregated
    fewer = rows[(rows["feature"] != "mel") & (rows["rho"] != 0.01)]
    assert titles_of(taslp_fig3(dataclasses.replace(summaries, aggregated=fewer))) == ["(a) STFT, ρ = 0.1"]


def test_taslp_fig4_compares_targets_on_stft(full_summaries):
    picture = taslp_fig4(full_summaries)
    assert titles_of(picture) == ["(a) ρ = 0.1", "(b) ρ = 0.01"]
    lines = curves_of(picture.figure.axes[0])
    assert list(lines) == ["SSM", "RBF, σ² = 0.9", "RBF, σ² = 0.5", "RBF, σ² = 0.1"]
    assert len({line.get_marker() for line in lines.values()}) == 4
    ends = [line.get_ydata()[-1] for line in lines.values()]
    assert ends == sorted(ends, reverse=True)


def test_taslp_fig4_needs_an_rbf_target(summaries):
    assert taslp_fig4(summaries) is None


def test_taslp_fig2_and_the_articles_pictures(full_summaries):
    assert titles_of(taslp_fig2(full_summaries)) == ["L = 10", "L = 50", "L = 300", "truth"]
    assert titles_of(article_ssm(full_summaries)) == ["truth", "1 bit", "5 bits", "100 bits", "pair weights, 5 bits"]


def test_taslp_fig5_has_targets_above_and_codes_below(full_summaries):
    picture = taslp_fig5(full_summaries)
    names = ("STFT", "mel", "RBF, σ² = 0.5", "RBF, σ² = 0.1")
    assert titles_of(picture) == [f"{name}, {row}" for row in ("target", "codes") for name in names]
    shown = picture.figure.axes[7].get_images()[0]
    matrix = full_summaries.ssm["stft/rbf-0.1/authors2022/weighted"]
    np.testing.assert_array_equal(np.asarray(shown.get_array()), matrix / 255)
    assert shown.get_clim() == (0, 1)
    assert "divided by the sum of β" in picture.caption


def test_taslp_fig5_and_the_article_need_their_matrices(summaries):
    assert taslp_fig5(summaries) is None
    assert article_ssm(summaries) is None


def test_taslp_fig6_has_a_line_for_each_model(full_summaries):
    lines = curves_of(taslp_fig6(full_summaries).figure.axes[0])
    assert list(lines) == ["STFT", *(f"STFT, RBF, σ² = {target[4:]}" for target in RBF), "mel"]
    looks = {(line.get_marker(), line.get_color()) for line in lines.values()}
    assert len(looks) == 5


def test_costs_are_drawn_beside_their_memory(summaries):
    costs = pd.DataFrame(
        [("score", 9, 600.0, 800.0), ("draw", 1, 30.0, np.nan)], columns=["rule", "jobs", "seconds", "peak_mb"]
    )
    picture = cost_figure(dataclasses.replace(summaries, costs=costs))
    times, memory = picture.figure.axes
    assert [label.get_text() for label in times.get_yticklabels()] == ["score (9 jobs)", "draw (1 job)"]
    assert [bar.get_width() for bar in times.patches] == [10.0, 0.5]
    assert [bar.get_width() for bar in memory.patches] == [800.0, 0.0]
    assert [text.get_text() for text in memory.texts] == ["800", ""]


def test_matrices_that_no_figure_shows_are_not_kept(full_summaries):
    computed = dict(make_every_ssm(size=20))
    truth = computed["stft/ssm/authors2022/truth"]
    further = ("bits_200", "pair_weights_1", "pair_weights_300")
    computed |= {f"{model}/authors2022/{kind}": truth for model in ("stft/ssm", "mel/ssm") for kind in further}
    computed |= {"stft/rbf-0.5/authors2022/bits_10": truth, "stft/rbf-0.9/authors2022/weighted": truth}
    kept = shown_matrices(computed)
    assert set(computed) - set(kept) == {
        *(f"{model}/authors2022/{kind}" for model in ("stft/ssm", "mel/ssm") for kind in further),
        "stft/rbf-0.5/authors2022/bits_10",
        "stft/rbf-0.9/authors2022/weighted",
    }


def test_a_run_with_other_lengths_keeps_what_it_has():
    truth = np.zeros((3, 3), np.uint8)
    computed = {f"stft/ssm/p/{kind}": truth for kind in ("truth", "bits_7", "pair_weights_7", "pair_weights_20")}
    assert set(shown_matrices(computed)) == {f"stft/ssm/p/{kind}" for kind in ("truth", "bits_7", "pair_weights_7")}


def test_every_picture_says_what_it_shows(full_summaries):
    pictures = make_pictures(full_summaries)
    assert [picture.name for picture in pictures] == [
        "icassp_fig2",
        "icassp_fig3",
        "taslp_fig2",
        "taslp_fig3",
        "taslp_fig4",
        "taslp_fig5",
        "taslp_fig6",
        "article_ssm",
        "rivals_stft",
        "cost",
    ]
    for picture in pictures:
        assert picture.caption.endswith("."), picture.name
        assert len(picture.alt) > 40, picture.name
        assert "nan" not in picture.caption + picture.alt, picture.name


def test_nothing_to_draw(summaries):
    assert make_pictures(Summaries()) == ()
    rule = dataclasses.replace(summaries, training=summaries.training.assign(beta=np.nan))
    assert taslp_fig6(rule) is None
