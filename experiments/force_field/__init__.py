"""A force field for molecules, equivariant by construction and proved to be, against Clebsch-Gordan products.

    python -m experiments run force_field                    (preset small: about 7 minutes on two cores)
    python -m experiments run force_field --preset acac      (about an hour; needs the AcAc data set)
    python -m experiments run force_field --data mine.xyz    (your own molecules, with energies and forces)
    python -m experiments predict --workdir runs/force_field/small --data new.xyz --output out.xyz

Trains an interatomic potential with Gaunt tensor products (Luo, Chen, Krishnapriyan, "Enabling Efficient
Equivariant Operations in the Fourier Basis via Gaunt Tensor Products", ICLR 2024) and the same architecture
with Clebsch-Gordan products (e3nn-jax; MACE's symmetric contraction), tests both on molecules at the
training temperature and on hotter ones, audits the symmetry of what was trained, and runs molecular dynamics
with it. The potential is in the run's folder as ``potential.npz``, for `equijax.simulation`.

Expected on the embedded data, Gaunt potential: force RMSE 11 meV/Å at 300 K and 31 at 600 K, energy RMSE 2.4
and 6.2 meV; on AcAc 11 and 38 meV/Å, 2.1 and 8.0 meV. The other numbers are in EXPERIMENTS.md.
"""

from experiments.force_field.config import PRESETS, Config
from experiments.force_field.predict import predict
from experiments.force_field.run import run

COMMANDS = {"predict": predict}

__all__ = ["COMMANDS", "PRESETS", "Config", "run"]
