"""Families: leaves whose permutation may differ from layer to layer of a stack, or from head to head.

Two axes of one array may be permuted jointly, ``(h, i) -> (h, p[h][i])``, if every operation keeps ``i`` and
``h`` together: whichever array the loop variable of ``i`` runs over, one and the same loop variable of ``h``
runs over, too. The leaf of ``i`` is then a family over the leaf of ``h``. Layers under `jax.lax.scan` are
families over the scanned axis, and the features of attention heads over the heads.
"""

from equijax.weights.nest import Nest, Traced
from equijax.weights.occurrences import Key, Occurrences


def families(occurrences: Occurrences, parameters: list[Traced], leaves: set[int]) -> dict[int, set[int]]:
    """For each leaf, the leaves that it is a family over.

    Args:
      occurrences: of the finished walk.
      parameters: the traced parameters.
      leaves: the leaves that are asked about.

    Example:
      >>> import jax, numpy as np
      >>> from equijax.weights.propagation import Propagation
      >>> def layers(w, v, x):
      ...     return jax.lax.scan(lambda x, wv: (jax.numpy.tanh(x @ wv[0]) @ wv[1], None), x, (w, v))[0]
      >>> walk, arrays = Propagation(), (np.ones((2, 3, 4)), np.ones((2, 4, 3)), np.ones(3))
      >>> w, v, x = (walk.data(a.shape) for a in arrays)
      >>> _ = walk.run(jax.make_jaxpr(layers)(*arrays), [w, v, x])
      >>> found = Occurrences(walk)
      >>> hidden, layer = (found.leaves(axis)[0].leaf for axis in (w.axes[2], w.axes[0]))
      >>> families(found, [w, v], {hidden}) == {hidden: {layer}}
      True
    """
    candidates = {leaf: None for leaf in leaves}
    for array in parameters:
        held = occurrences.of(array)
        for key, each in held.items():
            if each.leaf in candidates:
                around = set(_around(occurrences, array, key))
                known = candidates[each.leaf]
                candidates[each.leaf] = around if known is None else known & around
    candidates = {leaf: around - {leaf} for leaf, around in candidates.items() if around}
    users: dict[int, list[Nest]] = {leaf: [] for leaf, around in candidates.items() if around}
    for nest in occurrences.nests if users else ():
        for leaf in {run.leaf for run in occurrences.runs(nest)} & users.keys():
            users[leaf].append(nest)
    return {
        leaf: {base for base in candidates[leaf] if all(_together(occurrences, n, leaf, base) for n in nests)}
        for leaf, nests in users.items()
    }


def _around(occurrences: Occurrences, array: Traced, key: Key) -> dict[int, Key | None]:
    """The leaves that vary with an occurrence, with their keys; None for one that stands there twice."""
    held = occurrences.of(array)
    paths = {(k[0], each.path): k for k, each in held.items()}
    own = [paths.get((key[0], path)) for _, path in held[key].siblings]
    own += [k for k, each in held.items() if k[0] != key[0] and len(each.path) == 1]
    found: dict[int, Key | None] = {}
    for k in own:
        if k is not None:
            leaf = held[k].leaf
            found[leaf] = None if leaf in found else k
    return found


def _together(occurrences: Occurrences, nest: Nest, leaf: int, base: int) -> bool:
    """Whether every loop variable of the leaf always runs with one of the base."""
    runs = list(occurrences.runs(nest))
    variables: dict[tuple[int, Key], set] = {}
    for run in runs:
        for array, key in run.places:
            variables.setdefault((id(array), key), set()).add(run.name)
    for run in runs:
        if run.leaf == -1 and any(occurrences.of(a)[k].leaf in (leaf, base) for a, k in run.places):
            return False
        if run.leaf != leaf:
            continue
        partners = set()
        for array, key in run.places:
            partner = _around(occurrences, array, key).get(base)
            if partner is None:
                return False
            partners.add(frozenset(variables.get((id(array), partner), ())))
        if len(partners) != 1 or len(next(iter(partners))) != 1:
            return False
    return True
