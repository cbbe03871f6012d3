"""Are two trained networks one valley, up to the order of their neurons? Matching, barriers, and why.

    python -m experiments run mode_connectivity                  (preset small: about 10 minutes on two cores)
    python -m experiments run mode_connectivity --preset smoke   (20 seconds)

Ito, Yamada & Kumagai, "Analysis of linear mode connectivity via permutation-based weight matching", ICLR
2025. Triples of networks are trained on digits; two of each are matched to the first, by weights, by
activations, and by learnt permutations (straight-through: Ainsworth, Hayase & Srinivasa 2023; Sinkhorn: Peña
et al. 2023). Measured are the loss barrier, the third side of the triangle, what Taylor's theorem says of it,
the agreement R of singular vectors, and merged networks, with calibrated temperatures, too.

Expected, for perceptrons of width 64 and 256: matching by weights shortens the distance by 18% and 13%,
raises R (threshold 0.3) from 0.02 and 0.01 to 0.26 and 0.19, and lowers the barrier of the test loss from 2.0
and 0.9 to 0.3 and 0.1, where Taylor's theorem says 0.08 and 0.01 (of the training loss); the third side falls
from 1.7 and 0.9 to 0.65 and 0.4. On these data activation matching and learnt permutations have lower
barriers (Sinkhorn: 0.04 and 0.02) and lower third sides than weight matching, with R as large
(straight-through) or smaller: what the paper says of straight-through estimation does not show here.
"""

from experiments.mode_connectivity.config import PRESETS, Config
from experiments.mode_connectivity.run import run

__all__ = ["PRESETS", "Config", "run"]
