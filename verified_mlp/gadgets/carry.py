"""Carry a value to the next layer unchanged."""

from __future__ import annotations

from types import SimpleNamespace

from verified_mlp.gadgets.registry import LARGEST, gadget
from verified_mlp.statement.affine import Signal
from verified_mlp.statement.builder import Builder
from verified_mlp.statement.expr import Index, var
from verified_mlp.statement.network import Field, Gadget, Parameter, Support


@gadget()
def carry() -> Gadget:
    """Y = ReLU(x) for x in 0..top, any top up to 2**64.

    | x      | y = ReLU(x) |
    |--------|-------------|
    | 0..top | x           |

    ReLU is the identity on what is not negative.
    """
    build = Builder("carry", [Field("x", high=var("top"))])
    now = build.layer()
    build.neurons("y", (), now.x, largest=var("top"))
    done = build.close()
    return Gadget(
        name="carry",
        network=build.build(build.output("y", (), done.y, largest=var("top"))),
        parameters=(Parameter("top", 0, LARGEST),),
        spec={"y": lambda x, top: x},
        source="identity on non-negative values; ours",
        formula="y = ReLU(x)",
        support=(Support("y", same=("x",)),),
    )


def carry_fields(build: Builder, now: SimpleNamespace, *names: str) -> None:
    """Carry the named bits or arrays of bits; `name!` marks one that is one-hot."""
    for marked in names:
        name, one_hot = marked.rstrip("!"), marked.endswith("!")
        signal = getattr(now, name)
        extent = signal.extent if isinstance(signal, Signal) else ()
        over = tuple(Index(f"{name}{axis}", size) for axis, size in enumerate(extent or ()))
        wire = signal[over] if over else signal
        build.place(carry(), name, over, {"top": 1}, one_hot=one_hot, x=wire)
