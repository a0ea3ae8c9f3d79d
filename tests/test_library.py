"""The library's macros against Python."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from documents import ROOT, blocks, read
from fast_interpreter import HALTED, Ran, run_image
from hypothesis import given
from hypothesis import strategies as st
from library_cases import (
    CASES,
    FILES,
    TEXT_CASES,
    Case,
    W,
    Z,
    assembled,
    edge_pairs,
    first_difference,
    random_pairs,
    renamed,
    small_pairs,
)

from numeric.machine import Machine
from verified_mlp.assembler.assemble import Program, assemble, assemble_file
from verified_mlp.assembler.sources import LIBRARY, read_source
from verified_mlp.machine.host import Outcome
from verified_mlp.machine.shape import Shape

SHAPE = Shape(16, 2048)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_case
def test_all_pairs_of_8_bit_numbers(case: Case) -> None:
    assert first_difference(case, 16, small_pairs()) == ""


@every_case
@pytest.mark.parametrize("bits", [10, 16, 32, 64])
def test_words_at_the_edges_and_random_ones(case: Case, bits: int) -> None:
    assert first_difference(case, bits, edge_pairs(bits)) == ""
    assert first_difference(case, bits, random_pairs(bits, 3000, seed=bits)) == ""


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.file in ("words.asm", "compare.asm")],
    ids=lambda case: case.name,
)  # fmt: skip
def test_all_pairs_of_words_of_8_bits(case: Case) -> None:
    assert first_difference(case, 8, small_pairs()) == ""


@pytest.mark.slow
@every_case
def test_all_pairs_of_words_of_10_bits(case: Case) -> None:
    words = range(-512, 512)
    for x in words:
        pairs = small_pairs()[:1].repeat(1024, axis=0)
        pairs[:, 0], pairs[:, 1] = x, words
        assert first_difference(case, 10, pairs) == ""


@pytest.mark.parametrize("into", ["xxx", "xyx", "xyy", "xxz"])
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.file not in ("calls.asm", "pointers.asm")],
    ids=lambda case: case.name,
)
def test_the_same_word_several_times(case: Case, into: str) -> None:
    names = dict(zip("xyz", into, strict=True))
    changed = renamed(case.use, names)
    # Where a jump leads, the program changes z.
    if changed != case.use and (case.file != "compare.asm" or into == "xxz"):
        assert first_difference(case, 16, edge_pairs(16), names=names) == ""


@every_case
def test_one_use_after_another(case: Case) -> None:
    """A use leaves nothing behind in the words of its file that another would stumble on."""
    if case.file in ("words.asm", "calls.asm", "pointers.asm"):
        return
    others = [other.use for other in CASES if other.file == case.file]
    before = [renamed(use, {"z": "s", "w": "s", "yes": f"on{i}"}) for i, use in enumerate(others)]
    uses = "".join(f"{use}\non{i}: Z\n" for i, use in enumerate(before))
    program = assembled(case.file, uses + case.use + "; halt\ns: . 0")
    assert first_difference(case, 16, edge_pairs(16), program) == ""


def test_every_macro_has_a_case() -> None:
    text = "".join(read_source(LIBRARY / name) for name in FILES)
    uses = " ".join(case.use.replace(";", " ") for case in [*CASES, *TEXT_CASES]).split()
    defined = re.findall(r"^\.macro (\w+)", text, re.MULTILINE)
    assert [name for name in defined if name not in uses and name != "return"] == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_starts_with_what_it_is(name: str) -> None:
    text = read_source(LIBRARY / name)
    assert re.match(r"# [A-Z].*\.\n#?\n", text) or re.match(r"# [A-Z].*:.*\.\n", text)
    # Nothing but the macros and the names in capitals is there for others to clash with.
    labels = assemble(f'.include "{name}"\n. 0\nSTACK:').symbols
    others = {label for label in labels if not label.startswith("_")}
    assert others == {"STACK"} | ({"Z", "ONE", "MINUS_ONE"})


# Faults that are planted: in which file, where a text stands, what is put there, for which use.
PLANTED = [
    ("words.asm", "_u _t", "_t _u", 0, "minus"),
    ("words.asm", "_u x", "_u y", 0, "swap"),
    ("compare.asm", "Z _compare_x _compare_x_low", "Z _compare_x _compare_low", 0, "jump_if_less"),
    ("compare.asm", "MINUS_ONE _compare_y _compare_is", "Z _compare_y _compare_is", 0,
     "jump_if_less_or_equal"),
    ("compare.asm", "MINUS_ONE _compare_y _compare_not", "Z _compare_y _compare_not", 0,
     "jump_if_equal"),
    ("compare.asm", "ONE _t is", "ONE _t no", 0, "jump_if_zero"),
    ("multiply.asm", "_multiply_a _multiply_r", "_multiply_x _multiply_r", 1, "multiply"),
    ("multiply.asm", "ONE _multiply_m _multiply_done", "Z _multiply_m _multiply_done", 0,
     "multiply"),
    ("divide.asm", "MINUS_ONE _divide_f", "ONE _divide_f", 0, "divide"),
    ("divide.asm", "_divide_x _t", "_divide_y _t", 1, "remainder"),
    ("divide.asm", "        _divide_s\n", "", 0, "divide_remainder"),
    ("shifts.asm", "_t _shift_v _shift_left_low", "_t _shift_v", 0, "shift_left"),
    ("shifts.asm", "MINUS_ONE _shift_v _shift_one", "_t _shift_v _shift_one", 0, "shift_right"),
    ("shifts.asm", "MINUS_ONE _shift_s", "ONE _shift_s", 0, "shift_right_signed"),
    ("shifts.asm", "_t _shift_k _shift_k_low", "_t _shift_k _shift_on", 0, "shift_right"),
    ("logic.asm", "ONE _and_r", "MINUS_ONE _and_r", 1, "and"),
    ("logic.asm", "_and_r _t", "_and_x _t", 2, "or"),
    ("logic.asm", "ONE to", "MINUS_ONE to", 0, "not"),
    ("pointers.asm", "k:      . -array", "k:      . array", 0, "get"),
    ("pointers.asm", "        _t also\n", "", 0, "store"),
    ("calls.asm", "MINUS_ONE _pop_also", "ONE _pop_also", 0, "push"),
    ("calls.asm", "ONE _push_at", "Z _push_at", 1, "push"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "nth", "name"), PLANTED)
def test_a_planted_fault_is_seen(file: str, old: str, new: str, nth: int, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    good, bad = assembled(file, case.use), assembled(file, case.use, old, new, nth)
    assert good.numbers != bad.numbers
    assert first_difference(case, 16, edge_pairs(16), good) == ""
    assert first_difference(case, 16, edge_pairs(16), bad) != ""


def test_what_a_difference_says() -> None:
    case = next(case for case in CASES if case.name == "minus")
    bad = assembled("words.asm", case.use, "_u _t", "_t _u")
    assert first_difference(case, 16, small_pairs(), bad) == (
        "minus x y z: for x, y = (-128, -128), x, y, z, w are (-128, -128, -128, 77) and should "
        "be (-128, -128, 0, 77)"
    )
    case = next(case for case in CASES if case.name == "move")
    bad = assembled("words.asm", case.use, "        _t\n", "", 0)
    assert first_difference(case, 16, small_pairs()[:1], bad) == (
        "move x z: Z, ONE, MINUS_ONE, _t, _u are (0, 1, -1, 128, 0) and should be (0, 1, -1, 0, 0)"
    )
    bad = assembled("words.asm", case.use, "        to to\n", "        Z Z 0\n", 1)
    assert first_difference(case, 16, small_pairs(), bad) == (
        "move x z: no halt for x, y = (-128, -128)"
    )


@pytest.fixture(scope="module")
def network() -> Machine:
    return Machine(Shape(16, 1024), verified=False)


@every_case
def test_on_the_network(case: Case, network: Machine) -> None:
    """What the compiled interpreter says of a few pairs, the network does in as many steps."""
    program = assembled(case.file, case.use)
    for x, y in random_pairs(16, 3, seed=len(case.use)).tolist():
        image = list(program.numbers)
        image[program.symbols["x"]], image[program.symbols["y"]] = x, y
        image[program.symbols["z"]], image[program.symbols["w"]] = Z, W
        words = [each % 65536 for each in image]
        expected = run_image(network.shape, image)
        result = network.run(words, max_steps=10_000)
        assert result.outcome is Outcome.HALTED
        assert result.steps == expected.steps
        assert result.state.mem == [int(each) % 65536 for each in expected.mem]


# Text


@cache
def assembly(source: str, shape: Shape) -> Program:
    return assemble(source, bits=shape.bits, words=shape.words)


def ran(source: str, input: bytes = b"", shape: Shape = SHAPE, room: int = 10**4) -> Ran:
    """A run of a program that halts."""
    program = assembly(source, shape)
    result = run_image(shape, program.numbers, input, room=room)
    assert result.ended == HALTED
    return result


PRINT_ALL = """
.include "decimal.asm"
.include "strings.asm"
.include "compare.asm"
next:   print_decimal x
        print_literal '\\n'
        increment x
        jump_if_not_zero x next
        halt
