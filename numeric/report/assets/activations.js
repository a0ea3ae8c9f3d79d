// The activations of every layer in the pass that is shown: all at once, and layer by layer.
import { grid, heatMap, overview, palette } from "./draw.js";
import { byId, element, entryName } from "./elements.js";

/** So many values other than zero are written out for a layer. */
const MOST_NAMED = 120;

export class Activations {
  /** `look()` gives what the state vector and every layer are. */
  constructor(network, look) {
    this.network = network;
    this.look = look;
    this.makeLayers();
    byId("all-open").addEventListener("click", () => this.openAll(true));
    byId("all-shut").addEventListener("click", () => this.openAll(false));
  }

  show() {
    this.cards.forEach((_, depth) => this.showCard(depth));
    this.showOverview();
  }

  makeLayers() {
    const { network } = this;
    const cards = [
      { title: "the state before the pass", note: "what layer 1 reads", families: network.fields },
      ...network.layers.map((layer, at) => ({ ...layer, title: `layer ${at + 1}: ${layer.stage}` })),
    ];
    this.cards = cards.map((card, depth) => this.makeCard(card, depth));
    byId("activations").append(...this.cards.map((card) => card.details));
    const canvas = byId("overview");
    const found = (event) => {
      const box = canvas.getBoundingClientRect();
      return this.at?.(event.clientX - box.left, event.clientY - box.top) ?? null;
    };
    canvas.addEventListener("pointermove", (event) => {
      const place = found(event);
      if (!place) return;
      const { depth, field, at } = place;
      const value = this.look()[depth][field.start + at];
      const where = depth === 0 ? "before" : `layer ${depth}`;
      byId("overview-where").textContent = `${where}: ${entryName(field, at)} = ${value}`;
    });
    canvas.addEventListener("click", (event) => {
      const place = found(event);
      if (!place) return;
      const { details } = this.cards[place.depth];
      details.open = true;
      details.scrollIntoView({ block: "nearest" });
    });
  }

  /** All layers at once. */
  showOverview() {
    const rows = [this.network.fields, ...this.network.layers.map((layer) => layer.families)];
    const values = this.look();
    const canvas = byId("overview");
    const room = canvas.parentElement.clientWidth;
    if (room === 0) return;
    this.at = overview(canvas, rows, values, room);
    const on = values.map((layer) => layer.reduce((sum, value) => sum + (value !== 0 ? 1 : 0), 0));
    canvas.setAttribute(
      "aria-label",
      `All layers. Values other than zero: ${on.map((count, at) => `${at === 0 ? "before" : at}: ${count}`).join(", ")}`,
    );
  }

  makeCard({ title, note, families }, depth) {
    const count = element("span", { class: "count" });
    const details = element(
      "details", { class: "layer", id: `layer-${depth}` },
      element("summary", {}, count, element("b", {}, title), " ", element("span", { class: "note" }, note)),
    );
    const where = element("p", { class: "where", "aria-live": "off" }, "Point at a cell to read it.");
    const flags = element("p", { class: "flags" });
    const maps = element("div", { class: "maps" });
    const views = [];
    for (const field of families) {
      if (field.size === 1) {
        const chip = element("span", { class: "chip", title: field.row ?? "" });
        flags.append(chip);
        views.push({ field, chip });
        continue;
      }
      const canvas = element("canvas", { role: "img" });
      const { across, down } = grid(field.shape);
      const unit = across > 64 ? 4 : across > 24 ? 8 : 14;
      canvas.style.width = `${across * unit}px`;
      canvas.style.height = `${down * (down > 64 ? 2 : down > 1 ? 5 : 14)}px`;
      canvas.addEventListener("pointermove", (event) => {
        const box = canvas.getBoundingClientRect();
        const i = Math.floor(((event.clientX - box.left) / box.width) * across);
        const j = Math.floor(((event.clientY - box.top) / box.height) * down);
        const at = Math.min(field.size - 1, Math.max(0, i * down + j));
        const value = this.look()[depth][field.start + at];
        where.textContent = `${entryName(field, at)} = ${value}, at most ${field.largest}`;
      });
      const name = `${field.name}[${field.shape.join(", ")}]`;
      const figure = element(
        "figure", {}, element("figcaption", { title: field.row ?? "" }, name), canvas,
      );
      maps.append(figure);
      views.push({ field, canvas });
    }
    const list = element("p", { class: "named" });
    const inWords = element("details", {}, element("summary", {}, "values other than zero"), list);
    inWords.addEventListener("toggle", () => this.showCard(depth));
    details.append(flags, maps, where, inWords);
    details.addEventListener("toggle", () => this.showCard(depth));
    return { details, views, count, list, inWords };
  }

  openAll(open) {
    for (const card of this.cards) card.details.open = open;
  }

  showCard(depth) {
    const { details, views, count, list, inWords } = this.cards[depth];
    const values = this.look()[depth];
    let on = 0;
    for (const value of values) if (value !== 0) on += 1;
    count.textContent = `${on} of ${values.length} not zero`;
    if (!details.open) return;
    const colours = palette();
    for (const { field, canvas, chip } of views) {
      if (chip) {
        const value = values[field.start];
        chip.textContent = `${field.name} ${value}`;
        chip.classList.toggle("on", value !== 0);
        continue;
      }
      heatMap(canvas, field, values, colours);
      let some = 0;
      for (let at = 0; at < field.size; at += 1) if (values[field.start + at] !== 0) some += 1;
      canvas.setAttribute("aria-label", `${field.name}: ${some} of ${field.size} are not zero`);
    }
    if (inWords.open) list.textContent = this.inWords(views, values);
  }

  inWords(views, values) {
    const found = [];
    for (const { field } of views) {
      for (let at = 0; at < field.size; at += 1) {
        const value = values[field.start + at];
        if (value !== 0) found.push(`${entryName(field, at)} = ${value}`);
      }
    }
    const more = found.length - MOST_NAMED;
    return `${found.slice(0, MOST_NAMED).join("; ") || "none"}${more > 0 ? `; and ${more} more` : ""}`;
  }
}
