// The trace viewer: a program step by step, its memory, breakpoints and searches.
import {
  SEARCHES, Session, instruction, searchBackward, searchForward,
} from "./session.js";
import { Activations } from "./activations.js";
import { byId, element } from "./elements.js";

/** A byte as it is shown: itself, or its number if it is no printable character. */
const shown = (byte) =>
  byte === 10 ? "\n" : byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;

export class Viewer {
  constructor(network, programs) {
    this.network = network;
    this.programs = programs;
    this.breakpoints = new Set();
    this.running = false;
    this.stop = false;
    this.makeControls();
    this.makeMemory();
    this.activations = new Activations(network, () => this.session.look());
    this.choose(0);
  }

  get half() {
    return 2 ** (this.network.bits - 1);
  }

  /** A word as a signed number. */
  signed(word) {
    return word >= this.half ? word - 2 * this.half : word;
  }

  /** An address with its label, if the source has one. */
  named(address) {
    const label = this.labels.get(address);
    return label ? `${address} (${label})` : `${address}`;
  }

  say(text) {
    byId("said").textContent = text;
  }

  // Controls

  makeControls() {
    const select = byId("program");
    this.programs.forEach((program, at) =>
      select.append(element("option", { value: at }, program.name)),
    );
    const listen = (id, kind, act) => byId(id).addEventListener(kind, act);
    listen("program", "change", () => this.choose(Number(select.value)));
    listen("restart", "click", () => this.goTo(0));
    listen("back", "click", () => this.back(1));
    listen("step", "click", () => this.forward(1));
    listen("run-pause", "click", () => this.toggleRun());
    listen("input", "change", () => this.begin());
    listen("break-form", "submit", (event) => {
      event.preventDefault();
      const address = this.address(byId("break-address").value);
      if (address !== null) this.toggleBreakpoint(address);
    });
    listen("search-kind", "change", () => this.fitSearch());
    listen("search-form", "submit", (event) => {
      event.preventDefault();
      this.search(event.submitter?.id === "search-back" ? -1 : 1);
    });
    this.fitSearch();
  }

  fitSearch() {
    const kind = byId("search-kind").value;
    const needs = kind === "step" || kind === "pc" || kind === "write";
    byId("search-value").disabled = !needs;
    byId("search-value-label").textContent = kind === "step" ? "step" : "address";
    byId("search-back").disabled = kind === "step";
  }

  choose(at) {
    const program = this.programs[at];
    this.program = program;
    this.labels = new Map(program.labels.map(([name, address]) => [address, name]));
    byId("program").value = at;
    byId("input").value = new TextDecoder().decode(Uint8Array.from(program.input));
    this.given = program.input;
    this.breakpoints.clear();
    this.begin(program.input);
  }

  /** Starts the program anew, with the input in its field unless other bytes are given. */
  begin(bytes = null) {
    this.stop = true;
    const input = bytes ?? [...new TextEncoder().encode(byId("input").value)];
    this.session = new Session(this.network, this.program.words, input);
    this.previous = null;
    this.say("");
    this.show();
  }

  /** An address or step that was typed: a number, or a label; null, with a sentence, if neither. */
  address(text) {
    const typed = text.trim();
    for (const [address, label] of this.labels) if (label === typed) return address;
    const value = /^\d+$/.test(typed) ? Number(typed) : NaN;
    if (value < this.network.words) return value;
    this.say(
      `${typed === "" ? "Nothing" : `“${typed}”`} is no address: give 0 to ${this.network.words - 1}, or a label.`,
    );
    return null;
  }

  // Moves

  /** Does a move, and remembers the memory before it, to mark what has changed. */
  move(act) {
    if (this.running) return;
    const before = this.session.codec.memory(this.session.vector);
    act();
    this.previous = before;
    this.show();
  }

  forward(count) {
    this.move(() => {
      const start = this.session.steps;
      for (let at = 0; at < count && this.session.step(); at += 1);
      const made = this.session.steps - start;
      this.say(made < count ? this.ending() : "");
    });
  }

  back(count) {
    this.move(() => {
      this.say(this.session.steps === 0 ? "This is the start." : "");
      this.session.goTo(Math.max(0, this.session.steps - count));
    });
  }

  goTo(step) {
    this.move(() => {
      this.say("");
      this.session.goTo(step);
      if (this.session.steps < step) this.say(this.ending());
    });
  }

  ending() {
    const { ended, steps, pc } = this.session;
    return ended ? `The program has ended: ${ended} after ${steps} steps, pc = ${pc}.` : "";
  }

  /** A break between slices of a long computation; false if it is to stop. */
  async pause() {
    this.showProgress();
    await new Promise((resolve) => setTimeout(resolve));
    return !this.stop;
  }

  /** Runs something long: everything else waits, but for Pause. */
  async long(act) {
    if (this.running) return;
    this.running = true;
    this.stop = false;
    byId("run-pause").textContent = "Pause";
    const before = this.session.codec.memory(this.session.vector);
    const { session } = this;
    const said = await act(session);
    this.running = false;
    byId("run-pause").textContent = "Run";
    if (session !== this.session) return;
    this.previous = before;
    this.say(said);
    this.show();
  }

  toggleRun() {
    if (this.running) {
      this.stop = true;
      return Promise.resolve();
    }
    return this.long(async (session) => {
      const found = await searchForward(
        session, (now) => this.breakpoints.has(now.pc), () => this.pause(),
      );
      if (found) return `Stopped at the breakpoint on ${this.named(session.pc)}.`;
      return this.ending() || `Paused after ${session.steps} steps.`;
    });
  }

