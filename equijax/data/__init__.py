"""Data sets (found, verified, parsed) and the container of molecular frames.

Everything here is NumPy on the host. Names load when they are first used: ``ase`` and ``pooch`` cost only
those who read a file or download one.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "catalog": ["describe", "load", "names"],
        "errors": ["DataError", "DataUnavailableError"],
        "frames": ["MolecularFrames", "split_isolated_atoms"],
        "graph_separation": ["Exp", "Graph8c"],
        "images": ["DigitImages"],
        "molecules": ["AcAc", "AcetylacetoneGFN2", "ThreeBPA"],
        "store": ["cache_folder"],
        "xyz": ["read_xyz", "write_xyz"],
    },
)
