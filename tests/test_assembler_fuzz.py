"""Any source or image is a program or a sentence: no traceback, and no waiting.

`pytest tests/test_assembler_fuzz.py --hypothesis-profile=fuzz` tries 100,000 of them.
"""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.assembler.assemble import assemble
from verified_mlp.assembler.listing import format_listing, format_symbols
from verified_mlp.assembler.syntax import AssemblyError
from verified_mlp.machine.image import ImageError
from verified_mlp.machine.image_formats import Format, decode_image

NAMES = st.sampled_from(["a", "b", "loop", "Z", "m", "n"])
NUMBERS = st.integers(0, 70000).map(str)
ATOMS = st.one_of(NAMES, NUMBERS, st.just("?"), st.sampled_from(["'c'", "'\\n'", "(-1)"]))
SUMS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-"), inner).map("".join),
        inner.map("({})".format),
    ),
    max_leaves=4,
)
ITEMS = st.tuples(st.sampled_from(["", "", "", "a: ", "b:", "loop:"]), SUMS).map("".join)
STATEMENTS = st.one_of(
    st.lists(ITEMS, min_size=1, max_size=4).map(" ".join),
    st.lists(ITEMS, min_size=1, max_size=6).map(lambda items: f". {' '.join(items)}"),
    st.sampled_from(
        ["a:", '. "text"', ".macro m", ".macro n a b", ".end", "m", "n 1 Z", '.include "file"',
         "# words", '. "', "n", ")", "m: Z"]
    ),
)  # fmt: skip
SOURCES = st.lists(
    st.tuples(STATEMENTS, st.sampled_from(["\n", "; ", "\r\n", " "])).map("".join), max_size=10
).map("".join)


def check(text: str) -> None:
    files = {"file": ". 1 a:2\n.macro f\n.end"}
    try:
        program = assemble(text, "source", 32, 60, lambda path: files[Path(path).name])
    except AssemblyError as error:
        message = str(error)
        assert message.startswith(("source, line ", "file, line ", "the source source is empty"))
        return
    assert 1 <= len(program.numbers) <= 60
    assert all(-(2**31) <= number < 2**32 for number in program.numbers)
    assert all(0 <= address <= len(program.numbers) for address in program.symbols.values())
    assert len(format_symbols(program).splitlines()) == len(program.symbols)
    assert format_listing(program).endswith("\n")


@given(SOURCES)
def test_sources(text: str) -> None:
    check(text)


@given(st.text(max_size=80))
def test_texts(text: str) -> None:
    check(text)


@given(st.text(alphabet=".?:;+-()'\"\\#ab01 \n\t", max_size=80))
def test_signs(text: str) -> None:
    check(text)


@given(st.binary(max_size=60))
def test_bytes(content: bytes) -> None:
    check(content.decode("latin-1"))


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(alphabet="0123456789- \n\t#;", max_size=60).map(str.encode),
    ),
    st.sampled_from(list(Format)),
)
def test_images(content: bytes, kind: Format) -> None:
    try:
        image = decode_image(content, kind, words=12, name="image")
    except ImageError as error:
        message = str(error)
        assert message.startswith("image")
        assert message.endswith(".")
        return
    assert 1 <= len(image.words) <= image.shape.words == 12
    assert all(0 <= word < image.shape.modulus for word in image.words)
