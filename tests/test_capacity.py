import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numeric import capacity
from numeric.capacity import DoesNotFitError, check_fits, entries_at_most, in_gib, needed_bytes
from numeric.engines import EngineName, build
from numeric.lower import lower
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import Shape

DENSE, SPARSE = EngineName


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 64), st.integers(4, 40))
def test_the_count_of_entries_is_an_upper_bound(bits: int, words: int) -> None:
    network = paper(Shape(bits, min(words, 2**bits)))
    for depth, layer in enumerate(lower(network)):
        assert layer.weights.nnz <= entries_at_most(network, depth)


@pytest.mark.parametrize("shape", [Shape(16, 256), Shape(32, 512), Shape(64, 300)], ids=str)
def test_the_count_of_entries_is_close(shape: Shape) -> None:
    network = paper(shape)
    counted = sum(entries_at_most(network, depth) for depth in range(23))
    assert counted <= 1.05 * sum(layer.weights.nnz for layer in lower(network))


@pytest.mark.parametrize("shape", [Shape(4, 4), Shape(8, 64), Shape(16, 40)], ids=str)
def test_an_engine_takes_no_more_than_was_said(shape: Shape) -> None:
    network = paper(shape)
    dense = sum(weights.nbytes + bias.nbytes for weights, bias in build(network, DENSE).layers)
    assert dense <= needed_bytes(network, DENSE)
    sparse = sum(
        matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes + bias.nbytes
        for matrix, bias in build(network, SPARSE).layers
    )
    assert sparse <= needed_bytes(network, SPARSE)


def test_an_engine_that_fits_just_so() -> None:
    shape = Shape(8, 64)
    needed = needed_bytes(paper(shape), DENSE)
    check_fits(paper(shape), shape, DENSE, needed)
    check_fits(paper(shape), shape, DENSE, None)
    with pytest.raises(DoesNotFitError):
        check_fits(paper(shape), shape, DENSE, needed - 1)


def test_a_dense_engine_that_does_not_fit() -> None:
    shape = Shape(16, 1024)
    with pytest.raises(DoesNotFitError) as error:
        check_fits(paper(shape), shape, DENSE, 8 * 2**30)
    assert str(error.value) == (
        f"the dense engine needs {in_gib(needed_bytes(paper(shape), DENSE))} of memory for "
        f"16 bits x 1024 words, but 8.0 GiB are available: choose the sparse engine or fewer words."
    )


def test_a_sparse_engine_that_does_not_fit() -> None:
    shape = Shape(64, 2**24)
    with pytest.raises(DoesNotFitError) as error:
        check_fits(paper(shape), shape, SPARSE, 8 * 2**30)
    assert str(error.value) == (
        f"the sparse engine needs {in_gib(needed_bytes(paper(shape), SPARSE))} of memory for "
        f"64 bits x 16777216 words, but 8.0 GiB are available: choose the support engine or fewer "
        f"words."
    )


def test_the_system_says_what_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    found = capacity.available_bytes()
    assert found is not None
    assert 2**20 < found < 2**50

    def fail(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(capacity.Path, "read_text", fail)
    total = capacity.available_bytes()
    assert total is not None
    assert total >= found
    monkeypatch.setattr(capacity.os, "sysconf", lambda name: fail())
    assert capacity.available_bytes() is None
