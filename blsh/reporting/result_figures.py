"""Every figure of a run, made from its summaries."""

from __future__ import annotations

from blsh.reporting.cost_figure import cost_figure
from blsh.reporting.curve_figures import icassp_fig3, taslp_fig3, taslp_fig4
from blsh.reporting.figures import Picture
from blsh.reporting.matrix_figures import article_ssm, icassp_fig2, taslp_fig2, taslp_fig5
from blsh.reporting.rival_figures import rival_figures
from blsh.reporting.summaries import Summaries
from blsh.reporting.training_figures import taslp_fig6

__all__ = ["make_pictures"]

PAPERS_FIGURES = (icassp_fig2, icassp_fig3, taslp_fig2, taslp_fig3, taslp_fig4, taslp_fig5, taslp_fig6)


def make_pictures(summaries: Summaries) -> tuple[Picture, ...]:
    """Make the figures that the run has numbers for: the papers', the web article's, then ours."""
    made = [draw(summaries) for draw in (*PAPERS_FIGURES, article_ssm)]
    made += [*rival_figures(summaries), cost_figure(summaries)]
    return tuple(picture for picture in made if picture is not None)
