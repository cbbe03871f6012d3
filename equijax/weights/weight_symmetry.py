"""The symmetry of a model's weights as a group of the library, with its action on the model's variables."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from equijax.groups import ProductGroup, Trivial
from equijax.weights.neurons import NeuronGroup, RigidAxis


@dataclasses.dataclass(frozen=True)
class Signature:
    """A pytree of actions that can be hashed.

    Attributes:
      leaves: the actions, in the order of the pytree's leaves.
      structure: the pytree's structure.

    Example:
      >>> from equijax.groups import Trivial
      >>> Signature((Trivial(),), jax.tree.structure({"w": 0})).tree
      {'w': Trivial()}
    """

    leaves: tuple
    structure: Any

    @property
    def tree(self):
        """The pytree."""
        return jax.tree.unflatten(self.structure, self.leaves)

    def act(self, name: str, g, tree):
        """Act on a pytree of the same structure and shapes.

        Raises:
          ValueError: if the structure, or the shape of a leaf, is another.

        Example:
          >>> from equijax.groups import PermutationTensor
          >>> signature = Signature((PermutationTensor(1),), jax.tree.structure({"w": 0}))
          >>> signature.act("variables", jnp.array([1, 0]), {"w": jnp.array([1.0, 2.0])})
          {'w': Array([2., 1.], dtype=float32)}
        """
        got = jax.tree.structure(tree)
        if got != self.structure:
            raise ValueError(
                f"{name} must have the structure that the symmetry was found for, {self.structure}, got {got}"
            )
        for (path, leaf), rep in zip(jax.tree_util.tree_flatten_with_path(tree)[0], self.leaves, strict=True):
            expected = rep._shape(g)
            shape = np.shape(leaf)
            if shape[len(shape) - len(expected) :] != expected:
                place = f"{name}{jax.tree_util.keystr(path)}"
                raise ValueError(f"{place} must have shape {expected} as when traced, got {shape}")
        moved = [
            leaf if isinstance(rep, Trivial) else rep.act(g, leaf)
            for rep, leaf in zip(self.leaves, jax.tree.leaves(tree), strict=True)
        ]
        return jax.tree.unflatten(self.structure, moved)


@dataclasses.dataclass(frozen=True, repr=False)
class WeightSymmetry(ProductGroup):
    """The symmetry of a model's weights: a product of groups that act on neurons.

    `equijax.weights.symmetry` makes it. It is a group: ``sample``, ``identity``, ``compose``, ``inverse`` as
    for every other, and ``signature`` is its action on the variables, so that `equijax.equivariance.error`
    and `equijax.testing.assert_equivariant` take it as they are. Printing it lists the groups of neurons, and
    the axes that must stay as they are, with the reasons.

    Attributes:
      factors: the groups whose product it is.
      variables, inputs, outputs: how these transform; inputs and outputs trivially, unless asked otherwise.
      groups: the groups of neurons.
      rigid: the axes of parameters, or factors of them, that must stay.
      verification: what random elements did to the outputs; None if it was not tried.

    Example:
      >>> from equijax.weights import symmetry
      >>> two_layers = lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"]
      >>> w = {"in": jnp.ones((2, 8)), "out": jnp.ones((8, 3))}
      >>> group = symmetry(two_layers, w, jnp.ones(2))
      >>> group, group.groups[0].axes[0].path
      (S(8), 'in')
      >>> g = group.sample(jax.random.key(0))
      >>> jax.tree.map(jnp.shape, group.act(g, w))
      {'in': (2, 8), 'out': (8, 3)}
    """

    factors: tuple
    variables: Signature
    inputs: Signature
    outputs: Signature
    groups: tuple[NeuronGroup, ...] = dataclasses.field(compare=False)
    rigid: tuple[RigidAxis, ...] = dataclasses.field(compare=False)
    verification: Any = dataclasses.field(default=None, compare=False)

    def __repr__(self):
        return super().__repr__() if self.factors else "WeightSymmetry()"

    def __str__(self):
        lines = [_count(len(self.groups), "group", "of neurons")]
        lines += [f"  {group}" for group in self.groups]
        if self.rigid:
            lines += [_count(len(self.rigid), "rigid axis"), *(f"  {axis}" for axis in self.rigid)]
        if self.verification is not None:
            lines.append(f"verified: {self.verification}")
        return "\n".join(lines)

    @property
    def signature(self):
        """How the variables transform: a pytree of representations, of their structure."""
        return self.variables.tree

    def _matrix(self, g):
        return super()._matrix(g) if self.factors else jnp.ones((1, 1))

    def act(self, g, variables):
        """Act on variables: the same function, computed by neurons in another order.

        Args:
          g: an element of the group; its batch axes become leading axes of every variable.
          variables: of the structure and the shapes that the symmetry was found for.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the variables' structure or shapes are others.

        Example:
          >>> from equijax.weights import symmetry
          >>> group = symmetry(lambda w, x: jnp.sum(w * x), jnp.arange(3.0), 2.0)
          >>> group.act((jnp.array([1, 2, 0]),), jnp.arange(3.0))
          Array([2., 0., 1.], dtype=float32)
        """
        self.check_element("g", g)
        return self.variables.act("variables", g, variables)

    def act_on_inputs(self, g, *inputs) -> tuple:
        """Act on inputs, whose axes take part if they were asked to be free.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the inputs' structure or shapes are others than those traced.

        Example:
          >>> from equijax.weights import symmetry
          >>> group = symmetry(jnp.dot, jnp.ones(3), jnp.ones(3), free=("inputs",))
          >>> group.act_on_inputs((jnp.array([1, 2, 0]),), jnp.arange(3.0))
          (Array([2., 0., 1.], dtype=float32),)
        """
        self.check_element("g", g)
        return self.inputs.act("inputs", g, inputs)

    def act_on_outputs(self, g, outputs):
        """Act on outputs, whose axes take part if they were asked to be free.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the outputs' structure or shapes are others than those traced.

        Example:
          >>> from equijax.weights import symmetry
          >>> group = symmetry(jnp.multiply, jnp.ones(3), 2.0, free=("outputs",))
          >>> group.act_on_outputs((jnp.array([1, 2, 0]),), jnp.arange(3.0))
          Array([2., 0., 1.], dtype=float32)
        """
        self.check_element("g", g)
        return self.outputs.act("outputs", g, outputs)


def _count(number: int, noun: str, rest: str = "") -> str:
    """A number of things, in words: ``1 group``, ``2 rigid axes``."""
    plural = f"{noun[:-2]}es" if noun.endswith("is") else f"{noun}s"
    return " ".join(part for part in (str(number), noun if number == 1 else plural, rest) if part)
