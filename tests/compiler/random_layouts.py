"""Arrays as they may lie in memory: the same elements turned round, strided, repeated, shared, read-only, of other bytes."""

import numpy as np

__all__ = ["laid_out", "shared"]


def laid_out(x, rng):
    """An array of the same elements that lies in memory in some other way; a number as it is."""
    if not isinstance(x, np.ndarray):
        return x
    return LAYOUTS[str(rng.choice(list(LAYOUTS)))](x)


def shared(inputs, rng):
    """The inputs, of which some are one array, and others overlap in one piece of memory; their elements change."""
    inputs = list(inputs)
    arrays = [n for n, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.size]
    for n in arrays:
        alike = [
            m for m in arrays if m > n and (inputs[m].shape, inputs[m].dtype) == (inputs[n].shape, inputs[n].dtype)
        ]
        if alike and rng.random() < 0.5:
            inputs[alike[0]] = inputs[n]
        elif alike:
            x = inputs[n]
            memory = np.concatenate([x, x[:1]])  # one row more, so that the second begins a row after the first
            inputs[n], inputs[alike[0]] = memory[:-1], memory[1:]
    return inputs


def _strided(x):
    wide = np.full((*x.shape[:-1], 3 * x.shape[-1]) if x.ndim else x.shape, 7).astype(x.dtype)
    if not x.ndim:
        return x
    wide[..., ::3] = x
    return wide[..., ::3]


def _turned_round(x):
    every = (slice(None, None, -1),) * x.ndim
    return x[every].copy()[every]


def _unaligned(x):
    memory = np.empty(x.nbytes + 1, np.uint8)
    z = memory[1:].view(x.dtype).reshape(x.shape)
    z[...] = x
    return z


def _repeated(x):
    """Where all along an axis is the same, stride 0; else as it is."""
    for axis in range(x.ndim):
        first = x.take([0], axis) if x.shape[axis] else x
        if np.array_equal(np.broadcast_to(first, x.shape), x):
            return np.broadcast_to(first, x.shape)
    return x


def _read_only(x):
    z = x.copy()
    z.flags.writeable = False
    return z


def _other_bytes(x):
    return x.astype(x.dtype.newbyteorder(">"))


LAYOUTS = {
    "fortran": np.asfortranarray,
    "strided": _strided,
    "turned round": _turned_round,
    "unaligned": _unaligned,
    "repeated": _repeated,
    "read-only": _read_only,
    "other bytes": _other_bytes,
    "middle": lambda x: np.pad(x, 1)[(slice(1, -1),) * x.ndim],
    "as it is": lambda x: x,
}
