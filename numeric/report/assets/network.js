// The network in float64: its weights read from the page, one pass, and the state vector.
// Pure functions and plain data; nothing here knows of the page.

/** The bytes that a text in base64 stands for, decompressed (zlib). */
async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/**
 * A layer y = ReLU(W x + b) in compressed sparse rows: row r has the weights from `starts[r]` to
 * before `starts[r + 1]`.  `weights.py` describes the text.
 */
export async function decodedLayer(text, rows, width, nonzeros) {
  const bytes = await unpacked(text);
  const expected = 16 * nonzeros - 4 * nonzeros + 12 * rows;
  if (bytes.byteLength !== expected) {
    throw new Error(`a layer has ${bytes.byteLength} bytes and must have ${expected}`);
  }
  const weights = new Float64Array(bytes, 0, nonzeros);
  const bias = new Float64Array(bytes, 8 * nonzeros, rows);
  const counts = new Uint32Array(bytes, 8 * (nonzeros + rows), rows);
  const columns = new Uint32Array(bytes, 8 * (nonzeros + rows) + 4 * rows, nonzeros);
  const starts = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row += 1) {
    starts[row + 1] = starts[row] + counts[row];
    for (let at = starts[row] + 1; at < starts[row + 1]; at += 1) columns[at] += columns[at - 1];
  }
  return { rows, width, weights, bias, starts, columns };
}

/** Fields or neurons one after the other: where each begins, and how many entries it has. */
export function placed(fields) {
  let start = 0;
  return fields.map((field) => {
    const size = field.shape.reduce((product, extent) => product * extent, 1);
    const found = { ...field, start, size };
    start += size;
    return found;
  });
}

/** The network that the page's data has. */
export async function decodedNetwork(data) {
  const fields = placed(data.inputs);
  const layers = await Promise.all(
    data.layers.map(async (layer) => ({
      ...(await decodedLayer(layer.weights, layer.rows, layer.columns, layer.nonzeros)),
      families: placed(layer.families),
      stage: layer.stage,
      note: layer.note,
    })),
  );
  const { rows, columns, nonzeros, weights, encoded } = data.state;
  const state = {
    ...(await decodedLayer(weights, rows, columns, nonzeros)),
    fields: Object.fromEntries(placed(data.state.fields).map((field) => [field.name, field])),
    encoded,
  };
  return { bits: data.bits, words: data.words, fields, layers, state };
}

/** y = ReLU(W x + b), written into y. */
export function applyLayer(layer, x, y) {
  const { rows, weights, bias, starts, columns } = layer;
  for (let row = 0; row < rows; row += 1) {
    let sum = bias[row];
    const end = starts[row + 1];
    for (let at = starts[row]; at < end; at += 1) sum += weights[at] * x[columns[at]];
    y[row] = sum > 0 ? sum : 0;
  }
}

/** Arrays for what every layer is in a pass: the state vector first. */
export function buffers(network) {
  return [network.layers[0].width, ...network.layers.map((layer) => layer.rows)].map(
    (length) => new Float64Array(length),
  );
}

/** One pass of the network from the vector in `values[0]`: fills the others, layer by layer. */
export function pass(network, values) {
  network.layers.forEach((layer, depth) => applyLayer(layer, values[depth], values[depth + 1]));
}

/** An entry of the machine's state: a linear form of the vector. */
function stateEntry({ weights, bias, starts, columns }, vector, row) {
  let sum = bias[row];
  for (let at = starts[row]; at < starts[row + 1]; at += 1) {
    sum += weights[at] * vector[columns[at]];
  }
  return sum;
}

/** How the state is read from a vector and made into one. */
export function codec(network) {
  const { bits, words, state } = network;
  const places = Object.fromEntries(network.fields.map((field) => [field.name, field.start]));
  const number = (vector, start, count) => {
    let found = 0;
    for (let bit = 0; bit < count; bit += 1) {
      found += stateEntry(state, vector, start + bit) * 2 ** bit;
    }
    return found;
  };
  const word = (vector, address) => number(vector, state.fields.mem.start + address * bits, bits);
  return {
    word,
    read: (vector, name) => number(vector, state.fields[name].start, state.fields[name].size),
    memory: (vector) => Array.from({ length: words }, (_, address) => word(vector, address)),
    /** All entries of the state, field after field. */
    entries: (vector) => Float64Array.from({ length: state.rows }, (_, row) => stateEntry(state, vector, row)),
    /** Sets a field of the state's entries to a number, or a word of `mem`. */
    set(entries, name, value, at = 0) {
      const { start, size } = state.fields[name];
      const count = name === "mem" ? bits : size;
      for (let bit = 0; bit < count; bit += 1) {
        entries[start + at * count + bit] = Math.floor(value / 2 ** bit) % 2;
      }
    },
    /** Makes a vector the one of these entries. */
    encode(entries, vector) {
      vector.fill(0);
      for (const [name, field] of Object.entries(state.encoded)) {
        const { start, size } = state.fields[name];
        vector.set(entries.subarray(start, start + size), places[field]);
      }
    },
  };
}

/** The vector of a program that starts: its words from address 0, all else 0. */
export function startVector(network, program) {
  const vector = new Float64Array(network.layers[0].width);
  const entries = new Float64Array(network.state.rows);
  const { set, encode } = codec(network);
  program.forEach((word, address) => set(entries, "mem", word, address));
  encode(entries, vector);
  return vector;
}
