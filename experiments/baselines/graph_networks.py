"""Networks of whole graphs, given as padded adjacency matrices and node features.

`GraphMLP` sees the numbering of the nodes, and nothing else than entries. `GIN` (Xu, Hu, Leskovec, Jegelka,
"How powerful are graph neural networks?", ICLR 2019) does not see it, and tells apart no more than 1-WL;
with `positions`, the one-hot number of each node, it does ("GIN+ID").
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


def _check_graph(adjacency, features) -> None:
    """Require a matrix and features of the same nodes."""
    check.floating("adjacency", adjacency)
    n = check.shape("adjacency", adjacency, "... n n")["n"]
    check.floating("features", features)
    check.shape("features", features, "... n f", n=n)


class GraphMLP(nn.Module):
    """A perceptron of the entries of the adjacency matrix and of all features.

    Attributes:
      widths: of the hidden layers.
      out: number of outputs.

    Example:
      >>> GraphMLP((8,), 2).init_with_output(jax.random.key(0), jnp.ones((4, 4)), jnp.ones((4, 1)))[0].shape
      (2,)
    """

    widths: tuple[int, ...]
    out: int

    @nn.compact
    def __call__(
        self, adjacency: Float[Array, "... n n"], features: Float[Array, "... n f"]
    ) -> Float[Array, "... out"]:
        """Apply the network.

        Raises:
          ValueError: if shapes do not match.
          TypeError: if an argument is not real floating-point.
        """
        _check_graph(adjacency, features)
        rows, columns = jnp.triu_indices(adjacency.shape[-1], 1)
        entries = adjacency[..., rows, columns]
        x = jnp.concatenate([entries, features.reshape(*entries.shape[:-1], -1)], axis=-1)
        for width in self.widths:
            x = jnp.tanh(nn.Dense(width, bias_init=nn.initializers.normal(0.1))(x))
        return nn.Dense(self.out)(x)


class GIN(nn.Module):
    """Graph isomorphism network: sums over neighbours, and perceptrons.

    Nodes whose features are all zero, which do not exist, are left out of the sum over the nodes.

    Attributes:
      width: of features.
      num_layers: rounds of messages.
      out: number of outputs.
      positions: whether each node also sees its number.

    Example:
      >>> GIN(8, 2, 3).init_with_output(jax.random.key(0), jnp.ones((4, 4)), jnp.ones((4, 1)))[0].shape
      (3,)
    """

    width: int
    num_layers: int
    out: int
    positions: bool = False

    @nn.compact
    def __call__(
        self, adjacency: Float[Array, "... n n"], features: Float[Array, "... n f"]
    ) -> Float[Array, "... out"]:
        """Apply the network.

        Raises:
          ValueError: if shapes do not match.
          TypeError: if an argument is not real floating-point.
        """
        _check_graph(adjacency, features)
        exists = jnp.any(features != 0, axis=-1, keepdims=True)
        h = features
        if self.positions:
            n = adjacency.shape[-1]
            eye = jnp.broadcast_to(jnp.eye(n, dtype=features.dtype), adjacency.shape)
            h = jnp.concatenate([features, jnp.where(exists, eye, 0)], axis=-1)
        for _ in range(self.num_layers):
            h = h + jnp.matmul(adjacency, h)
            h = jax.nn.relu(nn.Dense(self.width, bias_init=nn.initializers.normal(1.0))(h))
            h = jax.nn.relu(nn.Dense(self.width, bias_init=nn.initializers.normal(1.0))(h))
        return nn.Dense(self.out)(jnp.sum(jnp.where(exists, h, 0), axis=-2))
