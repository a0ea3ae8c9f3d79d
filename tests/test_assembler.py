import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.assembler.assemble import assemble, assemble_file
from verified_mlp.assembler.forms import parse_line
from verified_mlp.assembler.listing import format_listing, format_symbols
from verified_mlp.assembler.parse import parse
from verified_mlp.assembler.syntax import AssemblyError, Instruction, LineError, Statement
from verified_mlp.machine.host import Host, Outcome
from verified_mlp.machine.image_formats import Format, fit_shape
from verified_mlp.machine.interpreter import Interpreter
from verified_mlp.machine.state import State


def numbers(text: str) -> list[int]:
    return assemble(text).numbers


def printed(text: str, given: bytes = b"", steps: int = 10_000) -> bytes:
    """What a program prints until it halts."""
    program = assemble(text)
    shape = fit_shape(program.numbers, Format.DECIMAL)
    words = [number % shape.modulus for number in program.numbers]
    sink = BytesIO()
    state = State(mem=words + [0] * (shape.words - len(words)))
    host = Host(shape, Interpreter(shape, state), BytesIO(given), sink)
    assert host.run(steps) is Outcome.HALTED
    return sink.getvalue()


# The notation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2 3", [1, 2, 3]),
        ("1 2", [1, 2, 3]),
        ("1", [1, 1, 3]),
        ("1 2 3; 4 5; 6", [1, 2, 3, 4, 5, 6, 6, 6, 9]),
        ("1 2 3\n4 5\r\n6\r7 8 9", [1, 2, 3, 4, 5, 6, 6, 6, 9, 7, 8, 9]),
        (";; 1 2 3;;\n\n; ;4 5 6;", [1, 2, 3, 4, 5, 6]),
        ("\t1\f2 \v3  ", [1, 2, 3]),
        ("1 2 3 # 4; 5\n#6\n . 7 #", [1, 2, 3, 7]),
        (". 1", [1]),
        (". 1 2 3 4 5", [1, 2, 3, 4, 5]),
        (".1; .2", [1, 2]),
        (". 007 000", [7, 0]),
        (". ? ? ?; ?", [1, 2, 3, 4, 4, 6]),
        ("? ? ?", [1, 2, 3]),
        ("?+1; ?-1 ?", [2, 2, 3, 3, 5, 6]),
        ("a:1 b:2 c:3; a b c", [1, 2, 3, 0, 1, 2]),
        ("a: 1 b : 2; c :d:a b; . d", [1, 2, 3, 0, 1, 6, 3]),
        ("top:\n\n1 2 top", [1, 2, 0]),
        ("1 2 end\nend:", [1, 2, 3]),
        ("x: . 5 x", [5, 0]),
        ("x: . y: 5 x y", [5, 0, 0]),
        (". (-1) 2", [-1, 2]),
        (". -1", [-1]),
        (". a:-1 b: -2 c: - 3", [-1, -2, -3]),
        (". 5-3 5 - 3 (5-3) (5 -3) 5- 3", [2, 2, 2, 2, 2]),
        (". 1+2-3+4", [4]),
        (". 1-(2-(3-4))", [-2]),
        (". -(1-2)", [1]),
        (". 1 - -2", [3]),
        (". 1--2", [3]),
        (". 1+-+-2", [3]),
        (". -1+2", [1]),
        (". ((((7))))", [7]),
        ("a:b-a b:a-b c:-a", [1, -1, 0]),
        (". ?-? ?+? (-?)", [0, 4, -3]),
        (
            ". 'a' '\\n' '\\'' '\\\\' '\"' '\\x41' '\\0' ' ' '#' ';'",
            [97, 10, 39, 92, 34, 65, 0, 32, 35, 59],
        ),
        (". 'b' - 'a'", [1]),
        ('. "ab" 1 "c"', [97, 98, 1, 99]),
        ('. "\\t\\r\\x7f\\"" "" "#;.\'"', [9, 13, 127, 34, 35, 59, 46, 39]),
        ('. "é\\xff"', [0xC3, 0xA9, 0xFF]),
        ('. t: "ab" e: t e', [97, 98, 0, 2]),
        ("m (-1); . m:7", [3, -1, 3, 7]),
        ("m(-1); . m:7", [3, -1, 3, 7]),
    ],
)
def test_the_notation(text: str, expected: list[int]) -> None:
    assert numbers(text) == expected


