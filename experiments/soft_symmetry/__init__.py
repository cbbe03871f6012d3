"""Symmetry that is only approximate: penalties that find out which groups hold, against hard and soft layers.

    python -m experiments run soft_symmetry                    (preset small: about 10 minutes on two cores)
    python -m experiments run soft_symmetry --preset smoke     (20 seconds)
    python -m experiments run soft_symmetry --families         (the convex miniature alone, 20 seconds)

Kim, Lee, Yang, Lee, "Regularizing towards soft equivariance under mixed symmetries", ICML 2023 (PER): a
network with free weights, one projection residual a candidate group in the loss, and strengths that are
balanced by the residuals, once (as in the paper) or again and again. Against it: networks that are
equivariant by construction (EMLP, to the whole group or to the one that holds), residual pathway priors, an
MLP, and one averaged over frames. Tasks: tensors of inertia with columns scaled, cosine similarities,
distances, trajectories in a weak field; and a linear miniature in closed form
(`experiments.soft_symmetry.convex`).

Expected. Convex: balancing again and again is as good as knowing the group (error of the weights 0.0028 from
six samples, against 0.024 balanced once, 0.16 with equal strengths, 0.35 with ridge). Inertia without one
column, test MSE (best constant 6.8): EMLP of the true group 0.95, RPP 1.1, PER 1.4 balanced once and 1.3
repeatedly (two seeds, ± 0.7), without penalty 2.3, EMLP of O(3) 7.7. Trajectories (x 1e-3): PER, RPP and
EMLP of the true group 76 to 77, MLP 80, EMLP of O(3) 119. PER is the best method on no task: where O(3) holds
exactly or is broken a little, RPP is (0.5 and 0.8, PER 2.3 and 1.9). Distances in homogeneous coordinates: a
strong penalty leaves the constant.
"""

from experiments.soft_symmetry.config import PRESETS, Config
from experiments.soft_symmetry.run import run

__all__ = ["PRESETS", "Config", "run"]
