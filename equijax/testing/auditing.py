"""`audit`: which sub-module of a Flax module breaks a symmetry.

If a module is equivariant by construction, then every intermediate result transforms by *some*
representation,
even if nobody wrote down which: y(g x) = D_g y(x) with a matrix D_g that does not depend on x. The audit
evaluates the module at many inputs before and after a few group elements moved them, fits D_g for each output
of each sub-module, and tests the fit on inputs held out.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from equijax.equivariance import signature
from equijax.groups import Group, Trivial, act
from equijax.numerics import check
from equijax.testing import capture, relations
from equijax.testing.elements import Kind, kinds, sample
from equijax.testing.report import SYMMETRIC, AuditReport, Call

DEFAULT_RTOL = {"float32": 2e-3, "float64": 1e-7}
"""Relative residuals that count as zero."""

_FEWEST_SAMPLES = 64
_BATCH = 16


def audit(
    module,
    variables,
    group: Group,
    in_reps,
    *args,
    key: Array | None = None,
    num_samples: int | None = None,
    num_elements: int = 3,
    spread: float = 1.0,
    rtol: float | None = None,
    points: bool = False,
    perturb_zeros: bool = True,
    method=None,
    rngs=None,
    kwargs=None,
) -> AuditReport:
    """Find the first sub-module whose output stops being a linear function of its output before the inputs
    moved.

    The elements of each factor of the group, and the rotations and translations of rigid motions, are tried
    separately. Inputs are the given ones plus normal noise of the same size, moved by random group elements.
    For each
    output and element, the map D_g is fitted by least squares: on the whole output if the samples suffice,
    and as a matrix that acts on some of its axes and is shared by the others (nodes, channels, batch). For
    permutations of points, D_g must be a permutation of the entries. An additive constant does not count as
    linear: a bias on a vector is found, a bias on an invariant is none. If the inputs of the failing call are
    broken already, operations of its parent did it, and the parent is named.

    What it cannot see: a component-wise *linear* map on a vector (its output is a linear function, of another
    representation; the next operation that is not linear is then named), and anything at outputs that are no
    floating or complex arrays. Sub-modules below a lifted transformation are seen if it keeps intermediates
    (``nn.scan`` and ``nn.vmap`` need ``variable_axes={"intermediates": 0, ...}``); else the report lists them
    and names a failure of theirs where it leaves the transformation.

    Args:
      module: an unbound Flax linen module.
      variables: its variables.
      group: the group.
      in_reps: signature of the arguments, a prefix of ``args``.
      *args: the module's positional arguments. Floating leaves are varied, except those under a bare
        `equijax.groups.Trivial`; all others (species, masks, topology) stay, though the group acts on them.
      key: a JAX random key; ``jax.random.key(0)`` if None.
      num_samples: how many inputs; by default enough for outputs of up to 128 entries, and at least 64.
      num_elements: how many group elements of each kind.
      spread: size of the noise, relative to the root mean square of each leaf (about its centroid, for
        points).
      rtol: residual, relative to the size of each entry, that counts as zero; by default 2e-3 in float32 and
        1e-7 in float64.
      points: whether outputs may move by a shift under translations, as positions do.
      perturb_zeros: whether to replace parameters that are all zero, such as biases after initialisation, by
        random numbers: a bias breaks a symmetry only when it is trained. The report lists them.
      method: the method to run, ``__call__`` by default.
      rngs: random keys for ``module.apply``.
      kwargs: keyword arguments of the method, such as ``{"train": False}``.

    Returns:
      A report with ``first_failure``, the path of the sub-module (such as ``block_1/dense``) or None, and
      ``ok``; it prints as a tree with rank, residual and the relation found for every output.

    Raises:
      TypeError: if ``group`` is not a group, ``module`` no module, or ``variables`` no mapping of
        collections.
      ValueError: if the signature does not match, the module has no such method, or a number is out of range.

    Example:
      >>> import flax.linen as nn
      >>> from equijax.groups import SO, Vector
      >>> class Net(nn.Module):
      ...     @nn.compact
      ...     def __call__(self, x):
      ...         x = nn.Dense(4, use_bias=False, name="mix")(x.T).T
      ...         return nn.Dense(1, name="biased")(x.T).T
      >>> x = jax.random.normal(jax.random.key(0), (2, 3))
      >>> variables = Net().init(jax.random.key(1), x)
      >>> audit(Net(), variables, SO(3), (Vector(),), x).first_failure
      'biased'
    """
    signature.check_group(group)
    _check_module(module, variables, method)
    check.count("num_elements", num_elements, 1)
    check.positive("spread", spread)
    signature.check_tree("args", in_reps, group, args)
    if rtol is not None:
        check.positive("rtol", rtol)
    key = jax.random.key(0) if key is None else key
    check.key("key", key)
    input_key, element_key, parameter_key = jax.random.split(key, 3)
    perturbed: tuple[str, ...] = ()
    if perturb_zeros:
        variables, perturbed = _without_zeros(parameter_key, variables)
    probe = _Probe(module, variables, in_reps, args, method=method, rngs=rngs, kwargs=kwargs)
    num_samples = probe.enough_samples() if num_samples is None else num_samples
    check.count("num_samples", num_samples, 8)
    probe.draw(input_key, group, num_samples, spread)
    dtype = signature.float_dtype(args).name
    elements = kinds(group, element_key, num=num_elements, dtype=dtype)
    calls = probe.judge(elements, group.identity((), dtype), rtol, points)
    name, failure, inside = _first_failure(probe, calls, elements, group.identity((), dtype), rtol, points)
    return AuditReport(
        group=repr(group),
        kinds=tuple(kind.name for kind in elements),
        calls=tuple(call for _, call in calls),
        first_failure=name,
        failure=failure,
        inside=inside,
        num_samples=num_samples,
        num_elements=num_elements,
        rtol=max(_rtol(rtol, call.dtype) for _, call in calls) if calls else _rtol(rtol, dtype),
        perturbed=perturbed,
        unseen=tuple(dict.fromkeys("/".join(site.path) for site in probe.sites if not site.seen)),
    )


def _check_module(module, variables, method) -> None:
    """Require a module, its variables by collection, and a method that it has."""
    check.instance("module", module, nn.Module)
    if not hasattr(variables, "items"):
        raise TypeError(f"variables must be a mapping of collections, got {type(variables).__name__}")
    loose = [name for name, collection in variables.items() if not hasattr(collection, "items")]
    if loose:
        raise TypeError(
            'variables must be a mapping of collections such as {"params": ...}, '
            f"got {loose[0]!r}, which is no collection"
        )
    if isinstance(method, str) and not callable(getattr(type(module), method, None)):
        raise ValueError(f"method must be a method of {type(module).__name__}, got {method!r}")


def _rtol(rtol: float | None, dtype: str) -> float:
    """The tolerance for outputs of a dtype."""
    return DEFAULT_RTOL[_precision(dtype)] if rtol is None else rtol


def _precision(dtype: str) -> str:
    """Double precision or, for all coarser types, single."""
    return "float64" if dtype in ("float64", "complex128") else "float32"


def _without_zeros(key: Array, variables):
    """Variables with random numbers for parameters that are all zero, and the names of those."""
    parameters = variables.get("params", {})
    leaves, structure = jax.tree_util.tree_flatten_with_path(parameters)
    replaced, names = [], []
    for number, (path, leaf) in enumerate(leaves):
        if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) and jnp.size(leaf) and not jnp.any(leaf):
            leaf = jax.random.normal(jax.random.fold_in(key, number), jnp.shape(leaf), leaf.dtype) / 2
            names.append("/".join(str(getattr(part, "key", part)) for part in path))
        replaced.append(leaf)
    return {**variables, "params": structure.unflatten(replaced)}, tuple(names)


class _Probe:
    """A module with inputs drawn for it, run as one compiled function of a group element."""

    def __init__(self, module, variables, in_reps, args, *, method, rngs, kwargs):
        def run(sample_args):
            return capture.captured_calls(
                module, variables, sample_args, method=method, rngs=rngs, kwargs=kwargs
            )

        self._run, self._in_reps, self._args = run, in_reps, args
        self._leaves, self._structure = jax.tree.flatten(args)
        self._varied = [
            not isinstance(rep, Trivial) and jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
            for _, rep, leaf in signature.leaves("args", in_reps, args)
        ]
        self._inputs: tuple = ()
        self.sites: list[capture.CallSite] = []
        shapes = jax.eval_shape(self._arrays(wanted=None), self._args)
        self.shapes = [outputs for _, outputs in shapes]

    def _arrays(self, wanted):
        """A function from arguments to the inputs and outputs of all calls, or to the inputs of one call."""

        def function(sample_args):
            calls = self._run(sample_args)
            self.sites = [site for site, _, _ in calls]
            if wanted is None:
                return [({}, outputs) for _, _, outputs in calls]
            return [(inputs if site == wanted else {}, {}) for site, inputs, _ in calls]

        return function

    def enough_samples(self) -> int:
        """Enough for a fit of the largest output that fits are tried for."""
        sizes = [int(np.prod(leaf.shape)) for outputs in self.shapes for leaf in outputs.values()]
        return max(
            _FEWEST_SAMPLES, 2 * max((size for size in sizes if size <= relations.MAX_FIT), default=0) + 16
        )

    def draw(self, key: Array, group: Group, num_samples: int, spread: float) -> None:
        """Draw the inputs: the given ones plus noise, moved by random elements of the group.

        The elements see to it that an output with a representation of its own has mean zero, unlike a
        constant.
        """
        reps = [rep for _, rep, _ in signature.leaves("args", self._in_reps, self._args)]
        varied = []
        for number, (leaf, rep, moves) in enumerate(zip(self._leaves, reps, self._varied, strict=True)):
            if moves:
                leaf = jnp.asarray(leaf)
                centre = 0 if rep.is_linear else jnp.mean(leaf, axis=range(leaf.ndim - 1), keepdims=True)
                size = jnp.sqrt(jnp.mean((leaf - centre) ** 2))
                noise = jax.random.normal(
                    jax.random.fold_in(key, number), (num_samples, *leaf.shape), leaf.dtype
                )
                varied.append(leaf + spread * jnp.where(size > 0, size, 1) * noise)
        if not varied:
            raise ValueError(
                "args must hold a floating array that is not under a bare Trivial(), to be varied"
            )
        dtype = signature.float_dtype(self._args).name
        turns = sample(group, jax.random.fold_in(key, len(self._leaves)), num=num_samples, dtype=dtype)
        self._inputs = (turns, varied)

    def evaluate(self, elements: list, wanted=None):
        """Run the module on all inputs, moved by each element in turn.

        Yields, for each element, the inputs and outputs of every call as numpy arrays with a leading sample
        axis.
        """
        function = self._arrays(wanted)

        def at_input(g, turn, varied):
            varied = iter(varied)
            pairs = zip(self._leaves, self._varied, strict=True)
            sample_args = self._structure.unflatten(
                [next(varied) if moves else leaf for leaf, moves in pairs]
            )
            return function(act(self._in_reps, g, act(self._in_reps, turn, sample_args)))

        @jax.jit
        def at_all(g, inputs):
            return jax.lax.map(lambda drawn: at_input(g, *drawn), inputs, batch_size=_BATCH)

        for g in elements:
            yield jax.tree.map(np.asarray, at_all(g, self._inputs))

    def judge(self, elements: list[Kind], identity, rtol, points: bool, wanted=None) -> list:
        """Relate the outputs (or the wanted call's inputs) before and after, for every kind of elements.

        Returns:
          Pairs of a `capture.CallSite` and a `Call`, one for each array.
        """
        if not self._inputs:
            raise ValueError(
                "args must hold a floating array that is not under a bare Trivial(), to be varied"
            )
        moves = [
            (kind, index, jax.tree.map(lambda leaf, index=index: leaf[index], kind.elements))
            for kind in elements
            for index in range(jax.tree.leaves(kind.elements)[0].shape[0])
        ]
        evaluations = self.evaluate([identity, *(g for _, _, g in moves)], wanted)
        still = _flat(next(evaluations))
        worst: list[dict] = [{} for _ in still]
        for (kind, index, _), moved in zip(moves, evaluations, strict=True):
            permutation = None if kind.permutations is None else kind.permutations[index]
            for found, (_, _, before), (_, _, after) in zip(worst, still, _flat(moved), strict=True):
                if kind.name in found and found[kind.name].kind not in (*SYMMETRIC, "shifted"):
                    continue  # one element is enough to fail, and failing fits take the longest
                samples = relations.Samples(
                    _real(before), _real(after), _rtol(rtol, before.dtype.name), _precision(before.dtype.name)
                )
                relation = relations.relate(samples, permutation=permutation, is_finite=kind.is_finite)
                found[kind.name] = _worse(found.get(kind.name), relation)
        return [
            (self.sites[number], _call(self.sites[number], place, before, found, points))
            for (number, place, before), found in zip(still, worst, strict=True)
        ]


def _flat(evaluation) -> list[tuple[int, str, np.ndarray]]:
    """All arrays of an evaluation with the number of their call and their place."""
    return [
        (number, place, array)
        for number, call in enumerate(evaluation)
        for arrays in call
        for place, array in arrays.items()
    ]


def _real(array: np.ndarray) -> np.ndarray:
    """Double precision; complex numbers as pairs on a last axis."""
    if np.iscomplexobj(array):
        array = np.stack([array.real, array.imag], axis=-1)
    return array.astype(np.float64)


_ORDER = (
    "same",
    "permuted",
    "linear",
    "isometric",
    "shifted",
    "undetermined",
    "affine",
    "mixed",
    "none",
    "not finite",
)


def _worse(first: relations.Relation | None, second: relations.Relation) -> relations.Relation:
    """The less symmetric of two relations, with the larger residual."""
    if first is None:
        return second
    worse = max(first, second, key=lambda relation: _ORDER.index(relation.kind))
    return worse._replace(residual=max(first.residual, second.residual))


def _call(site: capture.CallSite, place: str, before: np.ndarray, found: dict, points: bool) -> Call:
    """The entry of the report for one array."""
    allowed = (*SYMMETRIC, "undetermined", *(("shifted",) if points else ()))
    return Call(
        path="/".join(site.path) or site.module,
        depth=len(site.path),
        module=site.module,
        method=site.method,
        number=site.number,
        place=place,
        shape=before.shape[1:],
        dtype=before.dtype.name,
        rank=relations.rank(_real(before), _precision(before.dtype.name)),
        relations={name: relation.kind for name, relation in found.items()},
        residual=max(relation.residual for relation in found.values()),
        ok=all(relation.kind in allowed for relation in found.values()),
    )


def _first_failure(probe: _Probe, calls: list, elements, identity, rtol, points: bool):
    """The path to name, the failing output, and whether it is the named module's own operations that fail."""
    failing = next(((site, call) for site, call in calls if not call.ok), None)
    if failing is None:
        return None, None, False
    site, call = failing
    inside = False
    while site.parent is not None:
        inputs = [entry for _, entry in probe.judge(elements, identity, rtol, True, wanted=site)]
        if all(entry.ok for entry in inputs):
            break
        # The list has the site with its own parent; the reference may lack it.
        site, inside = next((other for other in probe.sites if other == site.parent), site.parent), True
    return "/".join(site.path) or site.module, call, inside
