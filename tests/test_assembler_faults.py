import pytest
from hypothesis import given
from hypothesis import strategies as st

from verified_mlp.assembler.assemble import assemble
from verified_mlp.assembler.macros import MAX_DEPTH
from verified_mlp.assembler.syntax import AssemblyError, Place, SourceError

# What is said, and the sources of which it is said, with the line and column.
FAULTS: dict[str, list[tuple[str, int, int]]] = {
    (
        "'-' after a blank could begin an operand or continue a sum. Write (-x) for an "
        "operand of its own, or x - y for a sum."
    ): [
        ("a b -1", 1, 5),
        (". a:1 -1", 1, 7),
        ("a -(1)", 1, 3),
        (". 1 -9999999999999999999999999", 1, 5),
        (". 1 -5 # minus five", 1, 5),
    ],
    (
        "'+' after a blank could begin an operand or continue a sum. Write (+x) for an "
        "operand of its own, or x + y for a sum."
    ): [
        ("a +b", 1, 3),
    ],
    (
        "an instruction has one to three operands, and this has 4. Begin a data statement "
        "with '.', or end an instruction with ';'."
    ): [
        ("a b c d", 1, 7),
    ],
    (
        "an instruction has one to three operands, and this has 5. Begin a data statement "
        "with '.', or end an instruction with ';'."
    ): [
        ("1 2 3 4 5", 1, 7),
    ],
    "there is no label 'c:'. Write it before a cell, or correct the name.": [
        ("a:1; b:2\nc", 2, 1),
    ],
    "there is no label 'lop:'. Perhaps 'loop' is meant?": [
        ("loop: loop; x: lop", 1, 16),
    ],
    (
        "the label 'x' stands before no cell. Put it before one, or into a statement of "
        "its own, where it names the next cell."
    ): [
        ("a x:", 1, 3),
        (". x:", 1, 3),
    ],
    (
        "the label 'z' stands before no cell. Put it before one, or into a statement of "
        "its own, where it names the next cell."
    ): [
        ("x: y: . z:", 1, 9),
    ],
    "the data statement is empty. Give it a number, a sum or a string.": [
        (".", 1, 1),
        ("x: .", 1, 4),
        (". ; 1", 1, 1),
    ],
    "the name 'a' is given already at file, line 1. Give one of them another name.": [
        ("a: 1\n. a: 2", 2, 3),
    ],
    "the name 'x' is given already at file, line 1. Give one of them another name.": [
        ("x: 1 x:2", 1, 6),
        (".macro f x\nx: 1\n.end", 2, 1),
    ],
    (
        "'5x' is neither a number nor a name. Numbers are decimal, and names do not begin "
        "with a digit."
    ): [
        ("5x: 1", 1, 1),
    ],
    (
        "'0x10' is neither a number nor a name. Numbers are decimal, and names do not "
        "begin with a digit."
    ): [
        ("0x10 1", 1, 1),
    ],
    (
        "'12ab' is neither a number nor a name. Numbers are decimal, and names do not "
        "begin with a digit."
    ): [
        ("12ab", 1, 1),
    ],
    (
        "':' ends a label, and there is none before it. A label is a name: letters, digits "
        "and '_', with no digit first."
    ): [
        ("x : y : : 1", 1, 9),
        ("1:2", 1, 2),
        ("?: 5", 1, 2),
    ],
    "an operand is missing after '+'. Write one.": [
        ("a+", 1, 2),
        ("a + .", 1, 3),
    ],
    "an operand is missing after '-'. Write one.": [
        ("a - ; b", 1, 3),
        ("-", 1, 1),
    ],
    "the '(' is not closed. Put a ')' after its sum.": [
        ("(a", 1, 1),
        ("(a ; b)", 1, 1),
        ("a + (b", 1, 5),
    ],
    "'+', '-' or ')' is missing before '1'. Write one.": [
        ("a (b 1)", 1, 6),
    ],
    "a sum is missing after '('. Write one.": [
        ("()", 1, 1),
        ("a ( )", 1, 3),
    ],
    "this ')' closes nothing. Remove it, or write the '(' that it closes.": [
        ("a)", 1, 2),
        ("a))", 1, 2),
    ],
    "'+', '-' or ')' is missing before '2'. Write one.": [
        ("(1 2", 1, 4),
    ],
    "a string can stand only in a data statement. Begin that with '.'.": [
        ('a"s" 1', 1, 2),
        ('.macro f x\nx\n.end\nf "s"', 4, 3),
        ('a "s"', 1, 3),
    ],
    "a string cannot be part of a sum. Use a character in '...'.": [
        ('a + "s"', 1, 5),
        ('"s"+1', 1, 4),
        ('("s")', 1, 2),
    ],
    'the string has no end. Close it with " on the same line.': [
        ('"abc', 1, 1),
        ('. "abc\\"', 1, 3),
    ],
    "the character has no end. Close it with ' on the same line.": [
        ("'a", 1, 1),
        (". '", 1, 3),
    ],
    (
        "a character in '...' is one byte, and this is 2. Give one character, or a data "
        'statement with a string: . "...".'
    ): [
        ("'ab'", 1, 1),
        ("'é'", 1, 1),
    ],
    (
        "a character in '...' is one byte, and this is 0. Give one character, or a data "
        'statement with a string: . "...".'
    ): [
        ("''", 1, 1),
    ],
    (
        "there is no escape \\q. Use \\n, \\t, \\r, \\0, \\\\, \\', \\\" or, for any byte, "
        "\\x and two hexadecimal digits."
    ): [
        ('. "\\q"', 1, 4),
    ],
    (
        "there is no escape \\x. Use \\n, \\t, \\r, \\0, \\\\, \\', \\\" or, for any byte, "
        "\\x and two hexadecimal digits."
    ): [
        (". '\\x4'", 1, 4),
        ('. "\\x"', 1, 4),
    ],
    "',' has no meaning here. Put blanks between operands.": [
        ("a, b, c", 1, 2),
        (". 1 2 \t3, 4", 1, 9),
    ],
    "'*' is no operator here. A sum has + and - only.": [
        ("a * b", 1, 3),
    ],
    "'/' is no operator here. A sum has + and - only, and a comment begins with '#'.": [
        ("a / b", 1, 3),
        ("a // b", 1, 3),
    ],
    "the character '=' has no meaning here. Remove it, or put it into a '#' comment.": [
        ("a = b", 1, 3),
    ],
    "the character '@' has no meaning here. Remove it, or put it into a '#' comment.": [
        ("a @b", 1, 3),
    ],
    "the character 'é' has no meaning here. Remove it, or put it into a '#' comment.": [
        ("a é", 1, 3),
    ],
    "the character '$' has no meaning here. Remove it, or put it into a '#' comment.": [
        ("$ff", 1, 1),
    ],
    "the character '{' has no meaning here. Remove it, or put it into a '#' comment.": [
        ("{", 1, 1),
    ],
    "the character '\\' has no meaning here. Remove it, or put it into a '#' comment.": [
        ("a\\", 1, 2),
    ],
    ("the character U+0007 has no meaning here. Remove it, or put it into a '#' comment."): [
        ("\ta b\x07", 1, 5),
    ],
    (
        "18446744073709551616 is out of range: a word of 64 bits is -9223372036854775808 "
        "to 18446744073709551615."
    ): [
        (". 18446744073709551616", 1, 3),
    ],
    (
        "the number 99999999999999999... has 25 digits, and no word holds more than 20. "
        "Use a smaller number."
    ): [
        (". 9999999999999999999999999", 1, 3),
    ],
    "'.' can only begin a statement. Put ';' or a new line before it.": [
        ("a . b", 1, 3),
        (". . 1", 1, 3),
    ],
    "'.include' can only begin a statement. Put ';' or a new line before it.": [
        ('a .include "x"', 1, 3),
    ],
    'after .include comes a file in quotes, as in .include "lib.asm".': [
        (".include", 1, 1),
        (".include x", 1, 1),
    ],
    "the statement ends before 'y'. Put ';' or a new line before it.": [
        ('.include "x" y', 1, 14),
    ],
    (
        "cannot read the source missing.asm: No such file or directory. The library has all.asm, "
        "arithmetic.asm, calls.asm, compare.asm, decimal.asm, divide.asm, input_output.asm, "
        "logic.asm, multiply.asm, pointers.asm, shifts.asm, strings.asm, words.asm."
    ): [
        ('.include "missing.asm"', 1, 1),
    ],
    "no file has a zero byte in its name.": [
        ('.include "a\\0b"', 1, 1),
    ],
    "after .macro come a name and the names of parameters, with blanks between them.": [
        (".macro", 1, 1),
        (".macro 5", 1, 8),
        (".macro a: b", 1, 8),
        (".macro f x 3", 1, 12),
    ],
    "the macro 'f' has no end. Put .end after its body.": [
        (".macro f\n f2", 1, 8),
    ],
    ".end ends no macro. Remove it.": [
        (".end", 1, 1),
    ],
    "the statement ends before 'x'. Put ';' or a new line before it.": [
        (".end x\n", 1, 6),
    ],
    "another macro cannot stand in a macro. Put .end after the body of the first.": [
        (".macro f\n.macro g\n.end\n.end", 2, 8),
    ],
    ".include cannot stand in a macro. Put .end after the body of the first.": [
        ('.macro f\n.include "x"\n.end', 2, 1),
    ],
    "the parameter 'x' is there twice. Give one of them another name.": [
        (".macro f x x\n.end", 1, 12),
    ],
    "the name 'y' is given already at file, line 2. Give one of them another name.": [
        (".macro f\ny: 1; y: 2\n.end", 2, 7),
    ],
    "the macro 'f' is there already, at file, line 1. Give one of them another name.": [
        (".macro f\n.end\n.macro f\n.end", 3, 8),
    ],
    "'f' is a label already, at file, line 1. Give one of them another name.": [
        ("f: 1\n.macro f\n.end", 2, 8),
    ],
    "'f' is a macro already, at file, line 1. Give one of them another name.": [
        (".macro f\n.end\nf: 1", 3, 1),
    ],
    "there is no label 'a:'. Write it before a cell, or correct the name.": [
        (".macro f\n.end\na f", 3, 1),
    ],
    "the macro 'f' takes 2 arguments, and this gives 1. It is defined at file, line 1.": [
        (".macro f x y\nx y\n.end\nf 1", 4, 1),
    ],
    "the macro 'f' takes 0 arguments, and this gives 1. It is defined at file, line 1.": [
        (".macro f\n0\n.end\nf 1", 4, 1),
    ],
    (
        "an argument of a macro cannot have a label, for it is no cell. Label a cell and "
        "use its name."
    ): [
        (".macro f x\nx\n.end\nf l:1", 4, 3),
    ],
    ("an argument of a macro cannot have '?', for it is no cell. Label a cell and use its name."): [
        (".macro f x\nx\n.end\nf ?", 4, 3),
    ],
    (
        "there is no label 'y:'. Write it before a cell, or correct the name. This is in "
        "the macro 'f', used at file, line 4."
    ): [
        (".macro f x\nx y\n.end\nf 1", 2, 3),
    ],
    (
        "an instruction has one to three operands, and this has 4. Begin a data statement "
        "with '.', or end an instruction with ';'. This is in the macro 'f', used at file, "
        "line 4."
    ): [
        (".macro f x\nx x x x\n.end\nf 1", 2, 7),
    ],
    (
        "macros are used more than 100 deep. Let no macro use itself. This is in the macro "
        "'f', used at file, line 2."
    ): [
        (".macro f\nf\n.end\nf", 2, 1),
    ],
    "there is no label 'data:'. Write it before a cell, or correct the name.": [
        (".data 5", 1, 2),
    ],
    "there is no label 'org:'. Write it before a cell, or correct the name.": [
        (".org 5", 1, 2),
    ],
    "'.end' can only begin a statement. Put ';' or a new line before it.": [
        ("x .end", 1, 3),
    ],
    ("the character U+00A0 has no meaning here. Remove it, or put it into a '#' comment."): [
        ("a\xa0b", 1, 2),
    ],
    "there is no label 'x:'. Write it before a cell, or correct the name.": [
        (".macro f\nx: x\n.end\nf; x", 4, 4),
    ],
    "there is no label 'lopp:'. Perhaps 'loop' is meant?": [
        ("a:1 loop:2 end:3; lopp", 1, 19),
    ],
}
CASES = [(sentence, *case) for sentence, cases in FAULTS.items() for case in cases]


