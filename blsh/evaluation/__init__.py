"""Scores of denoised speech against its clean reference, at 16 kHz.

`blsh.evaluation.bss_eval`
    `factor_references`, `bss_eval`: SDR, SIR and SAR of many estimates of one utterance.
`blsh.evaluation.metrics`
    `si_sdr`, `pesq_wideband`, `estoi` of one estimate.
`blsh.evaluation.scoring`
    One system on one set, as a table.

What cannot be computed is NaN with its reason in words, never an exception; a wrong shape or type is one.
"""
