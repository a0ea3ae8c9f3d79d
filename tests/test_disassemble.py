from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.assembler.assemble import assemble
from verified_mlp.assembler.disassemble import disassemble
from verified_mlp.machine.image_formats import Format, Image, decode_image, fit_shape
from verified_mlp.machine.shape import Shape

EXAMPLES = Path(__file__).parent.parent / "examples"


def source(text: str, bits: int | None = None) -> list[str]:
    """The lines of the source of a decimal image, but for the first."""
    return disassemble(decode_image(text.encode(), Format.DECIMAL, bits)).splitlines()[1:]


@pytest.mark.parametrize(
    ("image", "lines"),
    [
        ("7", [". 7"]),
        ("3 3 3 0 0 -1", ["L0: L3", "L3: L0 L0 (-1)"]),
        ("2 1 3 1 1 -1", ["L2 L1: L1 L2: ?", "L1 L1 (-1)"]),
        ("9 10 3 9 9 -1 1 2 3 4 5", ["L9 L10", "L9 L9 (-1)", ". 1 2 3", ". L9: 4", ". L10: 5"]),
        # The first instruction always jumps, so what follows it is not reached.
        ("0 0 6 1 2 3 7 7 -1", ["L0: L0 L0 L6", ". 1 2 3", "L6: L7 L7: L7 (-1)"]),
        # An instruction that begins in the middle of another is not written as one.
        ("8 9 1 0 0 -1 5 6 7 8",
         ["L0: L8 L1: L9 L1", "L0 L0 (-1)", ". 5 6", ". L8: 7", ". L9: 8"]),
        ("3 3 -1 72 101 108 108 111 10 34 92", ["L3 L3 (-1)", '. L3: "Hello\\n\\"\\\\"']),
        ("3 3 -1 " + "5 " * 20, ["L3 L3 (-1)", ". L3: 5 5 5 5 5 5 5 5", ". 5 5 5 5 5 5 5 5",
                                 ". 5 5 5 5"]),
        ("3 3 -1 1 97 98 99 100 2 97 98 99", ["L3 L3 (-1)", ". L3: 1", '. "abcd"', ". 2 97 98 99"]),
        ("65535 3 65535 70000 -5", ["65535 L3 65535", ". L3: 70000 (-5)"]),
    ],
)  # fmt: skip
def test_sources(image: str, lines: list[str]) -> None:
    assert source(image) == lines


def test_the_head_names_the_shape() -> None:
    text = disassemble(decode_image(b"70000 1", Format.DECIMAL, None, 300))
    assert text.splitlines()[0] == "# shape: --bits 17 --words 300"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.sq")), ids=lambda path: path.name)
def test_the_examples_come_back(path: Path) -> None:
    image = decode_image(path.read_bytes())
    text = disassemble(image)
    assert assemble(text).numbers == image.numbers
    assert "(-1)" in text
    assert sum(line.startswith(".") for line in text.splitlines()) < len(text.splitlines())


@given(st.data())
def test_every_image_comes_back(data: st.DataObject) -> None:
    bits = data.draw(st.integers(4, 64))
    half, most = 2 ** (bits - 1), min(2**bits, 60)
    anything = st.integers(-half, 2 * half - 1)
    address = st.integers(-1, min(2 * half - 1, 60))
    size = data.draw(st.integers(1, most))
    numbers = data.draw(
        st.lists(st.one_of(anything, address, address, address), min_size=size, max_size=size)
    )
    image = Image(numbers, Shape(bits, max(4, size)))
    assert assemble(disassemble(image), "file", bits, max(4, size)).numbers == numbers


@given(st.text(alphabet=" \"\\\n#;.'xé\t?(", max_size=40))
def test_every_string_comes_back(text: str) -> None:
    numbers = [0, 0, -1, *text.encode()]
    image = Image(numbers, fit_shape(numbers, Format.DECIMAL))
    assert assemble(disassemble(image)).numbers == numbers
