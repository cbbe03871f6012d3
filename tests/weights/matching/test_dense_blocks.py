import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.action import ParameterAction
from equijax.weights.matching.dense_blocks import block_parts, join, namespace, split
from equijax.weights.parts import Joined, Part

NESTED = (
    (Part(2), Joined(((Part(1),), (Part(2), Joined(((Part(1),), (Part(3),))))))),
    (Joined(((Part(2),), (Part(2), Part(2)))),),
)


@pytest.mark.parametrize("module", [np, jnp])
def test_blocks_hold_every_entry_once(module):
    array = module.arange(18 * 6).reshape(18, 6)
    blocks = split(array, NESTED)
    assert [block.shape for block in blocks] == [
        tuple(part.size for part in parts) for parts in block_parts(NESTED)
    ]
    assert sorted(np.concatenate([np.ravel(block) for block in blocks])) == list(range(18 * 6))
    joined = join(blocks, NESTED)
    np.testing.assert_array_equal(joined, array)
    assert all(namespace(each) is module for each in (*blocks, joined))


def test_every_parameter_of_every_model_comes_back(models):
    for name in ("densenet", "u-net", "causal lm", "scanned layers"):
        case = models.CASES[name]()
        group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
        for action in group.variables.leaves:
            if isinstance(action, ParameterAction):
                array = np.random.default_rng(0).normal(size=action._shape(None))
                np.testing.assert_array_equal(join(split(array, action.axes), action.axes), array)
