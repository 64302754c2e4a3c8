"""no_grad: as a block and a decorator, nested, with exceptions, in generators, coroutines and threads."""

from __future__ import annotations

import asyncio
import threading
import weakref

import numpy as np
import pytest

import gategrad as gg

w = gg.variable(2.0)


def recording():
    return (w * w).gate is not None


def test_a_block():
    with gg.no_grad():
        z = w * w
        assert z.gate is None and z.item() == 4.0
    assert recording()


def test_nested_blocks_and_one_object_entered_twice():
    block = gg.no_grad()
    with block:
        with block, gg.no_grad():
            assert not recording()
        assert not recording()
    assert recording()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_lifts_the_pause(error):
    with pytest.raises(error), gg.no_grad():
        raise error
    assert recording()


@pytest.mark.parametrize("decorate", [gg.no_grad(), gg.no_grad], ids=["called", "bare"])
def test_a_decorator(decorate):
    @decorate
    def f(x, *, scale=1.0):
        """What f does."""
        return x * scale, recording()

    z, was_recording = f(w, scale=3.0)
    assert z.item() == 6.0 and not was_recording and recording()
    assert (f.__name__, f.__doc__) == ("f", "What f does.")


def test_a_decorated_generator_pauses_only_while_it_runs():
    @gg.no_grad
    def numbers(stop):
        received = []
        try:
            for n in range(stop):
                try:
                    received.append((yield n, recording()))
                except ValueError:
                    received.append("thrown")
        finally:
            assert not recording()
        return received

    generator = numbers(3)
    assert next(generator) == (0, False) and recording()
    assert generator.send("hello") == (1, False) and recording()
    assert generator.throw(ValueError) == (2, False) and recording()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == ["hello", "thrown", None] and recording()
    generator = numbers(3)
    next(generator)
    generator.close()
    assert recording()


def test_a_decorated_coroutine():
    @gg.no_grad
    async def f():
        await asyncio.sleep(0)
        return recording()

    async def main():
        return await asyncio.gather(f(), asyncio.to_thread(recording)), recording()

    assert asyncio.run(main()) == ([False, True], True)


def test_another_thread_records():
    answers = []
    with gg.no_grad():
        thread = threading.Thread(target=lambda: answers.append(recording()))
        thread.start()
        thread.join()
    assert answers == [True]


def test_nothing_is_kept():
    class Remembers(gg.Gate):
        def forward(self, x):
            self.x = x
            self.y = np.exp(x)
            remembered.append(weakref.ref(self))
            return self.y

    remembered = []
    x = gg.variable(np.ones(3))
    with gg.no_grad():
        z = Remembers()(x)
    assert remembered[0]() is None and z.gate is None


def test_what_was_computed_under_no_grad_is_a_constant_afterwards():
    with gg.no_grad():
        c = w * w
    x = gg.variable(3.0)
    (x * c).backward()
    assert x.grad == 4.0 and w.grad is None


def test_array_functions_too():
    x = gg.variable(np.ones((2, 3)))
    with gg.no_grad():
        for z in (np.sum(x), x @ x.T, x[0], np.where(x > 0, x, 0.0), np.stack([x, x]), x.reshape(3, 2)):
            assert z.gate is None
    assert np.asarray(z).shape == (3, 2) and float(np.sum(z)) == 6.0  # untracked: nothing to lose
