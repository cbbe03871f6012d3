import jax
import numpy as np
import pytest

from equijax.weights import registry, symmetry


def test_a_second_rule_is_refused():
    with pytest.raises(ValueError, match="names must be primitives without a rule, got 'add'"):
        registry.rule("add")(print)


def test_a_rule_of_the_users_own_is_used(monkeypatch):
    primitive = jax.extend.core.Primitive("double_every_entry")
    primitive.def_abstract_eval(lambda aval: aval)
    primitive.def_impl(lambda x: 2 * x)

    def model(w, x):
        return primitive.bind(x @ w["in"]) @ w["out"]

    w, x = {"in": np.ones((2, 4)), "out": np.ones((4, 3))}, np.ones(2)
    assert symmetry(model, w, x, verify=False).groups == ()
    monkeypatch.setitem(registry.RULES, "double_every_entry", registry.RULES["neg"])
    assert [group.size for group in symmetry(model, w, x, verify=False).groups] == [4]
