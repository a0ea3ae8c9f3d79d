// A run of a program: the host loop around the network, and the way back.
import { buffers, codec, pass, startVector } from "./network.js";

/** So many snapshots are kept at most; beyond, every second one is dropped. */
const MOST_SNAPSHOTS = 256;
const FIRST_DISTANCE = 32;

/**
 * A program on the network.  As the host loop does, a pass that ends with `wanted` is no step: one
 * byte of input is filled in (all ones at its end), `ready` is set, and the network passes again.
 * To go back, the session takes the last snapshot before and executes from there.
 */
export class Session {
  constructor(network, program, input) {
    this.network = network;
    this.codec = codec(network);
    this.modulus = 2 ** network.bits;
    this.values = buffers(network);
    this.program = program;
    this.input = input;
    this.reset();
  }

  reset() {
    this.vector = startVector(this.network, this.program);
    this.steps = 0;
    this.taken = 0;
    this.output = [];
    this.snapshots = new Map();
    this.distance = FIRST_DISTANCE;
    this.seen = false;
    this.save();
  }

  /** What every layer is in the pass that is made from the present state. */
  look() {
    if (!this.seen) {
      this.values[0].set(this.vector);
      pass(this.network, this.values);
      this.seen = true;
    }
    return this.values;
  }

  get pc() {
    return this.codec.read(this.vector, "pc");
  }

  /** "" while the program goes on, else "halted" or "fault". */
  get ended() {
    if (this.codec.read(this.vector, "fault")) return "fault";
    return this.pc >= this.modulus / 2 ? "halted" : "";
  }

  /** The whole state. */
  state() {
    const { vector } = this;
    const names = ["pc", "fault", "input", "ready", "wanted", "output", "valid"];
    return {
      mem: this.codec.memory(vector),
      ...Object.fromEntries(names.map((name) => [name, this.codec.read(vector, name)])),
    };
  }

  /** One step.  False, and nothing happens, if the program has ended. */
  step() {
    if (this.ended) return false;
    for (;;) {
      const values = this.look();
      this.vector.set(values[values.length - 1]);
      this.seen = false;
      if (!this.codec.read(this.vector, "wanted")) break;
      this.give();
    }
    this.steps += 1;
    if (this.codec.read(this.vector, "valid")) {
      this.output.push(this.codec.read(this.vector, "output") % 256);
    }
    if (this.steps % this.distance === 0) this.save();
    return true;
  }

  /** Fills the input word and sets its ready flag. */
  give() {
    const there = this.taken < this.input.length;
    const word = there ? this.input[this.taken] % this.modulus : this.modulus - 1;
    if (there) this.taken += 1;
    const entries = this.codec.entries(this.vector);
    this.codec.set(entries, "input", word);
    this.codec.set(entries, "ready", 1);
    this.codec.encode(entries, this.vector);
  }

  save() {
    this.snapshots.set(this.steps, {
      vector: this.vector.slice(),
      taken: this.taken,
      printed: this.output.length,
    });
    if (this.snapshots.size <= MOST_SNAPSHOTS) return;
    this.distance *= 2;
    for (const at of [...this.snapshots.keys()]) {
      if (at % this.distance) this.snapshots.delete(at);
    }
  }

  /** The last step of which there is a snapshot, at most `step`. */
  nearest(step) {
    return Math.max(...[...this.snapshots.keys()].filter((at) => at <= step));
  }

  restore(at) {
    const found = this.snapshots.get(at);
    this.vector.set(found.vector);
    this.steps = at;
    this.taken = found.taken;
    // What was printed up to here is the same whichever way one came.
    this.output.length = found.printed;
    this.seen = false;
  }

  /** The state after so many steps, or the last one if the program ends before. */
  goTo(step) {
    if (step < this.steps) this.restore(this.nearest(Math.max(step, 0)));
    while (this.steps < step && this.step());
  }
}

/** What can be searched for; each is asked after a step, of the session and the state before (null at the start). */
export const SEARCHES = {
  pc: (session, _before, address) => session.pc === address,
  write: (session, before, address) =>
    before !== null &&
    session.codec.word(session.vector, address) !== session.codec.word(before.vector, address),
  output: (session, before) => before !== null && session.output.length > before.printed,
  input: (session, before) =>
    before !== null && session.codec.read(before.lookedAt, "wanted") === 1,
};

/** What a search compares with after a step. */
export function remembered(session) {
  const values = session.look();
  return {
    vector: session.vector.slice(),
    printed: session.output.length,
    lookedAt: values[values.length - 1].slice(),
  };
}

/**
 * Goes on to the next step after which `found(session, before)`; true if there is one.  Between
 * slices of time it awaits `pause()`, and stops where it is when that gives false.
 */
export async function searchForward(session, found, pause) {
  for (;;) {
    const end = performance.now() + 30;
    while (performance.now() < end) {
      const before = remembered(session);
      if (!session.step()) return false;
      if (found(session, before)) return true;
    }
    if (!(await pause())) return false;
  }
}

/**
 * Goes back to the last step before the present one after which `found(session, before)`, or to the
 * start, of which it is asked with null for the state before; if there is none, it stays where it
 * was.  True if there is one.
 */
export async function searchBackward(session, found, pause) {
  const from = session.steps;
  // The states before `end` are left to be looked at, those after `start` in this round.
  for (let end = from, start; end >= 2; end = start + 1) {
    start = session.nearest(end - 2);
    session.restore(start);
    let last = -1;
    while (session.steps < end - 1) {
      const before = remembered(session);
      session.step();
      if (found(session, before)) last = session.steps;
    }
    if (last >= 0) {
      session.goTo(last);
      return true;
    }
    if (!(await pause())) {
      session.goTo(from);
      return false;
    }
  }
  session.goTo(0);
  if (from > 0 && found(session, null)) return true;
  session.goTo(from);
  return false;
}

/** The words at pc, and what the instruction is about to do. */
export function instruction(session) {
  const { network, codec: state, vector, pc, modulus } = session;
  const at = (address) => (address < network.words ? state.word(vector, address) : null);
  const [a, b, c] = [at(pc), at(pc + 1), at(pc + 2)];
  const port = modulus - 1;
  let kind = "subtract";
  if (session.ended) kind = session.ended;
  else if (a === port && b !== port) kind = "input";
  else if (b === port && a !== port) kind = "output";
  return { pc, a, b, c, kind };
}
