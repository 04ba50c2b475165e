"""An experiment: its configuration, the grid of jobs that follows from it, its seeds and its provenance."""