x:      . 0
"""


@pytest.mark.parametrize("bits", [11, 12, 16])
def test_print_every_number(bits: int) -> None:
    half = 2 ** (bits - 1)
    result = ran(PRINT_ALL, shape=Shape(bits, min(2**bits, 2048)), room=10**6)
    assert result.output.decode() == "".join(f"{x}\n" for x in [*range(half), *range(-half, 0)])


def test_a_planted_fault_in_print_decimal_is_seen() -> None:
    def changed(path: Path) -> str:
        return read_source(path).replace("_decimal_shown\n        _decimal_to", "_decimal_to")

    program = assemble(PRINT_ALL, read=changed)
    assert program.numbers != assemble(PRINT_ALL).numbers
    result = run_image(SHAPE, program.numbers, limit=10_000)
    assert not b"".join(b"%d\n" % x for x in range(200)).startswith(result.output)


@pytest.mark.parametrize("bits", [17, 31, 32, 48, 63, 64])
def test_print_large_numbers(bits: int) -> None:
    half = 2 ** (bits - 1)
    words = sorted({int(each) for each in random_pairs(bits, 100, bits).ravel()})
    words += [10**k + d for k in range(20) for d in (-1, 0, 1) if 10**k + d < half]
    words += [-half, 1 - half, half - 1]
    source = '.include "decimal.asm"\n'
    source += "".join(f"print_decimal n{i}; space (-1)\n" for i in range(len(words)))
    source += "Z Z (-1)\nspace: . ' '\n"
    source += "".join(f"n{i}: . ({word})\n" for i, word in enumerate(words))
    result = ran(source, shape=Shape(bits, 8192))
    assert result.output.decode() == "".join(f"{word} " for word in words)


def read_number(text: bytes, bits: int) -> tuple[int, int, int]:
    """What read_decimal makes of a text: the number, the character after it, the bytes read."""
    match = re.match(rb"[\x01-\x20]*(-?)(\d*)", text)
    assert match
    number = int(match[2] or b"0") * (-1 if match[1] else 1)
    half = 2 ** (bits - 1)
    end = text[match.end()] if match.end() < len(text) else -1
    return (number + half) % (2 * half) - half, end, min(match.end() + 1, len(text))


cached = cache(assembled)
texts = st.one_of(
    st.binary(max_size=12),
    st.from_regex(rb"[ \n\t\x00-\x20]{0,3}-{0,2}[0-9]{0,25}[ -~]{0,3}", fullmatch=True),
)


@given(texts, st.sampled_from([10, 16, 32, 64]))
def test_read_decimal(text: bytes, bits: int) -> None:
    program = cached("decimal.asm", "read_decimal z w")
    result = run_image(Shape(bits, 1024), program.numbers, text)
    assert result.ended == HALTED
    found = (int(result.mem[program.symbols[name]]) for name in "zw")
    assert (*found, result.read) == read_number(text, bits)


def test_a_planted_fault_in_read_decimal_is_seen() -> None:
    good = assembled("decimal.asm", "read_decimal z w")
    bad = assembled("decimal.asm", "read_decimal z w", "_decimal_twice _decimal_r", "Z _decimal_r")
    seen = [
        int(run_image(Shape(16, 1024), each.numbers, b"123 ").mem[each.symbols["z"]])
        for each in (good, bad)
    ]
    assert seen[0] == 123 != seen[1]


SUM = """
.include "all.asm"
next:   read_decimal x end
        add x sum
        jump_if_not_negative end next   # not yet the end of input
        print_decimal sum
        halt
