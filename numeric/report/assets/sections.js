// The sections that do not run: the layers' matrices, the gadgets' matrices, the table of proofs.
import { blockTable, matrixPicture } from "./draw.js";
import { byId, element } from "./elements.js";

const WIDEST = 620;

/** The pictures of the layers' matrices, one at a time. */
export class Layers {
  constructor(network) {
    this.network = network;
    this.chosen = 0;
    const select = byId("matrix-layer");
    network.layers.forEach((layer, at) =>
      select.append(element("option", { value: at }, `${at + 1}: ${layer.stage}, ${layer.note}`)),
    );
    select.addEventListener("change", () => this.choose(Number(select.value)));
    byId("matrix-before").addEventListener("click", () => this.choose(this.chosen - 1));
    byId("matrix-after").addEventListener("click", () => this.choose(this.chosen + 1));
    byId("matrix").addEventListener("pointermove", (event) => this.point(event));
    this.choose(0);
  }

  sources(depth) {
    return depth === 0 ? this.network.fields : this.network.layers[depth - 1].families;
  }

  choose(at) {
    this.chosen = Math.min(this.network.layers.length - 1, Math.max(0, at));
    byId("matrix-layer").value = this.chosen;
    this.draw();
  }

  draw() {
    const layer = this.network.layers[this.chosen];
    const sources = this.sources(this.chosen);
    const canvas = byId("matrix");
    const room = canvas.parentElement.clientWidth;
    if (room === 0) return;
    this.at = matrixPicture(canvas, layer, sources, Math.min(WIDEST, room));
    const [rows, columns, count] = [layer.rows, layer.width, layer.weights.length].map((figure) =>
      figure.toLocaleString("en"),
    );
    const text = `Layer ${this.chosen + 1}: ${rows} rows, ${columns} columns, ${count} weights that are not zero.`;
    byId("matrix-said").textContent = text;
    canvas.setAttribute("aria-label", `${text} The blocks are in the table below.`);
    this.blocks = blockTable(layer, sources);
    byId("matrix-blocks").replaceChildren(
      ...this.blocks.map((block) =>
        element(
          "tr", {},
          element("td", {}, block.family.name),
          element("td", {}, block.source.name),
          element("td", {}, block.count.toLocaleString("en")),
          element("td", {}, block.low === block.high ? `${block.low}` : `${block.low} to ${block.high}`),
        ),
      ),
    );
  }

  point(event) {
    const box = byId("matrix").getBoundingClientRect();
    const found = this.at(event.clientX - box.left, event.clientY - box.top);
    if (!found) return;
    const block = this.blocks.find(
      ({ family, source }) => family === found.family && source === found.source,
    );
    const range = block && (block.low === block.high ? block.low : `${block.low} to ${block.high}`);
    const what = block ? `${block.count.toLocaleString("en")} weights, ${range}` : "no weights";
    byId("matrix-where").textContent =
      `rows ${found.family.name}, columns ${found.source.name}: ${what}. ${found.family.name} = ReLU(${found.family.row})`;
  }
}

/** The exact matrix of a gadget's layer as a table; its entries are rational numbers as text. */
function matrixTable(matrix, caption) {
  if (matrix.entries === null) {
    return element("p", {}, `W has ${matrix.height} rows and ${matrix.width} columns, too many to show.`);
  }
  const found = new Map(matrix.entries.map(([row, column, text]) => [row * matrix.width + column, text]));
  const head = element(
    "tr", {}, element("td", {}),
    ...matrix.column_names.map((name) => element("th", { scope: "col" }, element("span", {}, name))),
    element("th", { scope: "col" }, element("span", {}, "bias")),
  );
  const rows = matrix.row_names.map((name, row) =>
    element(
      "tr", {}, element("th", { scope: "row" }, name),
      ...matrix.column_names.map((_, column) => {
        const text = found.get(row * matrix.width + column);
        return element("td", text ? {} : { class: "zero" }, text ?? "·");
      }),
      element("td", { class: "bias" }, matrix.bias[row]),
    ),
  );
  return element(
    "div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element("table", { class: "matrix" }, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...rows)),
  );
}

/** Fills in a gadget's matrices when it is opened. */
export function gadgetMatrices(gadgets) {
  for (const details of document.querySelectorAll("details.gadget")) {
    const gadget = gadgets[Number(details.dataset.at)];
    details.addEventListener("toggle", () => {
      const room = details.querySelector(".matrices");
      if (!details.open || room.childElementCount > 0) return;
      const values = Object.entries(gadget.example).map(([name, value]) => `${name} = ${value}`);
      const example = values.length ? `, at ${values.join(", ")}` : "";
      gadget.layers.forEach(({ matrix }, at) =>
        room.append(matrixTable(matrix, `W and bias of layer ${at + 1}${example}`)),
      );
    });
  }
}

/** Shows only the obligations whose row has the text that is typed. */
export function proofFilter() {
  const field = byId("proof-filter");
  const rows = [...byId("proof-rows").rows];
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      if (!row.hidden) count += 1;
    }
    byId("proof-count").textContent = `${count} of ${rows.length} obligations`;
  });
}