def refusal(text: str, bits: int | None = None, words: int | None = None) -> str:
    with pytest.raises(AssemblyError) as error:
        assemble(text, "file", bits, words)
    return str(error.value)


@pytest.mark.parametrize(("sentence", "text", "line", "column"), CASES)
def test_a_fault(sentence: str, text: str, line: int, column: int) -> None:
    shown = text.split("\n")[line - 1].rstrip().replace("\x07", "\ufffd").replace("\xa0", "\ufffd")
    before = "".join("\t" if each == "\t" else " " for each in shown[: column - 1])
    expected = f"file, line {line}, column {column}: {sentence}\n    {shown}\n    {before}^"
    assert refusal(text) == expected


def test_there_are_many() -> None:
    assert len(CASES) >= 100
    assert len(FAULTS) >= 40


@pytest.mark.parametrize("text", ["", "# nothing\n\n", "end:", ";;", ".macro f\n. 1\n.end", '. ""'])
def test_a_source_without_cells(text: str) -> None:
    assert refusal(text) == ("the source file is empty: write an instruction or data into it.")


def test_a_message_in_full() -> None:
    assert refusal("start: a b\n\n\tx: 5 lst+1  # here\n. a:1 b:2 last:3") == (
        "file, line 3, column 7: there is no label 'lst:'. Perhaps 'last' is meant?\n"
        "    \tx: 5 lst+1  # here\n"
        "    \t     ^"
    )