def test_the_second_operand_is_the_first_once_more() -> None:
    """Generated code clears a cell further on by `?+n`, which both operands must mean."""
    assert numbers("?+11") == [12, 12, 3]
    assert numbers("a: ?-a; b: a+?") == [1, 1, 3, 4, 4, 6]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        # Addresses by hand where there is a choice, all three operands, labels on cells.
        ("O (-1) 3\nk (-1) 6\n0 0 (-1)\nO:79 k:107", b"Ok"),
        # Operands left out, a patched operand, label arithmetic, one label on a cell that holds
        # its own address.
        (
            'put; here Z; Z put; Z\nput:0 (-1)\nstep here\nput; stop Z; Z put; Z;\n'
            'here put (-1)\nZ Z 0\n. here:text Z:0 step:-1\n. text: "Well, well.\\n" stop:stop',
            b"Well, well.\n",
        ),
        ("more: text (-1); minus more; minus last+1\nlast: Z text (-1); Z Z more\n"
         '. minus: -1\n. text: "one pointer, two uses\\n" Z: 0', b"one pointer, two uses\n"),
    ],
)  # fmt: skip
def test_programs_in_the_notations_of_the_wiki(text: str, output: bytes) -> None:
    assert printed(text) == output


def test_the_layout_of_the_short_notation() -> None:
    """Worked out by hand: what is left out, a patched operand, a label that is its own address."""
    text = (
        "t; from Z; Z t\nt:0 (-1)\none from;\nlast t 0; Z Z (-1)\n. from:a Z:0 one:-1 a:7 last:last"
    )
    assert numbers(text) == [
        9, 9, 3, 21, 22, 6, 22, 9, 9,  # t; from Z; Z t
        0, -1, 12, 23, 21, 15,  # t:0 (-1); one from
        25, 9, 0, 22, 22, -1,  # last t 0; Z Z (-1)
        24, 0, -1, 7, 25,
    ]  # fmt: skip


def test_labels_of_a_program() -> None:
    program = assemble("start: x x (-1); . x: 'x' y: 2\nend:")
    assert program.symbols == {"start": 0, "x": 3, "y": 4, "end": 5}
    assert format_symbols(program) == "0 start\n3 x\n4 y\n5 end\n"


def test_a_listing() -> None:
    program = assemble('go: x (-1)\n\n# text\n. x: "Hello, you"  # ten\n', "a.asm")
    assert format_listing(program) == (
        "# a.asm\n"
        "       0  3 -1 3                             1  go: x (-1)\n"
        "       3                                     2\n"
        "       3                                     3  # text\n"
        '       3  72 101 108 108 111 44              4  . x: "Hello, you"  # ten\n'
        "       9  32 121 111 117\n"
    )


# Macros and included files


def test_macros() -> None:
    text = """
.macro clear x
    x
.end
.macro move from to      # from and to are numbers: sums of labels
    clear to; from Z; Z to; Z
.end
start: move a+1 b; . a: 1 2 b: 3 Z: 0
"""
    assert numbers(text) == [14, 14, 3, 13, 15, 6, 15, 14, 9, 15, 15, 12, 1, 2, 3, 0]


def test_labels_of_a_macro_are_its_own() -> None:
    text = ".macro spin x\ntop: x top\n.end\nspin 5; top: spin top; spin 1"
    assert numbers(text) == [5, 0, 3, 3, 3, 6, 1, 6, 9]
    assert assemble(text).symbols == {"top": 3}


def test_a_name_of_the_user_is_not_the_macros_own() -> None:
    """The argument `top` is the user's label, though the macro has one of that name."""
    assert numbers(".macro f x\ntop: x 7 top\n.end\n. 9\ntop: 1 2 3; f top") == [
        9, 1, 2, 3, 1, 7, 4,
    ]  # fmt: skip


def test_arguments_go_down_through_macros() -> None:
    text = ".macro in x\n. x x+1\n.end\n.macro mid x\nin x-10\n.end\nmid 100+y\ny:"
    assert numbers(text) == [92, 93]


