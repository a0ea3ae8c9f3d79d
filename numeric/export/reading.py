"""Reading any exported file back, by the end of its name."""

from __future__ import annotations

from pathlib import Path

from numeric.export.compare import Held
from numeric.export.files import check_matrix_market, check_npz, check_safetensors
from numeric.export.layout import ExportError
from numeric.export.onnx_check import check_onnx
from numeric.export.onnx_models import Kind


def check_file(path: Path) -> tuple[str, Held]:
    """What a file or folder is, in words, and what was compared with the statement.

    Raises ExportError for one that cannot be read, and NotTheNetworkError for one that can and
    is not the network.
    """
    if path.is_dir():
        return "MatrixMarket files", check_matrix_market(path)
    match path.suffix.lower():
        case ".onnx":
            held, kind = check_onnx(path)
            return describe(kind), held
        case ".safetensors":
            return "safetensors", check_safetensors(path)
        case ".npz":
            return "NPZ", check_npz(path)
    raise ExportError(
        f"the name of {path} does not say what it is: give a file named *.onnx, *.safetensors or "
        f"*.npz, or a folder of MatrixMarket files."
    )


def describe(kind: Kind) -> str:
    """An ONNX model in words.

    >>> describe(Kind())
    'ONNX, gather form, float64, one pass'
    >>> describe(Kind(passes=1))
    'ONNX, gather form, float64, a loop of 1 pass'
    """
    plural = "" if kind.passes == 1 else "es"
    passes = "one pass" if kind.passes is None else f"a loop of {kind.passes:,} pass{plural}"
    return f"ONNX, {kind.form} form, {kind.precision}, {passes}"
