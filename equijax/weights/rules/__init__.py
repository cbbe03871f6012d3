"""What every primitive does with axes: one rule a primitive, in files by family.

Importing this package fills `equijax.weights.registry.RULES`.
"""

from equijax.weights.rules import control, indexing, pieces, pointwise, products, reductions, shapes, stacks

__all__ = ["control", "indexing", "pieces", "pointwise", "products", "reductions", "shapes", "stacks"]
