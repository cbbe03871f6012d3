"""A step of an equivariant multilayer perceptron, against a dense one and against emlp's.

    python -m benchmarks equivariant_mlp            # a few minutes, emlp's set-up included
    python -m benchmarks equivariant_mlp --quick    # seconds, without emlp

To expect on a CPU: without products of features one to two times the time of the dense network, with them
two to four times; the wider, the less. emlp's, which projects every weight matrix in every step, takes
hundreds of times as long.
"""

import functools
import operator
from collections.abc import Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp

from benchmarks.framework.timing import Absent, Benchmark, Case
from benchmarks.peers import emlp
from benchmarks.peers.contender import Unavailable
from equijax.groups import O, Trivial, Vector
from equijax.nn import EquivariantMLP

BATCH = 500
LAYERS = 3
GROUP, IN_REP, OUT_REP = O(3), 5 * Trivial() + 5 * Vector(), Vector() * Vector()
PEER_UP_TO = 384


class DenseMLP(nn.Module):
    """An ordinary perceptron of the same width and depth.

    Attributes:
      width: of the hidden layers.
    """

    width: int

    @nn.compact
    def __call__(self, x):
        """Apply it; the result has 9 numbers, as a matrix has."""
        for _ in range(LAYERS):
            x = nn.silu(nn.Dense(self.width)(x))
        return nn.Dense(9)(x)


def networks(width: int) -> dict[str, nn.Module]:
    """Networks from five masses and places to a matrix, by name."""
    equivariant = functools.partial(EquivariantMLP, GROUP, IN_REP, OUT_REP, features=width, num_layers=LAYERS)
    return {
        "dense": DenseMLP(width),
        "equijax": equivariant(),
        "equijax, no products": equivariant(use_bilinear=False),
    }


def peer(width: int) -> nn.Module:
    """emlp's network on the same representations, its hidden ones by its own choice.

    Raises:
      Unavailable: if emlp is not installed.
    """
    groups, reps, modules = emlp.load()
    into = functools.reduce(operator.add, [5 * reps.T(0), 5 * reps.T(1)])
    return modules.EMLP(into, reps.T(2), groups.O(3), ch=width, num_layers=LAYERS)


def cases(quick: bool) -> Iterator[Case | Absent]:
    """Each network at each width, on the same inputs."""
    x = jax.random.normal(jax.random.key(0), (BATCH, 20))
    for width in (64,) if quick else (128, 256, 384, 512):
        found = networks(width)
        if not quick and width <= PEER_UP_TO:
            try:
                found[emlp.NAME] = peer(width)
            except Unavailable as error:
                yield Absent(emlp.NAME, width, "", str(error))
        for name, module in found.items():
            # emlp's own initialisation does not run under jit.
            init = module.init if name == emlp.NAME else jax.jit(module.init)
            variables = init(jax.random.key(1), x)
            yield Case(name, width, _applied(module), (variables, x))


def _applied(module: nn.Module):
    """The network as a function of its parameters and of the input."""
    return lambda variables, x: jnp.reshape(module.apply(variables, x), (BATCH, 9))


BENCHMARK = Benchmark(
    name="equivariant_mlp",
    title="An O(3)-equivariant perceptron of any width, against a dense one",
    work=(
        f"Every network maps {BATCH} rows of five scalars and five vectors to a matrix each, with {LAYERS} "
        "hidden layers, in single precision. Widths are of the hidden layers, without the gates that the "
        "equivariant networks add. emlp chooses its hidden tensors itself. The backward pass gives the "
        "gradients by all parameters and the input."
    ),
    size="width",
    scale=float,
    scale_name="width",
    fit_from=128,
    cases=cases,
)
