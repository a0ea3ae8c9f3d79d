"""Run a program with PyTorch alone: run_torch.py NETWORK.safetensors IMAGE [STATE] < INPUT"""

import json
import re
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def read(name: str) -> torch.Tensor:
    """A field of the state: it may be the sum of some fields of the vector."""
    return sum(state[at[part]] for part in sums.get(name, [name]))


torch.set_num_threads(1)  # the layers are small
meta, net = safe_open(sys.argv[1], "pt").metadata(), load_file(sys.argv[1])
at = {each["name"]: slice(each["start"], each["stop"]) for each in json.loads(meta["fields"])}
bits, sums = range(int(meta["bits"])), json.loads(meta["sums"])
image = re.sub("(#|;|//).*", "", Path(sys.argv[2]).read_text(encoding="utf-8"))
memory = [int(word) >> bit & 1 for word in re.findall("[+-]?[0-9]+", image) for bit in bits]
state = torch.zeros(int(meta["width"]), dtype=torch.float64)
state[: len(memory)] = torch.tensor(memory)
layers = [[net[f"layers.{k + 1}.{part}"] for part in ("rows", "columns", "weights", "bias")]
          for k in range(int(meta["layers"]))]  # fmt: skip
steps = 0
while not read("fault").any() and not read("pc")[-1]:
    for rows, columns, weights, bias in layers:
        state = torch.relu(bias.index_add(0, rows, weights * state[columns]))
    if read("wanted").any():  # the program waits for a byte; that pass is not a step
        word = (sys.stdin.buffer.read(1) or [-1])[0]  # -1 at the end of input
        state[at["input"]] = torch.tensor([word >> bit & 1 for bit in bits]).double()
        state[at["ready"]] = 1
        continue
    steps += 1
    if read("valid").any():
        word = sum(int(value) << bit for bit, value in enumerate(read("output")))
        sys.stdout.buffer.write(bytes([word % 256]))
        sys.stdout.flush()
print(steps, "steps", file=sys.stderr)
if len(sys.argv) > 3:
    save_file({"state": state}, sys.argv[3])
