"""Run a program with ONNX Runtime alone: run_onnx.py MODEL.onnx IMAGE [STATE.npy] < INPUT"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def read(name: str) -> np.ndarray:
    """A field of the state: it may be the sum of some fields of the vector."""
    return sum(state[0, at[part]] for part in sums.get(name, [name]))


session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
meta = session.get_modelmeta().custom_metadata_map
at = {each["name"]: slice(each["start"], each["stop"]) for each in json.loads(meta["fields"])}
sums = json.loads(meta["sums"])
places = 2 ** np.arange(int(meta["bits"]), dtype=object)
image = re.sub("(#|;|//).*", "", Path(sys.argv[2]).read_text(encoding="utf-8"))
memory = [int(word) // place % 2 for word in re.findall("[+-]?[0-9]+", image) for place in places]
state = np.zeros((1, int(meta["width"])), dtype=meta["precision"])
state[0, : len(memory)] = memory
steps = 0
while not read("fault").any() and not read("pc")[-1]:
    (state,) = session.run(None, {"state": state})
    if read("wanted").any():  # the program waits for a byte; that pass is not a step
        word = int.from_bytes(sys.stdin.buffer.read(1) or b"\xff" * 8)  # -1 at the end of input
        state[0, at["input"]], state[0, at["ready"]] = word // places % 2, 1
        continue
    steps += 1
    if read("valid").any():
        sys.stdout.buffer.write(bytes([places[read("output") == 1].sum() % 256]))
        sys.stdout.flush()
print(steps, "steps", file=sys.stderr)
if len(sys.argv) > 3:
    np.save(sys.argv[3], state[0])
