"""Make the embedded data set ``acetylacetone_gfn2``: molecular dynamics of one molecule.

    python -m experiments.tasks.acetylacetone_gfn2 [--output FILE.npz]      (about 15 minutes on one core)

The enol form of acetylacetone (15 atoms) is relaxed and then sampled by Langevin dynamics (time step
1 fs, friction 0.02 / fs) on the GFN2-xTB energy surface (Bannwarth, Ehlert, Grimme, JCTC 2019) as
``tblite`` computes it. Training and validation frames come from one trajectory at 300 K; each test set
comes from a trajectory of its own with another seed, so no test frame is a neighbour in time of a
training frame. A frame is kept every 100 fs, after 2 ps of equilibration. Needs the extra ``simulation``.
"""

import argparse
import pathlib

import numpy as np

# Enol ring O=C-C=C-O-H in the plane z = 0, two methyl groups; angstrom, good enough to relax from.
SYMBOLS = "CCCOOCCHHHHHHHH"
START = [
    [0.00, -1.35, 0.0],
    [1.22, -0.67, 0.0],
    [-1.20, -0.67, 0.0],
    [1.25, 0.58, 0.0],
    [-1.25, 0.65, 0.0],
    [2.52, -1.45, 0.0],
    [-2.49, -1.45, 0.0],
    [-0.42, 1.15, 0.0],
    [0.00, -2.43, 0.0],
    [3.37, -0.78, 0.0],
    [2.57, -2.09, 0.88],
    [2.57, -2.09, -0.88],
    [-3.34, -0.78, 0.0],
    [-2.54, -2.09, 0.88],
    [-2.54, -2.09, -0.88],
]
TRAJECTORIES = {  # name: (temperature in kelvin, seed, number of frames)
    "train_300K": (300.0, 1, 600),
    "test_300K": (300.0, 2, 300),
    "test_600K": (600.0, 3, 300),
}
NUM_TRAIN = 500  # of the 600 frames at 300 K; a block of 100 at the end is for validation
STEP_FS, FRICTION_PER_FS, EQUILIBRATION_STEPS, STRIDE = 1.0, 0.02, 2000, 100


def calculator():
    """GFN2-xTB with a tight self-consistency, so that forces are clean to about 1e-5 eV/angstrom."""
    from tblite.ase import TBLite

    return TBLite(method="GFN2-xTB", accuracy=0.1, verbosity=0)


def relaxed_molecule():
    """The enol minimum, relaxed from :data:`START` to a largest force of 0.005 eV/angstrom."""
    from ase import Atoms
    from ase.optimize import BFGS

    atoms = Atoms(SYMBOLS, positions=np.asarray(START))
    atoms.calc = calculator()
    BFGS(atoms, logfile=None).run(fmax=0.005)
    return atoms


def trajectory(start, temperature: float, seed: int, num_frames: int):
    """Positions, energies and forces of decorrelated frames at a temperature."""
    from ase import units
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import thermalize_momenta
    from tqdm import tqdm

    rng = np.random.RandomState(seed)
    atoms = start.copy()
    atoms.calc = calculator()
    thermalize_momenta(atoms, temperature, rng=rng)
    dynamics = Langevin(
        atoms,
        STEP_FS * units.fs,
        temperature_K=temperature,
        friction=FRICTION_PER_FS / units.fs,
        fixcm=False,  # the exact canonical distribution; the drift of the centre is removed from the frames
        rng=rng,
    )
    dynamics.run(EQUILIBRATION_STEPS)
    positions, energies, forces = [], [], []
    for _ in tqdm(range(num_frames), desc=f"{temperature:.0f} K, seed {seed}"):
        dynamics.run(STRIDE)
        # Labels belong to the stored (float32, centred) coordinates, so they are computed on them.
        frame = atoms.copy()
        frame.positions = (atoms.positions - atoms.positions.mean(0)).astype(np.float32)
        frame.calc = calculator()
        positions.append(frame.positions.astype(np.float32))
        energies.append(frame.get_potential_energy())
        forces.append(frame.get_forces().astype(np.float32))
    return np.stack(positions), np.asarray(energies), np.stack(forces)


def isolated_atom_energies(numbers) -> dict[int, float]:
    """Energy of each element's neutral atom in its ground state multiplicity, in eV."""
    from ase import Atoms
    from tblite.ase import TBLite

    unpaired = {1: 1, 6: 2, 8: 2}
    energies = {}
    for number in sorted(set(int(n) for n in numbers)):
        atom = Atoms(numbers=[number], positions=[[0.0, 0.0, 0.0]])
        atom.calc = TBLite(method="GFN2-xTB", multiplicity=unpaired[number] + 1, verbosity=0)
        energies[number] = float(atom.get_potential_energy())
    return energies


def main(output: pathlib.Path) -> None:
    """Run every trajectory and write the file."""
    start = relaxed_molecule()
    arrays = {"numbers": start.numbers.astype(np.int32)}
    for name, (temperature, seed, num_frames) in TRAJECTORIES.items():
        positions, energies, forces = trajectory(start, temperature, seed, num_frames)
        blocks = {name: slice(None)}
        if name == "train_300K":
            blocks = {"train_300K": slice(0, NUM_TRAIN), "valid_300K": slice(NUM_TRAIN, None)}
        for block, part in blocks.items():
            arrays[f"{block}_positions"] = positions[part]
            arrays[f"{block}_energy"] = energies[part]
            arrays[f"{block}_forces"] = forces[part]
    isolated = isolated_atom_energies(start.numbers)
    arrays["isolated_numbers"] = np.asarray(list(isolated), np.int32)
    arrays["isolated_energies"] = np.asarray(list(isolated.values()))
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(output, **arrays)
    print(f"{output}: {output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = pathlib.Path(__file__).parents[2] / "equijax/data/embedded/acetylacetone_gfn2.npz"
    parser.add_argument("--output", type=pathlib.Path, default=default)
    main(parser.parse_args().output)
