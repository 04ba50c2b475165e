"""From score tables to what people read: summaries, claims, tables, figures, the report.

The way is ``scores`` → ``aggregation``, ``verdicts``, ``sizes`` → ``summaries`` → ``results`` (``result_tables``,
``result_figures``, ``pages``); ``comparison`` sets two runs side by side. Modules are imported by their own names,
so that reading a score table does not load the plotting library.
"""
