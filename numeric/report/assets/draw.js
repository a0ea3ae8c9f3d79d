// Pictures on canvases: heat maps of activations, and the pattern of a matrix.

/** A colour of the page's theme as [red, green, blue]. */
export function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}

export function palette() {
  return {
    zero: colour("--cell-off"),
    low: colour("--cell-low"),
    high: colour("--cell-on"),
    over: colour("--cell-over"),
    minus: colour("--cell-minus"),
    line: colour("--cell-line"),
    text: colour("--text"),
  };
}

function put(pixels, at, [red, green, blue]) {
  pixels[4 * at] = red;
  pixels[4 * at + 1] = green;
  pixels[4 * at + 2] = blue;
  pixels[4 * at + 3] = 255;
}

const mixed = (one, other, part) => one.map((value, at) => value + (other[at] - value) * part);

/** The colour of a value that is at most `largest`; a value above it should never be there. */
function shade(value, largest, colours) {
  if (value === 0) return colours.zero;
  if (value < 0 || value > largest) return colours.over;
  return mixed(colours.low, colours.high, Math.max(value / largest, 0.15));
}

/** How an array is laid out: the first axis goes to the right, all others down. */
export function grid(shape) {
  const [across = 1, ...others] = shape;
  return { across, down: others.reduce((product, extent) => product * extent, 1) };
}

/** A heat map of the entries `start`.. of `values`, one pixel an entry. */
export function heatMap(canvas, field, values, colours) {
  const { across, down } = grid(field.shape);
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(across, down);
  for (let i = 0; i < across; i += 1) {
    for (let j = 0; j < down; j += 1) {
      const value = values[field.start + i * down + j];
      put(image.data, j * across + i, shade(value, field.largest, colours));
    }
  }
  context.putImageData(image, 0, 0);
}

/** What every field has besides, so that its name finds room: a part of all. */
const LEAST_PART = 0.03;

/**
 * A scale on which fields lie side by side: the length of each grows as the square root of its size,
 * so that a flag can be seen beside the memory.
 */
export function scale(fields, length) {
  const bare = fields.map((field) => Math.sqrt(field.size));
  const least = LEAST_PART * bare.reduce((sum, root) => sum + root, 0);
  const roots = bare.map((root) => root + least);
  const total = roots.reduce((sum, root) => sum + root, 0);
  let start = 0;
  return fields.map((field, at) => {
    const long = (length * roots[at]) / total;
    const found = { field, start, length: long };
    start += long;
    return found;
  });
}

/** In CSS pixels: the height of a layer in the overview, the room between, and that for its number. */
const ROW = 13;
const GAP = 4;
const NUMBER = 26;

/**
 * All layers at once, one below the other, each with its fields side by side.  Gives a function that
 * says what is at a place of the canvas: the layer, the field and the entry, or null.
 */
export function overview(canvas, rows, values, width) {
  const colours = palette();
  const density = Math.min(2, window.devicePixelRatio || 1);
  const height = rows.length * (ROW + GAP);
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(density, density);
  context.font = FONT;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const least = 1 / density;
  const laid = rows.map((fields) => scale(fields, width - NUMBER));
  laid.forEach((blocks, depth) => {
    const top = depth * (ROW + GAP);
    context.fillStyle = css(colours.text);
    context.fillText(depth === 0 ? "–" : `${depth}`, NUMBER - 6, top + ROW / 2);
    context.fillStyle = css(colours.zero);
    context.fillRect(NUMBER, top, width - NUMBER, ROW);
    for (const { field, start, length } of blocks) {
      const { across, down } = grid(field.shape);
      const [long, high] = [length / across, ROW / down];
      for (let at = 0; at < field.size; at += 1) {
        const value = values[depth][field.start + at];
        if (value === 0) continue;
        context.fillStyle = css(shade(value, field.largest, colours));
        context.fillRect(
          NUMBER + start + Math.floor(at / down) * long, top + (at % down) * high,
          Math.max(long, least), Math.max(high, least),
        );
      }
      context.fillStyle = css(colours.line);
      context.fillRect(NUMBER + start, top, 0.5, ROW);
    }
  });
  return (x, y) => {
    const depth = Math.floor(y / (ROW + GAP));
    const down = (y - depth * (ROW + GAP)) / ROW;
    const block = laid[depth]?.find(
      ({ start, length }) => x - NUMBER >= start && x - NUMBER < start + length,
    );
    if (!block || down >= 1) return null;
    const shape = grid(block.field.shape);
    const i = Math.floor(((x - NUMBER - block.start) / block.length) * shape.across);
    return { depth, field: block.field, at: i * shape.down + Math.floor(down * shape.down) };
  };
}

/** The number of the field and the position on the scale of every entry. */
function positions(blocks) {
  const last = blocks[blocks.length - 1].field;
  const place = new Float64Array(last.start + last.size);
  const owner = new Uint16Array(place.length);
  blocks.forEach(({ field, start, length }, which) => {
    for (let at = 0; at < field.size; at += 1) {
      place[field.start + at] = start + ((at + 0.5) * length) / field.size;
      owner[field.start + at] = which;
    }
  });
  return { place, owner };
}

