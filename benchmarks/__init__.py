"""Speed against named peers: equal work, one process, methods in turns (``python -m benchmarks``)."""
