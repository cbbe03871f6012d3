"""What all benchmarks share: timing, reports, figures, the command line. A benchmark is a file beside it."""
