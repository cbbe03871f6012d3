"""Frame averaging: any backbone made equivariant, on hard graphs, surfaces and charged particles.

    python -m experiments run frame_averaging                  (preset small: about 10 minutes on two cores)
    python -m experiments run frame_averaging --preset smoke   (25 seconds)

Puny et al., "Frame averaging for invariant and equivariant network design", ICLR 2022, with what came after
it: weighted, stochastic and minimal frames. Five parts, of which ``--parts`` chooses:

- `separation`: pairs of graphs that networks with random parameters cannot tell apart (all connected graphs
  on eight nodes, pairs of EXP), and the control that makes it mean something: relabelled copies that they do.
- `classification`: EXP with a linear model and with GIN+ID, all graphs relabelled at random.
- `normals`: normals of surfaces, trained and tested upright or turned.
- `particles`: charged particles, against augmentation, EGNN and no symmetry.
- `stability`: the slope of averages at a cloud of equal variances, and the error of stochastic averages.

The presets small and full read the data sets ``graph8c`` and ``exp``, see `equijax.data.load`.

Expected: minimal frames separate all of GRAPH8C and EXP and never tell a graph from its copy; spectral frames
do so where the whole frame is averaged (94% of GRAPH8C, none of EXP); random orders separate all and tell
copies apart as well. Labels of EXP, relabelled: 99% by a linear model of sorted graphs and 95% to 99% by
GIN+ID with frames, 50% without; 99% by the order of the file alone. FA-PointNet has one error in I/I and
I/SO(3). Particles: FA-GNN and latent FA-GNN below EGNN, all below the plain network. Slopes at equal
variances: 74,000 for averages over principal axes at a step of 1e-5, 1.2 over weighted pairs at any step.
"""

from experiments.frame_averaging.config import PRESETS, Config
from experiments.frame_averaging.run import run

__all__ = ["PRESETS", "Config", "run"]
