"""Ways in which the same array can lie in memory."""

import numpy as np

__all__ = ["LAYOUTS"]

LAYOUTS = {
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "Fortran order": np.asfortranarray,
    "every other element": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "the other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
}
