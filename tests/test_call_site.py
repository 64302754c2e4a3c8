"""Whose line an error quotes: the user's own, whatever libraries the call went through."""

import threading

import numpy as np
import pytest

import gategrad as gg
from gategrad.call_site import call_site
from gategrad.errors import EscapeError

LIBRARY = "import numpy as np\ndef draw(x):\n    return np.asarray(x)\ndef call(f, x):\n    return f(x)\n"


@pytest.fixture
def library():
    """A module as if it had been installed."""
    names = {"__name__": "plotter.lines"}
    exec(compile(LIBRARY, "/opt/lib/site-packages/plotter/lines.py", "exec"), names)
    return names


def test_here_is_the_innermost_line_of_the_users():
    site = call_site()
    assert (
        site.file == __file__
        and site.code == "site = call_site()"
        and site.frame.f_code.co_name.startswith("test_here")
    )


def test_an_installed_library_is_in_between(library):
    with pytest.raises(EscapeError) as caught:
        library["draw"](gg.variable(np.ones(3)))
    text = str(caught.value)
    assert f"at {__file__}:" in text and 'library["draw"](gg.variable(np.ones(3)))' in text
    assert "plotter computes with plain arrays: hand it v.value if you want a constant" in text


def test_a_function_that_a_library_calls_is_the_users_again(library):
    assert library["call"](lambda x: call_site(), 1.0).code.startswith('assert library["call"](lambda')


def test_where_all_is_installed_its_innermost_line_is_told():
    names = {"__name__": "worker", "call_site": call_site, "found": []}
    exec(compile("def work():\n    found.append(call_site())", "/opt/lib/site-packages/worker.py", "exec"), names)
    thread = threading.Thread(target=names["work"])
    thread.start()
    thread.join()
    assert [(site.file, site.line) for site in names["found"]] == [("/opt/lib/site-packages/worker.py", 2)]


class Column:
    """What pandas' columns do with operators: they hand over to whoever has the higher priority, else take an array."""

    __pandas_priority__ = 3000
    __array_ufunc__ = None

    def __init__(self, values):
        self.values = np.array(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __mul__(self, other):
        if getattr(other, "__pandas_priority__", 0) > self.__pandas_priority__:
            return NotImplemented
        return self.values * np.asarray(other)

    __rmul__ = __mul__


@pytest.mark.parametrize("f", [lambda x, c: np.sum(c * x), lambda x, c: np.sum(x * c)])
@pytest.mark.parametrize("wrap", [lambda g: g, gg.compile])
def test_columns_of_data_frames_are_arrays_on_either_side(f, wrap):
    column = Column([2.0, 5.0])
    gradient = wrap(gg.grad(lambda x: f(x, column)))(np.ones(2))
    np.testing.assert_array_equal(gradient, [2.0, 5.0])
