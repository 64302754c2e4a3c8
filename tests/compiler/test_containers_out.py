"""What a compiled function returns: containers as the function itself makes them."""

import numpy as np

import gategrad as gg


def test_a_dictionary_keeps_its_order_and_each_key_its_array():
    @gg.compile
    def f(x):
        return {"z": x, "a": np.sum(x), "m": [x[:2] * 2, {"q": x * 3, "b": x[0]}]}

    x = np.arange(5.0)
    answers = f(x), f(x)  # the first call compiles, the second goes straight to native code
    for found in answers:
        assert list(found) == ["z", "a", "m"]
        assert list(found["m"][1]) == ["q", "b"]
        assert found["a"] == 10.0
        assert found["m"][1]["b"] == 0.0
        np.testing.assert_array_equal(found["z"], x)
        np.testing.assert_array_equal(found["m"][0], [0.0, 2.0])
        np.testing.assert_array_equal(found["m"][1]["q"], 3 * x)


def test_the_gradient_of_a_whole_axis_read_backwards():
    weights = np.arange(6.0).reshape(2, 3)
    gradient = gg.compile(gg.grad(lambda x: np.sum(x[:, ::-1] * weights)))
    np.testing.assert_array_equal(gradient(np.ones((2, 3))), weights[:, ::-1])
