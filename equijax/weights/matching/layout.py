"""What matching sees of a symmetry: permutations, the blocks that they act on, and how well neurons fit.

Everything is found one permutation at a time, as a *step*: an element that moves the neurons of one group
and leaves all others. Its scores are sums over blocks (see `equijax.weights.matching.dense_blocks`), and a
step composes with what was found before. Functions take NumPy arrays, for the host, and JAX arrays alike.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from equijax.groups import S, actions
from equijax.groups.base import Element
from equijax.numerics import check
from equijax.weights.action import ParameterAction
from equijax.weights.matching.dense_blocks import block_parts, join, namespace, split
from equijax.weights.monomial import Monomial, Scaled
from equijax.weights.weight_symmetry import WeightSymmetry

Images = tuple
"""For each permutation where its neurons go, int32, shape ``(*over, n)``."""


class Site(NamedTuple):
    """A dimension of a block that a permutation acts on.

    Attributes:
      block: the number of the block.
      dim: the dimension.
      over: the dimensions whose indices choose the member of a family.
    """

    block: int
    dim: int
    over: tuple[int, ...]


class Permutation(NamedTuple):
    """A permutation that is searched for, or a family of them.

    Attributes:
      name: of the group of neurons.
      path: where in elements of the symmetry it is.
      size: the number of neurons.
      over: the sizes of what it is a family over.
      bases: for each of these the number of the permutation that moves it; None if it stands still.
      sites: the dimensions that it acts on.
    """

    name: str
    path: tuple[int, ...]
    size: int
    over: tuple[int, ...]
    bases: tuple[int | None, ...]
    sites: tuple[Site, ...]

    @property
    def is_quadratic(self) -> bool:
        """Whether it acts on two dimensions of one block, so that scores depend on the permutation itself."""
        blocks = [site.block for site in self.sites]
        return len(set(blocks)) < len(blocks)


class Layout:
    """The permutations of a symmetry and the blocks that they act on.

    Scales, signs and matrices in the symmetry are left alone.

    Args:
      group: the symmetry.
      exclude: names of parameters that scores do not see, as whole paths or their beginnings.

    Attributes:
      permutations: in the order of ``group.groups``.
      blocks: for each block the number of its parameter and the parts of its dimensions.

    Raises:
      TypeError: if ``group`` is no `WeightSymmetry`.

    Example:
      >>> from equijax.weights import symmetry
      >>> w = {"in": np.ones((2, 8)), "out": np.ones((8, 3))}
      >>> layout = Layout(symmetry(lambda w, x: jnp.tanh(x @ w["in"]) @ w["out"], w, np.ones(2)))
      >>> layout.permutations[0].sites
      (Site(block=0, dim=1, over=()), Site(block=1, dim=0, over=()))
    """

    def __init__(self, group: WeightSymmetry, exclude: Sequence[str] = ()):
        check.instance("group", group, WeightSymmetry)
        self.group = group
        searched = [each for each in group.groups if _is_permuted(each.group)]
        paths = {each.piece for each in searched}
        self._actions: dict[int, ParameterAction] = {}
        self.blocks: list[tuple[int, tuple]] = []
        tree = jax.tree.unflatten(group.variables.structure, group.variables.leaves)
        for number, (path, action) in enumerate(jax.tree_util.tree_flatten_with_path(tree)[0]):
            if isinstance(action, ParameterAction) and not _is_excluded(path, exclude):
                blocks = block_parts(action.axes)
                if any(part.path in paths for block in blocks for part in block):
                    self._actions[number] = action
                    self.blocks += [(number, block) for block in blocks]
        homes = {part.label: part.path for _, block in self.blocks for part in block}
        numbers = {each.piece: i for i, each in enumerate(searched)}
        self.permutations = tuple(self._permutation(each, homes, numbers) for each in searched)
        self._steady = [
            tuple(d for d, part in enumerate(block) if part.path not in paths) for _, block in self.blocks
        ]

    def _permutation(self, neurons, homes, numbers) -> Permutation:
        """The sites of a group of neurons."""
        sites, labels = [], ()
        for number, (_, block) in enumerate(self.blocks):
            dims = {part.label: dim for dim, part in enumerate(block)}
            for dim, part in enumerate(block):
                if part.path == neurons.piece:
                    labels = part.over
                    sites.append(Site(number, dim, tuple(dims[label] for label in part.over)))
        bases = tuple(numbers.get(homes[label]) for label in labels) or (None,) * len(neurons.over)
        return Permutation(neurons.name, neurons.piece, neurons.size, neurons.over, bases, tuple(sites))

    @property
    def largest(self) -> int:
        """The size of the largest permutation; 0 if there is none."""
        return max((each.size for each in self.permutations), default=0)

    @property
    def order(self) -> list[int]:
        """The numbers of the permutations, families after what they are families over."""
        return sorted(range(len(self.permutations)), key=lambda i: len(self.permutations[i].over))

    def neighbours(self, number: int) -> set[int]:
        """The permutations that share a block with one, itself among them only if it is quadratic.

        Example:
          >>> from equijax.weights import symmetry
          >>> model = lambda w, x: jnp.tanh(jnp.tanh(x @ w[0]) @ w[1]) @ w[2]
          >>> w = [np.ones((2, 8)), np.ones((8, 7)), np.ones((7, 2))]
          >>> Layout(symmetry(model, w, np.ones(2))).neighbours(0)
          {1}
        """
        own = {site.block for site in self.permutations[number].sites}
        found = {i for i, each in enumerate(self.permutations) if own & {site.block for site in each.sites}}
        return found if self.permutations[number].is_quadratic else found - {number}

    def split(self, name: str, variables) -> list:
        """The blocks of variables, in their own dtype.

        Args:
          name: what the variables are called, for messages.
          variables: of the symmetry's structure and shapes.

        Raises:
          ValueError: if the structure or a shape is another.
          TypeError: if a parameter is not real.
        """
        leaves = _checked(name, self.group, variables)
        blocks = []
        for number, action in self._actions.items():
            if np.issubdtype(np.dtype(leaves[number].dtype), np.complexfloating):
                raise TypeError(f"{name} must have real leaves, got one of dtype {leaves[number].dtype}")
            blocks += split(leaves[number], action.axes)
        return blocks

    def join(self, blocks: list, variables):
        """Variables with other blocks.

        Args:
          blocks: in the order of `split`.
          variables: from which everything that is in no block is taken.
        """
        leaves, structure = jax.tree.flatten(variables)
        start = 0
        for number, action in self._actions.items():
            stop = start + len(block_parts(action.axes))
            leaves[number] = join(blocks[start:stop], action.axes)
            start = stop
        return structure.unflatten(leaves)

    def rows(self, block, site: Site):
        """A block as ``(members, neurons, everything else)``."""
        front = (*site.over, site.dim)
        moved = namespace(block).moveaxis(block, front, range(len(front)))
        return moved.reshape(math.prod(moved.shape[: len(site.over)]), moved.shape[len(site.over)], -1)

    def scores(self, number: int, a: list, b: list, *, halve: bool = False) -> Float[Array, "members n n"]:
        """What sending neuron ``i`` of b to the place of neuron ``j`` of a adds to the inner product.

        Args:
          number: of the permutation.
          a, b: blocks; those of b are moved by everything that was found so far.
          halve: for a quadratic permutation, whether to average over the dimensions of a block instead of
            adding them: the sum is the gradient of the objective, the average has its value.
        """
        permutation, total = self.permutations[number], 0
        blocks = [site.block for site in permutation.sites]
        for site in permutation.sites:
            x, y = self.rows(a[site.block], site), self.rows(b[site.block], site)
            weight = 1 / blocks.count(site.block) if halve else 1
            total = total + weight * inner_products(y, x)
        return self._or_zero(permutation, total, b)

    def profile_scores(self, number: int, a: list, b: list) -> Float[Array, "members n n"]:
        """Scores of neurons by the sorted weights of each, which no other permutation changes.

        Each entry is the largest inner product that any order of the other neurons could give (the bound of
        Gilmore 1962 and Lawler 1963 for quadratic assignment), so that copies of a neuron find each other
        wherever their neighbours are.
        """
        permutation, total = self.permutations[number], 0
        for site in permutation.sites:
            x, y = (self._profiles(each[site.block], site) for each in (a, b))
            total = total + inner_products(y, x)
        return self._or_zero(permutation, total, b)

    def _or_zero(self, permutation: Permutation, total, blocks: list):
        """Scores, or zeros for a permutation on excluded parameters only."""
        if permutation.sites:
            return total
        xp = namespace(blocks[0]) if blocks else np
        return xp.zeros((math.prod(permutation.over), permutation.size, permutation.size))

    def _profiles(self, block, site: Site):
        """Rows whose entries are sorted along everything that permutations move."""
        xp, own = namespace(block), (*site.over, site.dim)
        steady = tuple(dim for dim in self._steady[site.block] if dim not in own)
        moved = xp.moveaxis(block, (*own, *steady), range(len(own) + len(steady)))
        shape = moved.shape
        members, kept = (
            math.prod(shape[: len(site.over)]),
            math.prod(shape[len(own) : len(own) + len(steady)]),
        )
        rows = xp.sort(moved.reshape(members, block.shape[site.dim], kept, -1), axis=-1)
        return rows.reshape(*rows.shape[:2], -1)

    def moved(self, number: int, step: Int[Array, "... n"], blocks: list) -> list:
        """Blocks after a step."""
        blocks = list(blocks)
        source = namespace(step).argsort(step, axis=-1)
        for site in self.permutations[number].sites:
            block, front = blocks[site.block], (*site.over, site.dim)
            xp = namespace(block)
            if not site.over:
                blocks[site.block] = xp.take(block, source, axis=site.dim)
                continue
            rows = xp.moveaxis(block, front, range(len(front)))
            index = source.reshape(*source.shape, *(1,) * (rows.ndim - source.ndim))
            rows = xp.take_along_axis(rows, index, axis=len(front) - 1)
            blocks[site.block] = xp.moveaxis(rows, range(len(front)), front)
        return blocks

    def composed(self, number: int, step: Int[Array, "... n"], images: Images) -> Images:
        """The images after a step that follows them."""
        permutation, old = self.permutations[number], images[number]
        if not permutation.over:
            new = step[old]
        else:
            grid = np.indices(permutation.over)
            members = []
            for depth, base in enumerate(permutation.bases):
                # Members of a family are told apart by where their base has moved them.
                index = tuple(grid[: depth + 1])
                members.append((index[-1] if base is None else images[base][index])[..., None])
            new = step[(*members, old)]
        return (*images[:number], new, *images[number + 1 :])

    def applied(self, images: Images, blocks: list) -> list:
        """Blocks after the element of some images: members of families first, then what moves them."""
        for number in reversed(self.order):
            blocks = self.moved(number, images[number], blocks)
        return blocks

    def identity(self) -> Images:
        """The images of the identity, as NumPy arrays."""
        return tuple(
            np.ascontiguousarray(np.broadcast_to(np.arange(p.size, dtype=np.int32), (*p.over, p.size)))
            for p in self.permutations
        )

    def images(self, element: Element) -> Images:
        """The images of an element of the symmetry."""
        return tuple(_permutation_at(element, p.path) for p in self.permutations)

    def element(self, images: Images) -> Element:
        """The element of the symmetry that has these images, with scales of one and unit matrices."""
        element = self.group.identity()
        for permutation, image in zip(self.permutations, images, strict=True):
            element = _replaced(element, permutation.path, jnp.asarray(image, jnp.int32))
        return element


def inner_products(x: Float[Array, "m n k"], y: Float[Array, "m n k"]) -> Float[Array, "m n n"]:
    """The inner product of each row of x with each row of y.

    Example:
      >>> inner_products(np.ones((1, 2, 3)), np.ones((1, 2, 3))).tolist()
      [[[3.0, 3.0], [3.0, 3.0]]]
    """
    if namespace(x) is np and namespace(y) is np:
        return x @ y.swapaxes(-1, -2)
    return jnp.einsum("mik,mjk->mij", x, y, precision="highest")


def _is_permuted(group) -> bool:
    """Whether a group of neurons holds permutations."""
    return isinstance(group, S) or type(group) is Monomial


def _is_excluded(path, exclude: Sequence[str]) -> bool:
    """Whether a parameter is left out by its name."""
    name = jax.tree_util.keystr(path, simple=True, separator="/")
    return any(name == each or name.startswith(f"{each.rstrip('/')}/") for each in exclude)


def _checked(name: str, group: WeightSymmetry, variables) -> list:
    """The leaves of variables of the symmetry's structure and shapes."""
    signature, got = group.variables, jax.tree.structure(variables)
    if got != signature.structure:
        raise ValueError(
            f"{name} must have the structure that the symmetry was found for, {signature.structure}, "
            f"got {got}"
        )
    found = jax.tree_util.tree_flatten_with_path(variables)[0]
    for (path, leaf), action in zip(found, signature.leaves, strict=True):
        expected, shape = action._shape(None), np.shape(leaf)
        if isinstance(action, ParameterAction) and shape != expected:
            place = f"{name}{jax.tree_util.keystr(path)}"
            raise ValueError(f"{place} must have shape {expected} as when traced, got {shape}")
    return [leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for _, leaf in found]


def _permutation_at(element, path: tuple[int, ...]):
    """The permutation in the piece of an element at a path."""
    for index in path:
        element = element[index]
    return actions.permutation(element)


def _replaced(element, path: tuple[int, ...], image):
    """The element with another permutation in the piece at a path."""
    if path:
        pieces = list(element)
        pieces[path[0]] = _replaced(pieces[path[0]], path[1:], image)
        return type(element)._make(pieces) if hasattr(element, "_make") else tuple(pieces)
    return dataclasses.replace(element, image=image) if isinstance(element, Scaled) else image
