"""A plan as machine code for several states side by side, in the lanes of vector registers.

Each lane does what `support_llvm` does for one state, number for number.  Arrays have the lane as
their last axis: the state [entries, lanes], the memory [words + 1, lanes], whose last row takes
what lanes store that do not write.
"""

from __future__ import annotations

from collections.abc import Sequence

from numeric.support_llvm import PassText
from numeric.support_plan import Plan

LANES = 8
"""States side by side: a register of 512 bits holds so many float64."""

PARAMETERS = "aaiiaaa"
"""Of `run(state, mem, passes, least, made, live, failed)`: arrays and two integers."""


def text(plan: Plan, stop: Sequence[int]) -> str:
    """The LLVM text of `run(state, mem, passes, least, made, live, failed)`.

    Passes in the lanes that are `live` (uint8, not 0), at least one and at most so many, while at
    least `least` lanes are.  A lane is so until after a pass an entry of `stop` is not 0 or one
    of its state is no bit; or until a check fails in a pass, which then is not made in this lane,
    and `failed` (uint8) is set.  The passes of each lane are added to `made` (int64).  Returns the
    number of passes that were gone through.
    """
    writer = _LanesText(plan, stop, LANES)
    found = writer.computed()
    ones, truths = writer.all_true, writer.truth
    sound = writer.emit(f"xor {truths} {found.failed}, {ones}")
    good = writer.emit(f"and {truths} %going, {sound}")
    bad = writer.emit(f"and {truths} %going, {found.failed}")
    worse = writer.emit(f"or {truths} %wrong, {bad}")
    if found.stored is not None:
        writer.store(good, *found.stored)
    for entry, value in found.values.items():
        at = writer.emit(f"getelementptr {writer.real}, ptr %state, i64 {entry}")
        old = writer.emit(f"load {writer.real}, ptr {at}, align 8")
        new = writer.emit(f"select {truths} {good}, {writer.real} {value}, {writer.real} {old}")
        writer.lines.append(f"  store {writer.real} {new}, ptr {at}, align 8")
    one = writer.emit(f"zext {truths} {good} to {writer.int64}")
    counted = writer.emit(f"add {writer.int64} %count, {one}")
    goes_on = writer.emit(f"xor {truths} {found.stopped}, {ones}")
    after = writer.emit(f"and {truths} {good}, {goes_on}")
    return _MODULE.format(
        lanes=LANES, body=writer.taken(), worse=worse, counted=counted, after=after
    )


class _LanesText(PassText):
    """Words are loaded and stored lane by lane: no processor does it faster for 8 or 16 bits."""

    @property
    def all_true(self) -> str:
        """A truth of every lane."""
        return f"<{', '.join(['i1 true'] * self.lanes)}>"

    def loaded(self, address: str) -> str:
        """The words at an address of each lane."""
        index, words = self._index(address), "undef"
        for lane in range(self.lanes):
            word = self.emit(f"load {self.word}, ptr {self._place(index, lane)}")
            words = self.emit(
                f"insertelement {self.kind(self.word)} {words}, {self.word} {word}, i64 {lane}"
            )
        return words

    def store(self, good: str, row: str, word: str) -> None:
        """Store a word in each lane that is good, if its row is one of the memory."""
        words = self.plan.memory.words
        inside = self.emit(f"and {self.truth} {good}, {self.below(row, words)}")
        index = self._index(self.choice(inside, self.int64, row, self.whole(words)))
        if self.word != "i64":
            word = self.emit(f"trunc {self.int64} {word} to {self.kind(self.word)}")
        for lane in range(self.lanes):
            own = self.emit(f"extractelement {self.kind(self.word)} {word}, i64 {lane}")
            self.lines.append(f"  store {self.word} {own}, ptr {self._place(index, lane)}")

    def _index(self, address: str) -> str:
        """Where the words of an address stand in the memory array, the first lane's."""
        return self.emit(f"mul {self.int64} {address}, {self.whole(self.lanes)}")

    def _place(self, index: str, lane: int) -> str:
        first = self.emit(f"extractelement {self.int64} {index}, i64 {lane}")
        own = self.emit(f"add i64 {first}, {lane}")
        return self.emit(f"getelementptr {self.word}, ptr %mem, i64 {own}")


_MODULE = """
declare i{lanes} @llvm.ctpop.i{lanes}(i{lanes})

define i64 @run(ptr noalias %state, ptr noalias %mem, i64 %passes, i64 %least,
                ptr noalias %made, ptr noalias %live, ptr noalias %failed) {{
entry:
  %given = load <{lanes} x i8>, ptr %live, align 1
  %first = icmp ne <{lanes} x i8> %given, zeroinitializer
  br label %pass
pass:
  %done = phi i64 [ 0, %entry ], [ %next, %pass ]
  %going = phi <{lanes} x i1> [ %first, %entry ], [ {after}, %pass ]
  %wrong = phi <{lanes} x i1> [ zeroinitializer, %entry ], [ {worse}, %pass ]
  %count = phi <{lanes} x i64> [ zeroinitializer, %entry ], [ {counted}, %pass ]
{body}
  %next = add i64 %done, 1
  %mask = bitcast <{lanes} x i1> {after} to i{lanes}
  %number = call i{lanes} @llvm.ctpop.i{lanes}(i{lanes} %mask)
  %living = zext i{lanes} %number to i64
  %enough = icmp uge i64 %living, %least
  %more = icmp ult i64 %next, %passes
  %again = and i1 %enough, %more
  br i1 %again, label %pass, label %finished
finished:
  %before = load <{lanes} x i64>, ptr %made, align 8
  %total = add <{lanes} x i64> %before, {counted}
  store <{lanes} x i64> %total, ptr %made, align 8
  %alive = zext <{lanes} x i1> {after} to <{lanes} x i8>
  store <{lanes} x i8> %alive, ptr %live, align 1
  %faulty = zext <{lanes} x i1> {worse} to <{lanes} x i8>
  store <{lanes} x i8> %faulty, ptr %failed, align 1
  ret i64 %next
}}
"""
