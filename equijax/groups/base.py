"""What a group is: the classes that every group derives from.

A group is a frozen dataclass: a hashable, printable value such as ``SO(3)`` or ``S(8) * E(3)``. Its elements
are pytrees of arrays with leading batch axes, and they describe themselves: a representation acts with an
element alone (see `equijax.groups.actions`). A new group derives from `Group` (or
`equijax.groups.lie.LieGroup`), implements the methods that begin with an underscore, and registers its
element type with the functions of ``actions``.
"""

import abc
import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check

Element = Any
"""A pytree of arrays: one group element, or a batch of them along leading axes."""

MAX_ELEMENTS = 500_000
"""Groups with more elements than this refuse to list them."""


def default_float(dtype) -> jnp.dtype:
    """The floating dtype to sample in: the one asked for, or JAX's default.

    Raises:
      TypeError: if ``dtype`` is not a real floating-point type.

    Example:
      >>> default_float("float16")
      dtype('float16')
    """
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(float if dtype is None else dtype))
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"dtype must be a real floating-point type, got {dtype}")
    return dtype


def check_size(name: str, value: int, minimum: int) -> None:
    """Require a Python integer that is at least a minimum.

    Raises:
      TypeError: if it is not an integer.
      ValueError: if it is too small.

    Example:
      >>> check_size("n", 0, 1)
      Traceback (most recent call last):
      ValueError: n must be a number of at least 1, got 0
    """
    check.count(name, value, minimum)


def print_call(value) -> str:
    """A dataclass printed as the call that makes it: ``SO(3)``, ``E(3, bound=2.0)``; defaults are left out.

    Example:
      >>> from equijax.groups import E
      >>> print_call(E(3, bound=2.0))
      'E(3, bound=2.0)'
    """
    arguments = []
    for position, field in enumerate(dataclasses.fields(value)):
        argument = getattr(value, field.name)
        if field.default is dataclasses.MISSING or argument != field.default:
            arguments.append(repr(argument) if position == 0 else f"{field.name}={argument!r}")
    return f"{type(value).__name__}({', '.join(arguments)})"


