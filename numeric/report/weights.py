"""The network's float64 arrays as text, for the page that executes them.

A layer is four arrays one after the other, little-endian: the weights that are not zero (float64,
row by row), the bias (float64), how many weights each row has (uint32), and their columns
(uint32: the first of a row as it is, the others as the distance from the one before).  They are
compressed by zlib and written in base64.  `network.js` reads them.
"""

from __future__ import annotations

import base64
import zlib
from itertools import pairwise

import numpy as np

from numeric.lower import Array, Sparse


def encoded(weights: Sparse, bias: Array) -> str:
    """The text of one layer, y = ReLU(weights @ x + bias)."""
    matrix = weights.tocsr(copy=True)
    matrix.sort_indices()
    counts = np.diff(matrix.indptr)
    columns = matrix.indices.astype(np.int64)
    distances = np.diff(columns, prepend=0)
    first = matrix.indptr[:-1][counts > 0]
    distances[first] = columns[first]
    parts = (
        matrix.data.astype("<f8"),
        bias.astype("<f8"),
        counts.astype("<u4"),
        distances.astype("<u4"),
    )
    content = b"".join(part.tobytes() for part in parts)
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def decoded(text: str, rows: int, columns: int, nonzeros: int) -> tuple[Sparse, Array]:
    """The layer that a text has, which has so many rows, columns and non-zero weights.

    >>> import scipy.sparse as sp
    >>> weights, bias = sp.csr_array([[0.0, 2.0, -1.0], [0.0, 0.0, 0.0]]), np.array([0.0, 3.0])
    >>> again, same = decoded(encoded(weights, bias), 2, 3, 2)
    >>> again.toarray().tolist(), same.tolist()
    ([[0.0, 2.0, -1.0], [0.0, 0.0, 0.0]], [0.0, 3.0])
    """
    import scipy.sparse as sp

    content = zlib.decompress(base64.b64decode(text))
    ends = np.cumsum([0, 8 * nonzeros, 8 * rows, 4 * rows, 4 * nonzeros])
    parts = [content[start:end] for start, end in pairwise(ends)]
    data, bias = (np.frombuffer(part, "<f8") for part in parts[:2])
    counts, distances = (np.frombuffer(part, "<u4").astype(np.int64) for part in parts[2:])
    starts = np.concatenate([[0], np.cumsum(counts)])
    sums = np.cumsum(distances)
    before = np.concatenate([[0], sums])[starts[:-1]]
    indices = sums - np.repeat(before, counts)
    return sp.csr_array((data, indices, starts), (rows, columns)), bias