x: . 0
end: . 0
sum: . 0
"""


@given(st.lists(st.integers(-99999, 99999)))
def test_a_sum(numbers: list[int]) -> None:
    text = " ".join(map(str, numbers)).encode()
    total = (sum(numbers) + 32768) % 65536 - 32768
    assert ran(SUM, text).output == str(total).encode()


LINES = """
.include "all.asm"
next:   read_line buffer 6 length
        print_decimal length
        print_string open
        set p buffer
        print_string_at p
        print_string close
        jump_if_not_negative length next
        halt
open: . "<\\0"
close: . ">\\n\\0"
length: . 0
p: . 0
buffer: . 9 9 9 9 9 9
guard: . 12345
"""


def lines(text: bytes) -> bytes:
    """What the program above prints."""
    *whole, last = text.split(b"\n")
    printed = b"".join(
        b"%d<%s>\n" % (min(5, len(line)), line[:5].split(b"\0")[0])
        for line in [*whole, *[last] * (last != b"")]
    )
    return printed + b"-1<>\n"


@given(st.one_of(st.binary(max_size=40), st.from_regex(rb"([a-z]{0,8}\n){0,5}[a-z]{0,7}")))
def test_read_line_and_print_string(text: bytes) -> None:
    program = assembly(LINES, SHAPE)
    result = run_image(SHAPE, program.numbers, text)
    assert (result.ended, result.output) == (HALTED, lines(text))
    assert result.mem[program.symbols["guard"]] == 12345


def test_planted_faults_in_strings_are_seen() -> None:
    for old, new in [("_read_minus10: . -10", "_read_minus10: . -11"),
                     ("        ONE _read_room                          #", "        #"),
                     ("MINUS_ONE _print_also", "Z _print_also")]:  # fmt: skip

        def changed(path: Path, old: str = old, new: str = new) -> str:
            return read_source(path).replace(old, new)

        program = assemble(LINES, read=changed)
        assert program.numbers != assemble(LINES).numbers
        text = b"a line\nand\n"
        result = run_image(SHAPE, program.numbers, text, limit=10**5)
        guard = result.mem[program.symbols["guard"]]
        assert (result.output, guard) != (lines(text), 12345)


# Whole programs

FACTORIAL = """
.include "all.asm"
.include "calls.asm"
        read_decimal n end
        call factorial
        print_decimal n
        halt