/** For every block of a matrix that is not zero: how many weights, and the least and largest. */
export function blockTable(layer, sources) {
  const found = new Map();
  layer.families.forEach((family) => {
    for (let row = family.start; row < family.start + family.size; row += 1) {
      for (let at = layer.starts[row]; at < layer.starts[row + 1]; at += 1) {
        const column = layer.columns[at];
        const source = sources.find((each) => column < each.start + each.size);
        const key = `${family.name}|${source.name}`;
        const block = found.get(key) ?? { family, source, count: 0, low: Infinity, high: -Infinity };
        block.count += 1;
        block.low = Math.min(block.low, layer.weights[at]);
        block.high = Math.max(block.high, layer.weights[at]);
        found.set(key, block);
      }
    }
  });
  return [...found.values()];
}

/** The pattern of a layer's matrix as an image of `side` x `side`: weights above and below 0. */
export function matrixImage(layer, sources, side, colours, context) {
  const down = positions(scale(layer.families, side));
  const across = positions(scale(sources, side));
  const plus = new Float64Array(side * side);
  const minus = new Float64Array(side * side);
  for (let row = 0; row < layer.rows; row += 1) {
    const y = Math.min(side - 1, Math.floor(down.place[row]));
    for (let at = layer.starts[row]; at < layer.starts[row + 1]; at += 1) {
      const x = Math.min(side - 1, Math.floor(across.place[layer.columns[at]]));
      (layer.weights[at] > 0 ? plus : minus)[y * side + x] += 1;
    }
  }
  const image = context.createImageData(side, side);
  // Where there are few weights, each is drawn two pixels wide and high.
  const few = layer.weights.length < (side * side) / 20;
  const near = (counts, at) =>
    few ? counts[at] + (counts[at - 1] ?? 0) + (counts[at - side] ?? 0) : counts[at];
  for (let at = 0; at < side * side; at += 1) {
    const [above, below] = [near(plus, at), near(minus, at)];
    const all = above + below;
    const tone = mixed(colours.minus, colours.high, all ? above / all : 0);
    // A single weight must be seen; where many meet, the tone only grows a little.
    const weight = all ? Math.min(1, 0.7 + 0.1 * Math.log2(all)) : 0;
    put(image.data, at, mixed(colours.zero, tone, weight));
  }
  return image;
}

const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

/** Room for the names of the fields, left of the matrix and above it, in CSS pixels. */
const LEAST_ROOM = 60;
const MOST_ROOM = 170;
const FONT = "11px system-ui, sans-serif";

/** A name, cut off at its beginning if it is longer than the room for it. */
function fitted(context, name, room) {
  let text = name;
  for (let cut = 1; cut < name.length && context.measureText(text).width > room; cut += 1) {
    text = `…${name.slice(cut)}`;
  }
  return text;
}

/** The room that the names of some fields need, at most a part of the width. */
function roomFor(context, fields, width) {
  const longest = Math.max(...fields.map(({ name }) => context.measureText(name).width));
  return Math.round(Math.max(LEAST_ROOM, Math.min(longest + 10, MOST_ROOM, 0.3 * width)));
}

/**
 * A layer's matrix with the fields' names.  Gives a function that says what is at a place of the
 * canvas: the fields whose block it is, or null.
 */
export function matrixPicture(canvas, layer, sources, width) {
  const colours = palette();
  const density = Math.min(2, window.devicePixelRatio || 1);
  const context = canvas.getContext("2d");
  context.font = FONT;
  const left = roomFor(context, layer.families, width);
  const top = roomFor(context, sources, width);
  const side = Math.max(120, width - left);
  canvas.width = Math.round((left + side) * density);
  canvas.height = Math.round((top + side) * density);
  canvas.style.width = `${left + side}px`;
  canvas.style.height = `${top + side}px`;
  const fine = Math.round(side * density);
  const image = matrixImage(layer, sources, fine, colours, context);
  context.putImageData(image, Math.round(left * density), Math.round(top * density));
  context.scale(density, density);
  const rows = scale(layer.families, side);
  const columns = scale(sources, side);
  context.strokeStyle = css(colours.line);
  context.lineWidth = 0.5;
  context.beginPath();
  for (const { start } of [...rows, { start: side }]) {
    context.moveTo(left, top + start);
    context.lineTo(left + side, top + start);
  }
  for (const { start } of [...columns, { start: side }]) {
    context.moveTo(left + start, top);
    context.lineTo(left + start, top + side);
  }
  context.stroke();
  context.fillStyle = css(colours.text);
  context.font = FONT;
  context.textBaseline = "middle";
  context.textAlign = "right";
  names(rows, (name, middle) => context.fillText(fitted(context, name, left - 8), left - 5, top + middle));
  context.textAlign = "left";
  names(columns, (name, middle) => {
    context.save();
    context.translate(left + middle, top - 5);
    context.rotate(-Math.PI / 2);
    context.fillText(fitted(context, name, top - 8), 0, 0);
    context.restore();
  });
  const at = (blocks, place) =>
    blocks.find(({ start, length }) => place >= start && place < start + length)?.field;
  return (x, y) => {
    const family = at(rows, y - top);
    const source = at(columns, x - left);
    return family && source ? { family, source } : null;
  };
}

/** Writes the names of blocks in their middle, but none that would touch the one before. */
function names(blocks, write) {
  let free = -Infinity;
  for (const { field, start, length } of blocks) {
    const middle = start + length / 2;
    if (middle - 6 < free) continue;
    write(field.name, middle);
    free = middle + 6;
  }
}