def test_a_long_line_is_shown_in_part() -> None:
    line = ". " + "1 " * 100 + "x" + " 2" * 100
    message = refusal(line).split("\n")
    assert message[0].startswith("file, line 1, column 203: ")
    assert message[1] == f"    ...{line[152:252]}..."
    assert message[2] == " " * 57 + "^"
    assert message[1][57] == "x"
    assert refusal("x" * 5 + " " + "1 " * 200).split("\n")[1].endswith("...")


@pytest.mark.parametrize(
    ("text", "bits", "sentence"),
    [
        (". 255 256", 8, "column 7: 256 is out of range: a word of 8 bits is -128 to 255."),
        (". -129", 8, "column 3: -129 is out of range: a word of 8 bits is -128 to 255."),
        (". 1 x: x-200", 8, "column 8: -199 is out of range: a word of 8 bits is -128 to 255."),
        (". y+15\ny:", 4, "column 3: 16 is out of range: a word of 4 bits is -8 to 15."),
        (". 65536", 16, "column 3: 65536 is out of range: a word of 16 bits is -32768 to 65535."),
    ],
)
def test_a_number_that_is_no_word(text: str, bits: int, sentence: str) -> None:
    assert refusal(text, bits).split("\n")[0] == f"file, line 1, {sentence}"


