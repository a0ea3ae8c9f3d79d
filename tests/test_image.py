from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.machine.image import ImageError, format_image, parse_image, read_image
from verified_mlp.machine.shape import Shape

SHAPE = Shape(16, 8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2 3", [1, 2, 3]),
        ("1,2,3", [1, 2, 3]),
        ("1\n2\n3", [1, 2, 3]),
        ("1\r\n2\r3\r\n", [1, 2, 3]),
        ("\t1 ,\t2,\n\n ,3 ,", [1, 2, 3]),
        ("-1 65535 -32768 32768 +7 007 -0", [65535, 65535, 32768, 32768, 7, 7, 0]),
        ("1 # 2\n3", [1, 3]),
        ("1 ; 2\n3", [1, 3]),
        ("1 // 2\n3", [1, 3]),
        ("1// ; # 2\n3#\n;\n//\n", [1, 3]),
        ("# Straße\n1", [1]),
        ("1" + "# 0" * 9, [1]),
        ("0" * 5000 + "9", [9]),
    ],
)
def test_words(text: str, words: list[int]) -> None:
    assert parse_image(text, SHAPE) == words


@pytest.mark.parametrize(
    ("bits", "low", "high"),
    [(4, -8, 15), (16, -32768, 65535), (64, -9223372036854775808, 18446744073709551615)],
)
def test_the_ends_of_the_range(bits: int, low: int, high: int) -> None:
    shape = Shape(bits, 4)
    assert parse_image(f"{low} {high}", shape) == [-low, high]
    for beyond in (low - 1, high + 1):
        with pytest.raises(ImageError) as error:
            parse_image(f"1\n2 {beyond}", shape, "file")
        assert str(error.value) == (
            f"file, line 2, word 2: {beyond} is out of range: a word of {bits} bits is {low} to "
            f"{high}."
        )


@pytest.mark.parametrize("word", ["9" * 400, "-" + "9" * 5000])
def test_a_word_far_out_of_range(word: str) -> None:
    with pytest.raises(ImageError) as error:
        parse_image(word, SHAPE, "file")
    assert str(error.value) == (
        f"file, line 1, word 1: {word[:27]}... is out of range: a word of 16 bits is -32768 to "
        f"65535."
    )


@pytest.mark.parametrize("word", ["x", "1.0", "0x10", "1_000", "--1", "+", "-", "1e3", "٣", "1/2"])
def test_a_word_that_is_no_integer(word: str) -> None:
    with pytest.raises(ImageError) as error:
        parse_image(f"0 0 ; 5\n\n4, {word} 6", SHAPE, "file")
    assert str(error.value) == (
        f"file, line 3, word 2: {word!r} is no integer. An image is decimal words; comments begin "
        f"with '#', ';' or '//'."
    )


@pytest.mark.parametrize("text", ["", "\n \n", "# 1 2 3\n; 4\n// 5", ",,,"])
def test_an_empty_image(text: str) -> None:
    with pytest.raises(ImageError) as error:
        parse_image(text, SHAPE, "file")
    assert str(error.value) == "file is empty: an image is decimal words, and it has none."


def test_more_words_than_memory() -> None:
    assert len(parse_image("1 2 3 4\n5 6 7 8", SHAPE)) == 8
    with pytest.raises(ImageError) as error:
        parse_image("1 2 3 4\n5 6 7 8 9", SHAPE, "file")
    assert str(error.value) == (
        "file, line 2, word 5: the image has more words than the memory, which holds 8. Choose "
        "more words of memory or a shorter image."
    )


def refusal(path: Path) -> str:
    with pytest.raises(ImageError) as error:
        read_image(path, SHAPE)
    return str(error.value)


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    good, missing, binary = Path("good"), Path("missing"), Path("binary")
    good.write_bytes(b"\xef\xbb\xbf1 2 # \xc3\xa9\r\n-1")
    assert read_image(good, SHAPE) == [1, 2, 65535]
    assert refusal(missing) == "cannot read the image missing: No such file or directory."
    assert refusal(Path()) == "cannot read the image .: Is a directory."
    for content, at in ((b"1 2 \xff", 4), (b"1\0", 1), (b"\x89PNG", 0)):
        binary.write_bytes(content)
        assert refusal(binary) == (
            f"binary is not a text file (see byte {at}): an image is decimal words in plain text."
        )
    assert refusal(Path("-")) == (
        "the image cannot come from standard input, which belongs to the program: give the name "
        "of a file."
    )


@given(st.data())
def test_what_is_written_is_read_back(data: st.DataObject) -> None:
    bits = data.draw(st.integers(4, 64))
    shape = Shape(bits, data.draw(st.integers(4, min(2**bits, 50))))
    word = st.integers(0, shape.modulus - 1)
    words = data.draw(st.lists(word, min_size=1, max_size=shape.words))
    text = format_image(words, shape)
    assert parse_image(text, shape) == words
    assert len(text.splitlines()) == len(words)


@given(st.text(max_size=60))
def test_any_text_is_words_or_refused_with_a_sentence(text: str) -> None:
    try:
        words = parse_image(text, SHAPE, "file")
    except ImageError as error:
        assert str(error).startswith("file")  # noqa: PT017
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert 1 <= len(words) <= SHAPE.words
        assert all(0 <= word < SHAPE.modulus for word in words)