def test_arguments_that_double_take_no_long_time() -> None:
    levels = 80
    text = ".macro m0 x\n. x - x\n.end\n"
    for level in range(1, levels):
        text += f".macro m{level} x\nm{level - 1} x+x\n.end\n"
    assert numbers(f"{text}m{levels - 1} a\na:") == [0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".macro f;.end; f; . 1", [1]),
        (".macro f a; . a; .end\n f 1;f 2", [1, 2]),
        (".macro f\n.end\nx: f; . x", [0]),
        (".macro f\nx: . 1 x\nend:\n.end\nf; f", [1, 0, 1, 2]),
        (".macro: 5 ;.end:1; .include:2 macro; . end", [5, 1, 2, 0, 1]),
    ],
)
def test_odd_places_for_macros(text: str, expected: list[int]) -> None:
    assert numbers(text) == expected


def test_included_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lib").mkdir()
    Path("main.asm").write_text('.include "lib/one.asm"; . 1\n.include "lib/two.asm"\n. 2 two\n')
    Path("lib/one.asm").write_text('. 10\n.include "two.asm"\n. 11\n')
    Path("lib/two.asm").write_text('two: .20\n.include "../main.asm"\n.include "./one.asm"')
    program = assemble_file(Path("main.asm"))
    # A file that is included again is passed over, so these three may include each other.
    assert program.numbers == [10, 20, 11, 1, 2, 1]
    assert [(place.source, place.line, address) for place, address in program.lines] == [
        ("main.asm", 1, 0),
        ("lib/one.asm", 1, 0),
        ("lib/one.asm", 2, 1),
        ("lib/two.asm", 1, 1),
        ("lib/two.asm", 2, 2),
        ("lib/two.asm", 3, 2),
        ("lib/one.asm", 3, 2),
        ("main.asm", 1, 3),
        ("main.asm", 2, 4),
        ("main.asm", 3, 4),
    ]


def test_a_fault_in_an_included_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.asm").write_text('. 1\n.include "b.asm"\n')
    Path("b.asm").write_text("\n x y z\n")
    with pytest.raises(AssemblyError) as error:
        assemble_file(Path("a.asm"))
    assert str(error.value).startswith("b.asm, line 2, column 2: there is no label 'x:'.")
    Path("b.asm").write_bytes(b". 1\xff")
    with pytest.raises(AssemblyError) as error:
        assemble_file(Path("a.asm"))
    assert str(error.value) == (
        "a.asm, line 2, column 1: the source b.asm is not a text file (see byte 3): save it as "
        'UTF-8.\n    .include "b.asm"\n    ^'
    )


def test_many_files_one_in_another(tmp_path: Path) -> None:
    count = 1500
    for number in range(count):
        Path(tmp_path, f"{number}.asm").write_text(f'.include "{number + 1}.asm"\n. {number}')
    Path(tmp_path, f"{count}.asm").write_text(". 7")
    assert assemble_file(Path(tmp_path, "0.asm")).numbers == [7, *reversed(range(count))]


# Forms of lines


def test_lines_of_one_form_have_their_own_names_and_columns() -> None:
    for text in ("a: b c+5", "longer:  other (more)-12"):
        (statement,) = parse_line(text)
        assert isinstance(statement, Instruction)
        first, second = statement.items
        assert text[first.column - 1 :].startswith(("b", "other"))
        assert text[second.column - 1 :].startswith(("c", "(more"))
        assert [label.column for label in first.labels] == [1]


WORDS = st.sampled_from(
    ["a", "bc", "x_1", "0", "17", "l:", "l :", "?", "+", "-", "(", ")", ".", ";", "'c'", '"a b"',
     "# c", " ", "  ", "\t", ".macro", ".end", ".include", ":", "'", '"', "\\", "é", ",", "5x"]
)  # fmt: skip


def said(parser: Callable[[str], list[Statement]], text: str) -> list[Statement] | str:
    """The statements of a line, or where and why there are none."""
    try:
        return parser(text)
    except LineError as error:
        return f"{error.column}: {error}"


@given(st.lists(WORDS, max_size=12).map("".join))
def test_a_line_parsed_by_its_form_is_the_line(text: str) -> None:
    """Numbers apart, which the form's filler makes of words."""
    direct, by_form = said(parse, text), said(parse_line, text)
    if isinstance(direct, str) or not any(each in "0123456789" for each in text):
        assert by_form == direct


def test_no_line_ends_where_no_line_ends() -> None:
    """A form feed or a line separator is no new line."""
    assert numbers("1 2\x0c3") == [1, 2, 3]
    with pytest.raises(AssemblyError, match=r"line 1, column 4: the character U\+2028"):
        assemble("1 2\u20283")


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes only there")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.asm"))
    path.write_text(". 1 x: 2")
    assert assemble_file(path).numbers == [1, 2]
