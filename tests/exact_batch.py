"""What several tests share: networks run on many points at once, in exact integer arithmetic."""

from dataclasses import replace

import numpy as np
import scipy.sparse

from verified_mlp.statement import arrays
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import const
from verified_mlp.statement.network import Layer, Neurons, Placed


def csr(network, depth):
    """The exact matrix of a layer, int64 CSR, and its bias as a column."""
    found = arrays.entries(network, depth)
    assert found.weights.dtype == found.bias.dtype == np.int64
    matrix = scipy.sparse.csr_array((found.weights, (found.rows, found.columns)), found.shape)
    return matrix, found.bias[:, None]


def layers(network, dtype=np.int64):
    """Matrix and bias of every layer, in an integer type."""
    found = [csr(network, depth) for depth in range(len(network.layers))]
    for matrix, bias in found:
        assert max(abs(matrix).max(), abs(bias).max()) <= np.iinfo(dtype).max
    return [(matrix.astype(dtype), bias.astype(dtype)) for matrix, bias in found]


def forward(weights, batch):
    """The last layer's neurons for a batch, an array [entries, points].

    That no sum overflows, in whatever order, is checked at every layer.
    """
    for matrix, bias in weights:
        row = int(np.max(abs(matrix).sum(axis=1, dtype=np.int64)))
        limit = row * int(batch.max(initial=0)) + int(abs(bias).max(initial=0))
        assert limit <= np.iinfo(batch.dtype).max
        batch = matrix @ batch
        batch += bias
        np.maximum(batch, 0, out=batch)
    return batch


def with_outputs(network):
    """The network with one more layer whose rows are the outputs (their ReLU is to be left out)."""
    families = tuple(
        Neurons(output.name, output.indices, output.form, output.largest)
        for output in network.outputs
    )
    last = Layer(tuple(Placed(f.name, None, 0, f.indices, {}, {}, (f,)) for f in families))
    return replace(network, layers=(*network.layers, last))


def standing(gadget, parameters):
    """A network that is one gadget, its parameters settled."""
    inputs = [
        replace(source, high=source.largest.substitute(settled(parameters)))
        for source in gadget.network.inputs
    ]
    ghosts = {parameter.name for parameter in gadget.parameters if parameter.ghost}
    build = Builder(gadget.title, inputs)
    now = build.layer()
    wires = {source.name: getattr(now, source.name) for source in inputs}
    given = {name: number for name, number in parameters.items() if name not in ghosts}
    build.place(gadget, "g", (), given, **wires)
    for _ in gadget.network.layers[1:]:
        build.layer()
    done = build.close().g
    outputs = []
    for output in gadget.network.outputs:
        signal = done if len(gadget.network.outputs) == 1 else getattr(done, output.name)
        form = signal[output.indices] if output.indices else signal
        largest = output.largest.substitute(settled(parameters))
        outputs.append(build.output(output.name, output.indices, form, largest, output.word))
    return build.build(*outputs)


def settled(parameters):
    """Parameters as expressions."""
    return {name: const(number) for name, number in parameters.items()}


def state_vectors(shape, state, results=(0, 0, 0), dtype=np.int64):
    """State vectors [entries, states] of a batch of states, which `Before` or `After` holds.

    `results` are what is wanted, the output word and whether it is valid.
    """
    wanted, output, valid = results
    mem = state.mem.words
    words = [mem[:, place] for place in range(shape.words)]
    bits = shape.bits
    rows = [(word, bit) for word in words for bit in range(bits)]
    for word, digits in (
        (state.pc, bits),
        (state.fault, 1),
        (state.input, bits),
        (state.ready, 1),
        (wanted, 1),
        (output, bits),
        (valid, 1),
    ):
        rows += [(word, bit) for bit in range(digits)]
    vectors = np.empty((len(rows), len(mem)), dtype=dtype)
    for at, (word, bit) in enumerate(rows):
        vectors[at] = (word >> bit) & 1
    return vectors


def vectors_after(shape, after, dtype=np.int64):
    """State vectors [entries, states] of what a step leaves, its results among them."""
    return state_vectors(shape, after, (after.wanted, after.output, after.valid), dtype)
