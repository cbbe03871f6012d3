import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from equijax.testing.capture import captured_calls


class Inner(nn.Module):
    @nn.compact
    def __call__(self, x, flag=True):
        self.sow("intermediates", "private", x)
        return nn.Dense(3, name="zeta")(x), jnp.arange(2)

    def helper(self, x):
        return {"twice": 2 * x}


class Outer(nn.Module):
    def setup(self):
        self.zz = Inner()
        self.aa = Inner()

    def __call__(self, x):
        y, _ = self.zz(x)
        y, _ = self.aa(y, flag=jnp.ones(2))
        y, _ = self.zz(y)
        return self.zz.helper(y)["twice"]

    def other(self, x):
        return self.aa(x)[0]


def run(module, x, **options):
    variables = module.init(jax.random.key(0), x, method=options.get("method"))
    return jax.jit(lambda x: [call[1:] for call in captured_calls(module, variables, (x,), **options)])(x), [
        (site, site.parent) for site, _, _ in captured_calls(module, variables, (x,), **options)
    ]


def test_order_of_execution_values_and_parents():
    x = jnp.ones((2, 3))
    values, sites = run(Outer(), x)
    names = [("/".join(site.path), site.method, site.number) for site, _ in sites]
    assert names == [
        ("zz/zeta", "__call__", 0),
        ("zz", "__call__", 0),
        ("aa/zeta", "__call__", 0),
        ("aa", "__call__", 0),
        ("zz/zeta", "__call__", 1),
        ("zz", "__call__", 1),
        ("zz", "helper", 0),
        ("", "__call__", 0),
    ]
    assert [parent and "/".join(parent.path) for _, parent in sites] == [
        "zz",
        "",
        "aa",
        "",
        "zz",
        "",
        "",
        None,
    ]
    inputs, outputs = values[3]
    assert set(inputs) == {"[0]", "['flag']"}
    assert list(outputs) == ["[0]"]  # the integers of the second output are left out
    np.testing.assert_array_equal(values[2][1][""], outputs["[0]"])
    np.testing.assert_array_equal(values[6][1]["['twice']"], 2 * values[5][1]["[0]"])
    np.testing.assert_array_equal(values[7][1][""], values[6][1]["['twice']"])


def test_other_methods():
    x = jnp.ones(3)
    _, sites = run(Outer(), x, method="other")
    assert [(site.path, site.method) for site, _ in sites][-1] == ((), "other")
    _, sites = run(Outer(), x, method=lambda module, x: module.other(x) + 1)
    assert [site.method for site, _ in sites] == ["__call__", "__call__", "other"]
    _, sites = run(Outer(), x, method=lambda module, x: module.aa(x)[0] + 1)
    assert [(site.path, site.method, parent) for site, parent in sites][-1] == ((), "__call__", None)


def test_scanned_calls_are_unrolled():
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Dense(3, name="dense")(x), None

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            axes = {"params": 0, "intermediates": 0}
            scan = nn.scan(Layer, variable_axes=axes, split_rngs={"params": True}, length=3)
            return nn.Dense(2, name="last")(scan(name="layers")(x, None)[0])

    values, sites = run(Net(), jnp.ones(3))
    assert [("/".join(site.path), site.number) for site, _ in sites] == [
        ("layers/dense", 0),
        ("layers", 0),
        ("layers/dense", 1),
        ("layers", 1),
        ("layers/dense", 2),
        ("layers", 2),
        ("last", 0),
        ("", 0),
    ]
    assert [parent.number for site, parent in sites if site.path == ("layers", "dense")] == [0, 1, 2]
    np.testing.assert_allclose(values[2][0]["[0]"], values[0][1][""])


def test_stale_intermediates_and_rematerialisation():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.remat(Inner)(name="inner")(x)[0]

    x = jnp.ones(3)
    variables = {**Net().init(jax.random.key(0), x), "intermediates": {"__call__": (jnp.zeros(7),)}}
    calls = captured_calls(Net(), variables, (x,))
    assert ["/".join(site.path) for site, _, _ in calls] == ["inner/zeta", "inner", ""]
    assert all(leaf.shape == (3,) for _, _, outputs in calls for leaf in outputs.values())
