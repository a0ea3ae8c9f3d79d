from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.machine.image import ImageError
from verified_mlp.machine.image_formats import (
    Format,
    decode_image,
    encode_image,
    fit_shape,
    load_image,
)
from verified_mlp.machine.shape import Shape

BINARY = [Format.BE16, Format.BE32, Format.BE64]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Format.DECIMAL, b"1\n-2\n258\n"),
        (Format.BE16, bytes.fromhex("0001 fffe 0102")),
        (Format.BE32, bytes.fromhex("00000001 fffffffe 00000102")),
        (Format.BE64, bytes.fromhex("0000000000000001 fffffffffffffffe 0000000000000102")),
    ],
)
def test_the_formats(kind: Format, content: bytes) -> None:
    assert encode_image([1, -2, 258], kind, 16) == content
    image = decode_image(content, kind)
    assert image.numbers == [1, -2, 258]
    assert image.shape == Shape(kind.bits or 16, 256)
    assert image.words == [1, image.shape.modulus - 2, 258]


@pytest.mark.parametrize(
    ("numbers", "kind", "bits", "words", "shape"),
    [
        ([0], "decimal", None, None, (16, 256)),
        ([65535, -32768], "decimal", None, None, (16, 256)),
        ([65536], "decimal", None, None, (17, 256)),
        ([-32769], "decimal", None, None, (17, 256)),
        ([2**64 - 1], "decimal", None, None, (64, 256)),
        ([0] * 257, "decimal", None, None, (16, 257)),
        ([0] * 65536, "decimal", None, None, (16, 65536)),
        ([0] * 65537, "decimal", None, None, (17, 65537)),
        ([0], "decimal", None, 70000, (17, 70000)),
        ([0], "decimal", None, 10, (16, 10)),
        ([0], "decimal", 8, None, (8, 256)),
        ([0], "decimal", 5, None, (5, 32)),
        ([0], "be16", None, None, (16, 256)),
        ([0], "be32", None, None, (32, 256)),
        ([0], "be64", None, None, (64, 256)),
        ([0] * 70000, "be16", None, None, (17, 70000)),
        ([0], "be32", 20, 4, (20, 4)),
    ],
)
def test_a_machine_that_serves(
    numbers: list[int],
    kind: str,
    bits: int | None,
    words: int | None,
    shape: tuple[int, int],
) -> None:
    assert fit_shape(numbers, Format(kind), bits, words) == Shape(*shape)


def refusal(content: bytes, kind: str, bits: int | None = None, words: int | None = None) -> str:
    with pytest.raises(ValueError, match=r"\.$") as error:
        decode_image(content, Format(kind), bits, words, "file")
    return str(error.value)


def test_what_does_not_fit() -> None:
    assert refusal(b"\0\1\2", "be16") == (
        "file, word 1: only 1 of its 2 bytes are there. Choose the format that the image has, or a "
        "whole image."
    )
    assert refusal(b"\0" * 15, "be64") == (
        "file, word 1: only 7 of its 8 bytes are there. Choose the format that the image has, or a "
        "whole image."
    )
    assert refusal(b"", "be32") == ("file is empty: an image is words of 4 bytes, and it has none.")
    assert refusal(bytes.fromhex("00ff 0100"), "be16", 8) == (
        "file, word 1: 256 is out of range: a word of 8 bits is -128 to 255."
    )
    assert refusal(bytes.fromhex("ff80 ff7f"), "be16", 8) == (
        "file, word 1: -129 is out of range: a word of 8 bits is -128 to 255."
    )
    assert refusal(bytes.fromhex("0000 0001 0002 0003 fffc 0005"), "be16", None, 4) == (
        "file, word 4 (-4): the image has 6 words, more than the memory, which holds 4. Choose "
        "more words of memory or a shorter image."
    )
    assert refusal(b"\0\0" * 17, "be16", 4) == (
        "file, word 16 (0): the image has 17 words, more than the memory, which holds 16. Choose "
        "more words of memory or a shorter image."
    )
    assert refusal(b"1 2 3 4\n5", "decimal", 16, 4) == (
        "file, line 2, word 1: the image has more words than the memory, which holds 4. Choose "
        "more words of memory or a shorter image."
    )
    assert refusal(b"1 " + b"9" * 20, "decimal") == (
        "file, line 1, word 2: 99999999999999999999 is out of range: a word of 64 bits is "
        "-9223372036854775808 to 18446744073709551615."
    )
    assert refusal(b"\0\1", "decimal") == (
        "file is not a text file (see byte 0): an image is decimal words in plain text."
    )
    for bits in (0, 3, 65):
        assert refusal(b"1", "decimal", bits) == (
            f"bits = {bits} is out of range: choose 4 to 64 bits a word."
        )
    for words in (0, 3, 2**24 + 1):
        assert refusal(b"1", "decimal", None, words).startswith(f"words = {words} is out of range")


@pytest.mark.parametrize(
    ("number", "kind", "bits", "high"),
    [
        (70000, "be16", 17, 32767),
        (32768, "be16", 17, 32767),
        (-32769, "be16", 17, 32767),
        (2**31, "be32", 40, 2**31 - 1),
    ],
)
def test_numbers_that_a_format_cannot_hold(number: int, kind: str, bits: int, high: int) -> None:
    with pytest.raises(ImageError) as error:
        encode_image([1, number], Format(kind), bits, "file")
    assert str(error.value) == (
        f"file, word 1: {number} does not fit: a word of {bits} bits in the format {kind} is "
        f"{-high - 1} to {high}. Choose a wider format."
    )


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"\0\1\xff\xff")
    assert load_image(path, Format.BE16).words == [1, 65535]
    with pytest.raises(ImageError, match="cannot read the image"):
        load_image(tmp_path, Format.BE16)


@given(st.data(), st.sampled_from(list(Format)))
def test_what_is_written_is_read_back(data: st.DataObject, kind: Format) -> None:
    bits = data.draw(st.integers(4, 64))
    half, most = 2 ** (bits - 1), min(2**bits, 40)
    numbers = data.draw(st.lists(st.integers(-half, 2 * half - 1), min_size=1, max_size=most))
    words = [number % 2**bits for number in numbers]
    try:
        content = encode_image(numbers, kind, bits)
    except ImageError:
        assert kind.bits is not None
        assert kind.bits < bits
    else:
        assert decode_image(content, kind, bits).words == words


@given(st.integers(1, 64), st.data())
def test_a_decimal_image_chooses_its_machine_again(width: int, data: st.DataObject) -> None:
    number = st.integers(-(2 ** (width - 1)), 2**width - 1)
    numbers = data.draw(st.lists(number, min_size=1, max_size=10))
    shape = fit_shape(numbers, Format.DECIMAL)
    image = decode_image(encode_image(numbers, Format.DECIMAL, shape.bits))
    assert image == (numbers, shape)


@given(st.binary(max_size=64), st.sampled_from(list(Format)), st.integers(4, 64))
def test_any_bytes_are_an_image_or_refused(content: bytes, kind: Format, bits: int) -> None:
    try:
        image = decode_image(content, kind, bits, None, "file")
    except ImageError as error:
        assert str(error).startswith("file")  # noqa: PT017
    else:
        assert image.shape.bits == bits
        assert all(0 <= word < 2**bits for word in image.words)