def test_a_program_that_is_too_long() -> None:
    assert assemble(". 1 2 3 4", "file", 8, 4).numbers == [1, 2, 3, 4]
    assert refusal(". 1 2 3 4\n  5 6 7", 8, 5).split("\n")[0] == (
        "file, line 2, column 5: word 5 of the program is one more than fits: the memory has 5 "
        "words. Choose more words of memory or a shorter program."
    )
    assert refusal(". " + "1 " * 17, 4).split("\n")[0] == (
        "file, line 1, column 35: word 16 of the program is one more than fits: the memory has 16 "
        "words. Choose more words of memory or a shorter program."
    )


def test_macros_that_use_each_other() -> None:
    text = ".macro a\nb\n.end\n.macro b\na\n.end\n b"
    assert refusal(text).startswith(
        f"file, line 2, column 1: macros are used more than {MAX_DEPTH} deep. Let no macro use "
        f"itself. This is in the macro 'a', used at file, line 5.\n"
    )


def test_macros_that_double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verified_mlp.assembler.assemble.MAX_USES", 1000)
    text = ".macro m0\n.end\n"
    for level in range(1, 64):
        text += f".macro m{level}\nm{level - 1}; m{level - 1}\n.end\n"
    assert "macros are used more than 1000 times. Let no macro use itself." in refusal(f"{text}m63")


@given(st.text(max_size=150), st.integers(1, 151))
def test_a_caret_stands_under_its_column(text: str, column: int) -> None:
    text = text.replace("\n", "")
    shown, caret = str(SourceError(Place("file", 1, text), column, "Why.")).split("\n")[-2:]
    assert caret.endswith("^")
    assert len(shown.expandtabs()) <= 4 + 106 * 8
    at = len(caret) - 1
    if column <= len(text.rstrip()) and at < len(shown):
        found = text[column - 1]
        assert shown[at] == (found if found.isprintable() or found == "\t" else "\ufffd")