  search(direction) {
    const kind = byId("search-kind").value;
    const text = byId("search-value").value;
    if (kind === "step") {
      if (!/^\s*\d+\s*$/.test(text)) return this.say("Give the number of a step, 0 or more.");
      const wanted = Number(text);
      if (wanted < this.session.steps) return this.goTo(wanted);
      return this.long(async (session) => {
        await searchForward(session, (now) => now.steps >= wanted, () => this.pause());
        return session.steps < wanted ? this.ending() || "Stopped." : "";
      });
    }
    const address = byId("search-value").disabled ? null : this.address(text);
    if (address === null && !byId("search-value").disabled) return undefined;
    const found = (now, before) => SEARCHES[kind](now, before, address);
    return this.long(async (session) => {
      const go = direction > 0 ? searchForward : searchBackward;
      const there = await go(session, found, () => this.pause());
      if (there) return `Found at step ${session.steps}.`;
      return this.stop ? "Stopped." : `There is none ${direction > 0 ? "later" : "earlier"}.`;
    });
  }

  toggleBreakpoint(address) {
    if (!this.breakpoints.delete(address)) this.breakpoints.add(address);
    this.showMemory();
    this.showBreakpoints();
  }

  // Memory

  makeMemory() {
    const body = byId("memory");
    this.cells = [];
    for (let address = 0; address < this.network.words; address += 1) {
      const cell = element("button", { type: "button", tabindex: address === 0 ? 0 : -1 });
      cell.addEventListener("click", () => this.toggleBreakpoint(address));
      cell.addEventListener("focus", () => this.keep(address));
      this.cells.push(cell);
      // Rows are of eight words, and of four on a narrow screen.
      const place = element("span", { class: address % 8 ? "half" : "" }, `${address}`);
      body.append(...(address % 4 ? [cell] : [place, cell]));
    }
    body.addEventListener("keydown", (event) => this.walk(event));
  }

  /** Only the cell that had the focus last is reached with the tab key. */
  keep(address) {
    for (const cell of this.cells) if (cell.tabIndex === 0) cell.tabIndex = -1;
    this.cells[address].tabIndex = 0;
  }

  walk(event) {
    const at = this.cells.indexOf(document.activeElement);
    const row = getComputedStyle(byId("memory")).gridTemplateColumns.split(" ").length - 1;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row };
    const next = at + (moves[event.key] ?? 0);
    if (at < 0 || next === at || !this.cells[next]) return;
    event.preventDefault();
    event.stopPropagation();
    this.cells[next].focus();
  }

  showMemory() {
    const { session } = this;
    const memory = session.codec.memory(session.vector);
    const now = instruction(session);
    const reads = session.ended ? [] : [now.a, now.b];
    memory.forEach((word, address) => {
      const cell = this.cells[address];
      const place = now.pc >= 0 && address >= now.pc && address < now.pc + 3 && !session.ended;
      const marks = [
        [place, "at-pc", ["A", "B", "C"][address - now.pc] ?? ""],
        [reads.includes(address), "read", "operand"],
        [this.previous !== null && this.previous[address] !== word, "changed", "changed"],
        [this.breakpoints.has(address), "break", "breakpoint"],
      ].filter(([on]) => on);
      const value = `${this.signed(word)}`;
      if (cell.textContent !== value) cell.textContent = value;
      cell.className = marks.map(([, name]) => name).join(" ");
      const label = `address ${this.named(address)}: ${[value, ...marks.map(([, , text]) => text)].join(", ")}`;
      cell.setAttribute("aria-label", label);
      cell.title = label;
    });
  }

  showBreakpoints() {
    const list = byId("breakpoints");
    const sorted = [...this.breakpoints].sort((one, other) => one - other);
    list.replaceChildren(
      ...sorted.map((address) => {
        const remove = element(
          "button", { type: "button", "aria-label": `remove the breakpoint on ${this.named(address)}` }, "×",
        );
        remove.addEventListener("click", () => this.toggleBreakpoint(address));
        return element("li", {}, this.named(address), " ", remove);
      }),
    );
    byId("no-breakpoints").hidden = sorted.length > 0;
  }

  // The whole

  showProgress() {
    byId("steps").textContent = this.session.steps.toLocaleString("en");
    byId("output").textContent = this.session.output.map(shown).join("");
  }

  show() {
    const { session } = this;
    const now = instruction(session);
    this.showProgress();
    byId("pc").textContent = this.named(this.signed(now.pc));
    byId("status").textContent = session.ended || (session.steps ? "running" : "at the start");
    byId("taken").textContent = `${session.taken} of ${session.input.length} bytes read`;
    byId("instruction").textContent = this.describe(now);
    this.showMemory();
    this.showBreakpoints();
    this.activations.show();
    byId("back").disabled = session.steps === 0;
    byId("step").disabled = session.ended !== "";
  }

  /** The instruction at pc in words. */
  describe({ a, b, c, pc, kind }) {
    const operand = (word) =>
      word === null ? "outside the memory" : word < this.network.words ? this.named(word) : `${this.signed(word)}`;
    const words = `A = ${operand(a)}, B = ${operand(b)}, C = ${operand(c)}`;
    switch (kind) {
      case "halted": return "halted: a pass changes nothing";
      case "fault": return `fault: a pass changes nothing. ${words}`;
      case "input": return `input: mem[B] = the next byte, or −1 at the end. ${words}`;
      case "output": return `output: print mem[A]. ${words}`;
      default: return `mem[B] −= mem[A]; go to C if mem[B] ≤ 0, else to ${pc + 3}. ${words}`;
    }
  }
}
