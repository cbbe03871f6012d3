"""Networks that predict where charged particles go: without symmetry, and EGNN.

`ParticleGNN` passes messages between all pairs and sees coordinates as plain numbers. `EGNN` (Satorras,
Hoogeboom, Welling, "E(n) Equivariant Graph Neural Networks", ICML 2021, equations 3 to 7) sees distances, and
moves positions along differences and velocities.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.nn import MessageLayer
from equijax.numerics import check, safe


def pair_attributes(
    charges: Float[Array, "... n"], positions: Float[Array, "... n 3"]
) -> Float[Array, "... n n 2"]:
    """Products of charges and squared distances of all pairs.

    Example:
      >>> pair_attributes(jnp.array([1.0, -1.0]), jnp.array([[0.0, 0, 0], [0, 2.0, 0]]))[0, 1].tolist()
      [-1.0, 4.0]
    """
    apart = positions[..., :, None, :] - positions[..., None, :, :]
    products = charges[..., :, None] * charges[..., None, :]
    return jnp.stack([products, jnp.sum(apart**2, axis=-1)], axis=-1)


class ParticleGNN(nn.Module):
    """Message passing with positions and velocities as plain features; equivariant to permutations only.

    Attributes:
      width: of the features.
      num_layers: rounds of messages.

    Example:
      >>> x = jnp.ones((5, 3))
      >>> ParticleGNN(8, 2).init_with_output(jax.random.key(0), jnp.ones(5), x, x)[0].shape
      (5, 3)
    """

    width: int = 32
    num_layers: int = 3

    @nn.compact
    def __call__(
        self,
        charges: Float[Array, "... n"],
        positions: Float[Array, "... n 3"],
        velocities: Float[Array, "... n 3"],
    ) -> Float[Array, "... n 3"]:
        """Predicted positions.

        Raises:
          ValueError: if shapes do not match.
          TypeError: if an argument is not real floating-point.
        """
        _check_particles(charges, positions, velocities)
        pairs = pair_attributes(charges, positions)
        mask = jnp.ones(charges.shape, bool)
        h = nn.Dense(self.width)(jnp.concatenate([positions, velocities], axis=-1))
        for _ in range(self.num_layers):
            h = MessageLayer(self.width)(h, pairs, mask)
        return positions + nn.Dense(3)(jax.nn.silu(nn.Dense(self.width)(h)))


class EGNN(nn.Module):
    """Equivariant graph network of positions, velocities and invariant features.

    Attributes:
      width: of the features.
      num_layers: rounds of messages.

    Example:
      >>> x = jnp.ones((5, 3))
      >>> EGNN(8, 2).init_with_output(jax.random.key(0), jnp.ones(5), x, x)[0].shape
      (5, 3)
    """

    width: int = 32
    num_layers: int = 3

    @nn.compact
    def __call__(
        self,
        charges: Float[Array, "... n"],
        positions: Float[Array, "... n 3"],
        velocities: Float[Array, "... n 3"],
    ) -> Float[Array, "... n 3"]:
        """Predicted positions.

        Raises:
          ValueError: if shapes do not match.
          TypeError: if an argument is not real floating-point.
        """
        _check_particles(charges, positions, velocities)
        width, n, x = self.width, charges.shape[-1], positions
        others = ~jnp.eye(n, dtype=bool)[..., None]
        h = nn.Dense(width)(safe.norm(velocities)[..., None])
        for _ in range(self.num_layers):
            apart = x[..., :, None, :] - x[..., None, :, :]
            pairs = pair_attributes(charges, x)
            receiver, sender = nn.Dense(width, use_bias=False)(h), nn.Dense(width, use_bias=False)(h)
            m = jax.nn.silu(receiver[..., :, None, :] + sender[..., None, :, :] + nn.Dense(width)(pairs))
            m = jnp.where(others, jax.nn.silu(nn.Dense(width)(m)), 0)
            # The reference starts the weights of differences near zero, for stability.
            small = nn.initializers.variance_scaling(1e-6, "fan_avg", "uniform")
            weights = nn.Dense(1, use_bias=False, kernel_init=small)(jax.nn.silu(nn.Dense(width)(m)))
            x = x + jnp.sum(weights * apart, axis=-2) / (n - 1)
            x = x + nn.Dense(1)(jax.nn.silu(nn.Dense(width)(h))) * velocities
            total = jnp.sum(m, axis=-2)
            hidden = jax.nn.silu(nn.Dense(width)(jnp.concatenate([h, total], axis=-1)))
            h = h + nn.Dense(width)(hidden)
        return x


def _check_particles(charges, positions, velocities) -> None:
    """Require arrays of the same particles."""
    for name, array in (("charges", charges), ("positions", positions), ("velocities", velocities)):
        check.floating(name, array)
    n = check.shape("charges", charges, "... n")["n"]
    check.shape("positions", positions, "... n 3", n=n)
    check.shape("velocities", velocities, "... n 3", n=n)