factorial:                      # n = n!
        jump_if_less_or_equal n ONE one
        push n
        decrement n
        call factorial
        pop m
        multiply m n n
        return
one:    set n 1
        return
n: . 0
m: . 0
end: . 0
STACK:
"""

FIBONACCI = """
.include "all.asm"
.include "calls.asm"
        read_decimal n end
        call fibonacci
        print_decimal f
        halt
fibonacci:                      # f = fibonacci(n); n is kept
        jump_if_greater n ONE more
        move n f
        return
more:   push n
        decrement n
        call fibonacci
        push f
        decrement n
        call fibonacci
        pop m
        add m f
        pop n
        return
n: . 0
m: . 0
f: . 0
end: . 0
STACK:
"""

ACKERMANN = """
.include "all.asm"
.include "calls.asm"
        read_decimal m end
        read_decimal n end
        call ackermann
        print_decimal n
        halt
ackermann:                      # n = ackermann(m, n)
        jump_if_positive m deeper
        increment n
        return
deeper: jump_if_positive n both
        decrement m
        set n 1
        call ackermann
        return
both:   push m
        decrement n
        call ackermann
        pop m
        decrement m
        call ackermann
        return
m: . 0
n: . 0
end: . 0
STACK:
"""


def fibonacci(n: int) -> int:
    return n if n <= 1 else fibonacci(n - 1) + fibonacci(n - 2)


def ackermann(m: int, n: int) -> int:
    if m == 0:
        return n + 1
    return ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


def test_recursion() -> None:
    factorial = 1
    for n in range(8):
        assert ran(FACTORIAL, b"%d" % n).output == b"%d" % factorial
        factorial *= n + 1
    for n in range(14):
        assert ran(FIBONACCI, b"%d" % n).output == b"%d" % fibonacci(n)
    for m, n in [(0, 0), (0, 9), (1, 0), (1, 7), (2, 0), (2, 6), (3, 0), (3, 3)]:
        assert ran(ACKERMANN, b"%d %d" % (m, n)).output == b"%d" % ackermann(m, n)


SORT = """
.include "all.asm"
        set p array
