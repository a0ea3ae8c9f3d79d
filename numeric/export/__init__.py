"""The network in the formats of others: ONNX, PyTorch, safetensors, NPZ and MatrixMarket."""
