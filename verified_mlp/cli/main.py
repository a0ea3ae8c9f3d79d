"""The command `verified-mlp`: run programs on the verified network, and look at it."""

from __future__ import annotations

from typing import NoReturn

from verified_mlp.cli.asm import asm, disasm
from verified_mlp.cli.check_onnx import check_onnx
from verified_mlp.cli.compare import compare
from verified_mlp.cli.debug import debug
from verified_mlp.cli.export import export
from verified_mlp.cli.picture import picture
from verified_mlp.cli.prove import prove
from verified_mlp.cli.queries import queries
from verified_mlp.cli.report import report
from verified_mlp.cli.run import run
from verified_mlp.cli.shell import new_app, run_app
from verified_mlp.cli.show import show
from verified_mlp.cli.trace import trace

app = new_app("A looped ReLU MLP that executes SUBLEQ programs: run them, or look at its layers.")
app.command()(run)
app.command()(show)
app.command()(asm)
app.command()(disasm)
app.command()(prove)
app.command()(debug)
app.command()(trace)
app.command()(report)
app.command()(picture)
app.command()(export)
app.command()(compare)
app.command()(queries)
app.command()(check_onnx)


def main() -> NoReturn:
    """The console script."""
    run_app(app, "verified-mlp", internal_error=5)