read:   read_decimal x end      # through the pointer
        store x p
        increment p
        increment count
        jump_if_not_negative end read
again:  clear swapped           # through the index
        clear i
        set j 1
pair:   jump_if_greater_or_equal j count last
        get array i x
        get array j y
        jump_if_less_or_equal x y sorted
        put x array j
        put y array i
        set swapped 1
sorted: move j i
        increment j
        jump pair
last:   jump_if_not_zero swapped again
        set p array
print:  load p x
        print_decimal x
        print_literal ' '
        increment p
        decrement count
        jump_if_positive count print
        halt
p: . 0
i: . 0
j: . 0
x: . 0
y: . 0
end: . 0
count: . 0
swapped: . 0
array:
"""


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=12))
def test_sorting(numbers: list[int]) -> None:
    text = " ".join(map(str, numbers)).encode()
    assert ran(SORT, text).output == b"".join(b"%d " % each for each in sorted(numbers))


# How files are found


def test_a_file_beside_the_program_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.asm").write_text('.include "pointers.asm"\n.include "own.asm"\n. Z\n')
    Path("own.asm").write_text('.include "words.asm"\n')
    library = assemble_file(Path("main.asm"))
    assert library.numbers[-1] == library.symbols["Z"] == 3
    # The library's files include those beside them in any case.
    Path("words.asm").write_text("mine: . 5\n")
    both = assemble_file(Path("main.asm"))
    assert both.numbers[-2:] == [5, 3]
    assert set(both.symbols) == set(library.symbols) | {"mine"}
    # A name with a folder is no name of the library.
    Path("other").mkdir()
    Path("main.asm").write_text('.include "other/words.asm"\n')
    with pytest.raises(ValueError, match=r"cannot read the source other/words\.asm: No such file"):
        assemble_file(Path("main.asm"))


def test_the_stack_needs_a_label() -> None:
    with pytest.raises(ValueError, match=r"there is no label 'STACK:'\. Write it before a cell"):
        assemble('.include "calls.asm"')


# The document


def test_the_document_says_what_the_command_prints() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "library_costs.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) > len(CASES) + len(TEXT_CASES) + len(FILES)
    assert read("docs/library.md").endswith("\n\n" + done.stdout)


def test_the_document_s_programs_run() -> None:
    product, factorial = blocks(read("docs/library.md"), "text")
    assert ran(product, b"-12 34\n").output == b"-408"
    assert ran(factorial, b"7").output == b"5040"