class Group(abc.ABC):
    """A group: a static, hashable, printable value.

    Groups multiply: ``S(8) * E(3)`` is the direct product, whose elements are tuples.
    """

    is_finite: bool = False
    """Whether the group has finitely many elements, which `elements` then lists."""

    is_compact: bool = False
    """Whether the group is compact; then `sample` draws from Haar measure."""

    @abc.abstractmethod
    def _identity(self, shape: tuple[int, ...], dtype: jnp.dtype) -> Element:
        """The identity, repeated over batch axes ``shape``."""

    @abc.abstractmethod
    def _compose(self, g: Element, h: Element) -> Element:
        """The product ``g h``."""

    @abc.abstractmethod
    def _inverse(self, g: Element) -> Element:
        """The inverse of ``g``."""

    @abc.abstractmethod
    def _sample(self, key: Array, shape: tuple[int, ...], dtype: jnp.dtype) -> Element:
        """Random elements with batch axes ``shape``."""

    @abc.abstractmethod
    def _matrix(self, g: Element) -> Array:
        """The element's matrix in a faithful linear representation, shape ``(..., m, m)``."""

    def __repr__(self) -> str:
        return print_call(self)

    def __mul__(self, other: "Group") -> "Group":
        """The direct product of two groups."""
        if not isinstance(other, Group):
            return NotImplemented
        from equijax.groups.product import product  # here, because products are groups

        return product(self, other)

    def identity(self, shape: tuple[int, ...] = (), dtype=None) -> Element:
        """The identity element.

        Args:
          shape: batch axes.
          dtype: floating dtype of the element's real-valued leaves; JAX's default if None.

        Returns:
          The element, each leaf with leading axes ``shape``.

        Raises:
          TypeError: if ``shape`` is no tuple of integers, or ``dtype`` is not a real floating-point type.
          ValueError: if a size is negative.

        Example:
          >>> from equijax.groups import S
          >>> S(3).identity()
          Array([0, 1, 2], dtype=int32)
        """
        check.axes("shape", shape)
        return self._identity(tuple(shape), default_float(dtype))

    def compose(self, g: Element, h: Element) -> Element:
        """The product ``g h``: acting with it is acting with ``h`` first, then with ``g``.

        Args:
          g, h: elements whose batch axes broadcast.

        Raises:
          TypeError: if an argument is not an element of this group.
          ValueError: if an argument's arrays do not have this group's shapes.

        Example:
          >>> from equijax.groups import S
          >>> S(3).compose(jnp.array([1, 2, 0]), jnp.array([1, 0, 2]))
          Array([2, 1, 0], dtype=int32)
        """
        self.check_element("g", g)
        self.check_element("h", h)
        return self._compose(g, h)

    def inverse(self, g: Element) -> Element:
        """The inverse of an element.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the arrays of ``g`` do not have this group's shapes.

        Example:
          >>> from equijax.groups import S
          >>> S(3).inverse(jnp.array([1, 2, 0]))
          Array([2, 0, 1], dtype=int32)
        """
        self.check_element("g", g)
        return self._inverse(g)

    def sample(self, key: Array, shape: tuple[int, ...] = (), dtype=None) -> Element:
        """Random elements: from Haar measure if the group is compact, else from the measure its class states.

        Args:
          key: a JAX random key.
          shape: batch axes.
          dtype: floating dtype of the element's real-valued leaves; JAX's default if None.

        Raises:
          TypeError: if ``key`` is no random key, ``shape`` no tuple of integers, or ``dtype`` not a real
            floating-point type.
          ValueError: if a size is negative.

        Example:
          >>> from equijax.groups import SO
          >>> SO(3).sample(jax.random.key(0), (5,)).shape
          (5, 3, 3)
        """
        check.key("key", key)
        check.axes("shape", shape)
        return self._sample(key, tuple(shape), default_float(dtype))

    def matrix(self, g: Element) -> Float[Array, "... m m"]:
        """The element as a matrix, in a faithful linear representation that the group's class names.

        It satisfies ``matrix(g h) = matrix(g) matrix(h)``; permutations become permutation matrices, affine
        maps of R^n become matrices of size n + 1.

        Raises:
          TypeError: if ``g`` is not an element of this group.
          ValueError: if the arrays of ``g`` do not have this group's shapes.

        Example:
          >>> from equijax.groups import E
          >>> E(3).matrix(E(3).identity()).shape
          (4, 4)
        """
        self.check_element("g", g)
        return self._matrix(g)

    @property
    def order(self) -> int:
        """The number of elements of a finite group.

        Raises:
          ValueError: if the group is infinite.
        """
        raise ValueError(f"order is defined for finite groups only, got {self!r}")

    def _elements(self) -> Element:
        """All elements of a finite group, stacked; only called when they are few enough."""
        raise ValueError(f"elements are listed for finite groups only, got {self!r}")

    def elements(self) -> Element:
        """All elements of a finite group, stacked along one leading axis, the identity first.

        Raises:
          ValueError: if the group is infinite, or has more than 500,000 elements.

        Example:
          >>> from equijax.groups import S
          >>> S(3).elements().shape
          (6, 3)
        """
        if self.order > MAX_ELEMENTS:
            raise ValueError(
                f"elements() lists at most {MAX_ELEMENTS} elements, {self!r} has {self.order}; use sample()"
            )
        return self._elements()

    def _discrete_generators(self, dtype: jnp.dtype) -> Element:
        """Elements that generate the group together with its exponentials; random ones, if nothing better is
        known."""
        # Of all groups with at most 2^r elements, r copies of Z/2 are the hardest to generate (Pak 1999), and
        # r + 16 random elements do it but for a chance of 2^-16.
        doublings = math.ceil(math.log2(self.order)) if self.is_finite else 0
        return self._sample(jax.random.key(0), (16 + doublings,), dtype)

    def discrete_generators(self, dtype=None) -> Element:
        """Elements that generate the group, together with the exponentials of its algebra if it has one.

        What commutes with them, and with the algebra, commutes with the whole group. A connected Lie group
        needs none. A group that does not say better gives random elements from `sample` with a fixed key:
        16, and for a finite group as many more as its order has binary digits, which generate it with a
        probability of at least 1 - 2^-15.

        Args:
          dtype: floating dtype of the elements' real-valued leaves; JAX's default if None.

        Returns:
          Elements along one leading axis, which may be empty.

        Raises:
          TypeError: if ``dtype`` is not a real floating-point type.

        Example:
          >>> from equijax.groups import S
          >>> S(4).discrete_generators()
          Array([[1, 0, 2, 3],
                 [1, 2, 3, 0]], dtype=int32)
        """
        return self._discrete_generators(default_float(dtype))

    def check_element(self, name: str, g: Element) -> None:
        """Require an element of this group, as far as types, shapes and dtypes tell.

        Args:
          name: the argument's name, for the message.
          g: an element, or a batch of them.

        Raises:
          TypeError: if ``g`` is not of the element's type, or has another kind of dtype.
          ValueError: if an array of ``g`` does not have the trailing axes of this group's elements.

        Example:
          >>> from equijax.groups import SO
          >>> SO(3).check_element("rotation", jnp.zeros((2, 2)))
          Traceback (most recent call last):
          ValueError: rotation must be an element of SO(3), with array shapes (..., 3, 3), got (2, 2)
        """
        expected = element_template(self)
        structure = jax.tree.structure(expected)
        arrays = all(hasattr(leaf, "shape") for leaf in jax.tree.leaves(g))
        if jax.tree.structure(g) != structure or not arrays:
            raise TypeError(
                f"{name} must be an element of {self!r}, a {_describe(expected)}, got a {_describe(g)}"
            )
        leaves = jax.tree.leaves(expected)
        for leaf, want in zip(jax.tree.leaves(g), leaves, strict=True):
            got = np.shape(leaf)
            if len(got) < want.ndim or got[len(got) - want.ndim :] != want.shape:
                shapes = "; ".join(f"({', '.join(['...', *map(str, each.shape)])})" for each in leaves)
                raise ValueError(
                    f"{name} must be an element of {self!r}, with array shapes {shapes}, got {got}"
                )
            kind = jnp.integer if jnp.issubdtype(want.dtype, jnp.integer) else jnp.floating
            if not jnp.issubdtype(jnp.result_type(leaf), kind):
                raise TypeError(
                    f"{name} must be an element of {self!r}, with {kind.__name__} arrays, "
                    f"got dtype {jnp.result_type(leaf)}"
                )


@functools.lru_cache(maxsize=256)
def element_template(group: Group) -> Element:
    """Shapes of one element in single precision, as a pytree of ``jax.ShapeDtypeStruct``.

    Example:
      >>> from equijax.groups import SO
      >>> element_template(SO(3))
      ShapeDtypeStruct(shape=(3, 3), dtype=float32)
    """
    return jax.eval_shape(lambda: group._identity((), jnp.dtype(jnp.float32)))


def _describe(g: Element) -> str:
    """The element's type and static fields, for messages."""
    if jax.tree_util.treedef_is_leaf(jax.tree.structure(g)):
        return "single array" if hasattr(g, "shape") else type(g).__name__
    if type(g) is tuple:
        return f"tuple ({', '.join(map(_describe, g))})"
    static = [f"{f.name}={getattr(g, f.name)!r}" for f in _static_fields(g)]
    return f"{type(g).__name__}({', '.join(static)})" if static else type(g).__name__


def _static_fields(g: Element) -> list:
    """The static dataclass fields of an element."""
    if not dataclasses.is_dataclass(g):
        return []
    return [field for field in dataclasses.fields(g) if field.metadata.get("static", False)]
