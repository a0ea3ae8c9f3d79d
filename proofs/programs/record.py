"""The certificate of a theorem about a program: what was proved, of what, and how, as JSON."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path

import msgspec

from proofs.audit import versions
from proofs.certificate import THEOREM
from proofs.programs.execution import Subject
from proofs.programs.theorem import Method, Proved, Spec
from proofs.solver import version
from verified_mlp.constructions.paper import paper
from verified_mlp.machine.shape import memories
from verified_mlp.statement.digest import digest

SCHEMA = 1

CLAIM = (
    "From address 0, for all inputs, the program halts within max_steps steps and prints exactly "
    "what the specification gives for them."
)


class Input(msgspec.Struct, frozen=True):
    """An input: its name and range, and its address, or none for a word that is read."""

    name: str
    low: int
    high: int
    address: int | None


class Record(msgspec.Struct, frozen=True):
    """What was proved of a program.

    `image` is the SHA-256 of the machine's first memory, a decimal number 0..2**bits-1 and a new
    line for each word, without the zeros at the end; `spec_source` that of the file in which the
    specification stands.  `network` is the digest of the network of this shape, and `family` that
    of the network with the number of words free, of which `machine_theorem` is proved.
    """

    schema: int
    claim: str
    program: str
    image: str
    bits: int
    words: int
    inputs: list[Input]
    points: int
    max_steps: int
    spec: str
    spec_source: str
    method: str
    paths: int
    most_steps: int
    queries: int
    solver: str
    tools: dict[str, str]
    machine_theorem: str
    network: str
    family: str


def record(program: str, subject: Subject, spec: Spec, proved: Proved) -> bytes:
    """The certificate, as a text of JSON."""
    shape, domain = subject.shape, subject.domain
    inputs = zip(domain.names, domain.ranges, domain.addresses, strict=True)
    made = Record(
        schema=SCHEMA,
        claim=CLAIM,
        program=program,
        image=image_digest(subject),
        bits=shape.bits,
        words=shape.words,
        inputs=[Input(name, low, high, address) for name, (low, high), address in inputs],
        points=domain.size,
        max_steps=subject.max_steps,
        spec=spec.name,
        spec_source=source_digest(spec),
        method=str(Method(proved.method)),
        paths=proved.paths,
        most_steps=proved.steps,
        queries=proved.queries,
        solver=version(),
        tools=versions(),
        machine_theorem=THEOREM,
        network=digest(paper(shape)),
        family=digest(paper(memories(shape))),
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def image_digest(subject: Subject) -> str:
    """The SHA-256 of a program's words; see `Record`."""
    numbers = [number % subject.shape.modulus for number in subject.words]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return hashlib.sha256("".join(f"{number}\n" for number in numbers).encode()).hexdigest()


def source_digest(spec: Spec) -> str:
    """The SHA-256 of the file in which a specification stands."""
    file = inspect.getsourcefile(inspect.unwrap(spec.function))
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""
