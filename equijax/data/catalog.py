"""Data sets by name: ``load``, ``names``, ``describe``."""

import inspect

from equijax.data import graph_separation, images, molecules, registry
from equijax.numerics import check

_LOADERS = {
    "acac": molecules.load_acac,
    "3bpa": molecules.load_3bpa,
    "acetylacetone_gfn2": molecules.load_acetylacetone_gfn2,
    "graph8c": graph_separation.load_graph8c,
    "exp": graph_separation.load_exp,
    "mnist_t10k": images.load_mnist_t10k,
    "usps": images.load_usps,
}


def load(name: str, **options):
    """Load a data set as NumPy arrays in its documented NamedTuple.

    Files are looked for below ``$EQUIJAX_DATA``, then in the user cache (``$EQUIJAX_CACHE`` overrides it),
    then downloaded; each must have its registered SHA-256.

    Args:
      name: one of :func:`names`.
      **options: for molecules ``parts``, the parts to load, for example ``parts=("train_300K",)``; the fields
        of the parts that are left out are None. All of them by default.

    Returns:
      :class:`~equijax.data.AcAc`, :class:`~equijax.data.ThreeBPA` or
      :class:`~equijax.data.AcetylacetoneGFN2`, in units of angstrom and eV; :class:`~equijax.data.Graph8c`;
      :class:`~equijax.data.Exp`; :class:`~equijax.data.DigitImages`.

    Raises:
      ValueError: if there is no such data set or part.
      TypeError: if an option is unknown.
      DataError: if a file is corrupt; DataUnavailableError if it is nowhere to be had.

    Example:
      >>> molecule = load("acetylacetone_gfn2")
      >>> molecule.train_300K
      MolecularFrames(500 frames, 7500 atoms, elements H C O, with energy and forces)
    """
    check.one_of("name", name, names())
    known = inspect.signature(_LOADERS[name]).parameters
    unknown = sorted(set(options) - set(known))
    if unknown:
        taken = f"the option {', '.join(known)}" if known else "no option"
        raise TypeError(f"load({name!r}) takes {taken}, got {', '.join(unknown)}")
    return _LOADERS[name](**options)


def names() -> tuple[str, ...]:
    """Names of the data sets that :func:`load` knows.

    Example:
      >>> names()
      ('acac', '3bpa', 'acetylacetone_gfn2', 'graph8c', 'exp', 'mnist_t10k', 'usps')
    """
    return tuple(_LOADERS)


def describe(name: str) -> str:
    """What a data set holds, where it comes from, its licence, and its parts.

    Raises:
      ValueError: if there is no such data set.

    Example:
      >>> print(describe("3bpa"))
      3bpa: 3-(benzyloxy)pyridin-2-amine (27 atoms), wB97X/6-31G(d): ...
        parts: train_300K, train_mixedT, isolated_energies
        origin: https://github.com/davkovacs/BOTNet-datasets (dataset_3BPA)
        licence: MIT
        cite: Kovacs et al., ...
    """
    check.one_of("name", name, names())
    entry = registry.ENTRIES[name]
    fields = _LOADERS[name].__annotations__["return"]._fields
    return "\n  ".join(
        [
            f"{name}: {entry.summary}",
            f"parts: {', '.join(fields)}",
            f"origin: {entry.origin}",
            f"licence: {entry.licence}",
            f"cite: {entry.citation}",
        ]
    )
