"""Every call that a Flax module makes of its sub-modules: inputs, outputs, and the order in which they end.

Outputs are captured as Flax intermediates, inputs are sown beside them, so that lifted transformations
(``nn.scan``, ``nn.remat``, ...) treat them as they treat other intermediates. The order comes from an
interceptor
that runs while the module is traced: a call ends after the calls that it makes.
"""

import dataclasses
import itertools

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp

from equijax.equivariance.signature import is_array_node

_INPUTS = ":inputs"
_COLLECTION = "intermediates"


@dataclasses.dataclass(frozen=True)
class CallSite:
    """One call of a method of a module.

    Attributes:
      path: names of the modules from the root down; empty for the root itself.
      module: the class's name.
      method: the method's name.
      number: 0 for the first call of this method of this module, and so on.
      parent: the call site that made the call, or None for the root; no part of the identity of a call site.
      seen: whether its inputs and outputs were captured; a lifted transformation may drop intermediates.
    """

    path: tuple[str, ...]
    module: str
    method: str
    number: int
    parent: "CallSite | None" = dataclasses.field(default=None, repr=False, compare=False)
    seen: bool = dataclasses.field(default=True, repr=False, compare=False)


def captured_calls(module: nn.Module, variables, args: tuple, *, method=None, rngs=None, kwargs=None):
    """Run a module and return what went into and came out of each call.

    Args:
      module: an unbound Flax linen module.
      variables: its variables.
      args: positional arguments.
      method: the method to run, ``__call__`` by default.
      rngs: random keys, as for ``module.apply``.
      kwargs: keyword arguments of the method.

    Returns:
      A list of triples (`CallSite`, inputs, outputs) in the order in which the calls ended, the root last.
      Calls that were not seen stand first, without arrays.
      Inputs and outputs map places such as ``"[0]"`` to the inexact arrays there; all other leaves are left
      out.

    Example:
      >>> dense = nn.Dense(2)
      >>> x = jnp.ones(3)
      >>> [(site, _, outputs)] = captured_calls(dense, dense.init(jax.random.key(0), x), (x,))
      >>> site.module, {place: y.shape for place, y in outputs.items()}
      ('Dense', {'': (2,)})
    """
    ended: list[tuple[CallSite, dict]] = []
    running: list[CallSite] = []
    started: dict[tuple, int] = {}

    def intercept(call, call_args, call_kwargs, context):
        owner, name = context.module, context.method_name
        if not _is_watched(owner, name):
            return call(*call_args, **call_kwargs)
        number = started.setdefault((owner.path, name), 0)
        started[owner.path, name] += 1
        site = CallSite(owner.path, type(owner).__name__, name, number, running[-1] if running else None)
        running.append(site)
        try:
            result = call(*call_args, **call_kwargs)
        finally:
            running.pop()
        owner.sow(_COLLECTION, name + _INPUTS, (call_args, call_kwargs))
        ended.append((site, {place: leaf.shape for place, leaf in _arrays(result).items()}))
        return result

    variables = {name: value for name, value in variables.items() if name != _COLLECTION}
    with nn.intercept_methods(intercept):
        output, state = module.apply(
            variables,
            *args,
            method=method,
            rngs=rngs,
            mutable=flax.core.DenyList("params"),  # running averages are updated, and dropped
            capture_intermediates=_is_watched,
            **(kwargs or {}),
        )
    calls = _unrolled(_match(ended, started, state.get(_COLLECTION, {})))
    if not calls or calls[-1][0].path:  # a method that is a plain function is not intercepted
        calls.append((CallSite((), type(module).__name__, "__call__", 0), _arrays(args), _arrays(output)))
    seen = {(site.path, site.method) for site, _, _ in calls}
    hidden = dict.fromkeys(site for site, _ in ended if site.path and (site.path, site.method) not in seen)
    return [(dataclasses.replace(site, seen=False), {}, {}) for site in hidden] + calls


def _is_watched(owner: nn.Module, name: str) -> bool:
    """Whether calls of a method are recorded: the public ones."""
    return name == "__call__" or not (name.startswith("_") or name == "setup")


def _match(ended, started, intermediates) -> list:
    """Join call sites with the captured values, and count how often a scan repeated each."""
    calls = []
    for site, traced_shapes in ended:
        branch = intermediates
        for name in site.path:
            branch = branch.get(name, {})
        outputs = branch.get(site.method, ())
        inputs = branch.get(site.method + _INPUTS, ())
        # A lifted transformation may trace a call more than once; the values captured are the last ones.
        index = site.number - (started[site.path, site.method] - len(outputs))
        if 0 <= index < len(outputs):
            found = _arrays(outputs[index])
            call_args, call_kwargs = inputs[index]
            went_in = _arrays(call_args) | _arrays(call_kwargs)
            calls.append((site, index, went_in, found, _repeats(traced_shapes, found)))
    return calls


def _repeats(traced_shapes: dict, captured: dict) -> int:
    """The length of the leading axis that a scan added to what was traced; 0 if none did."""
    lengths = {
        leaf.shape[0] if leaf.shape[1:] == traced_shapes.get(place) and leaf.ndim else 0
        for place, leaf in captured.items()
    }
    return lengths.pop() if len(lengths) == 1 else 0


def _unrolled(calls) -> list:
    """Calls with scanned ones repeated, in the order in which they really run."""
    result = []
    for repeats, group in itertools.groupby(calls, key=lambda call: call[-1]):
        run = list(group)
        for step in range(repeats or 1):
            numbers = {call[0]: call[1] * (repeats or 1) + step for call in run}
            for site, _, inputs, outputs, _ in run:
                if repeats:
                    inputs = {place: leaf[step] for place, leaf in inputs.items()}
                    outputs = {place: leaf[step] for place, leaf in outputs.items()}
                parent = site.parent
                if parent in numbers:
                    parent = dataclasses.replace(parent, number=numbers[parent])
                result.append(
                    (dataclasses.replace(site, number=numbers[site], parent=parent), inputs, outputs)
                )
    return result


def _arrays(tree) -> dict[str, jax.Array]:
    """The inexact arrays in a pytree, by place; of arrays with described axes the arrays."""
    arrays = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_array_node)[0]:
        leaf = leaf.array if is_array_node(leaf) else leaf
        if hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.inexact):
            arrays[jax.tree_util.keystr(path)] = jnp.asarray(leaf)
    return arrays
