// Puts the page together: reads its data, makes the viewer, the theme's switch and the keys.
import { byId } from "./elements.js";
import { decodedNetwork } from "./network.js";
import { Layers, gadgetMatrices, proofFilter } from "./sections.js";
import { Viewer } from "./viewer.js";

const THEMES = ["auto", "light", "dark"];

function themeSwitch(redraw) {
  const button = byId("theme");
  let at = 0;
  const change = () => {
    at = (at + 1) % THEMES.length;
    document.documentElement.dataset.theme = THEMES[at];
    button.textContent = `Theme: ${THEMES[at]}`;
    redraw();
  };
  button.addEventListener("click", change);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return change;
}

function keys(viewer, layers, change) {
  const focus = (id) => {
    byId(id).focus();
    byId(id).scrollIntoView({ block: "center" });
  };
  const table = {
    n: () => viewer.forward(1),
    p: () => viewer.back(1),
    N: () => viewer.forward(10),
    P: () => viewer.back(10),
    ArrowRight: () => viewer.forward(1),
    ArrowLeft: () => viewer.back(1),
    0: () => viewer.goTo(0),
    r: () => viewer.toggleRun(),
    b: () => viewer.toggleBreakpoint(viewer.session.pc),
    "/": () => focus("search-value"),
    f: () => viewer.search(1),
    F: () => viewer.search(-1),
    o: () => viewer.activations.openAll(true),
    c: () => viewer.activations.openAll(false),
    j: () => layers.choose(layers.chosen + 1),
    k: () => layers.choose(layers.chosen - 1),
    t: () => change(),
    "?": () => byId("keys").scrollIntoView(),
  };
  document.addEventListener("keydown", (event) => {
    if (!byId("keys-on").checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    if (event.key === "b" && viewer.session.ended) return;
    const act = Object.hasOwn(table, event.key) ? table[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });
}

async function start() {
  const data = JSON.parse(byId("data").textContent);
  const network = await decodedNetwork(data.network);
  const viewer = new Viewer(network, data.programs);
  const layers = new Layers(network);
  gadgetMatrices(data.gadgets);
  proofFilter();
  const redraw = () => {
    layers.draw();
    viewer.show();
  };
  keys(viewer, layers, themeSwitch(redraw));
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    layers.draw();
    viewer.activations.showOverview();
  });
  viewer.activations.cards[1].details.open = true;
  // For the browser's console, and for tests.
  globalThis.report = { network, viewer, layers };
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  byId("said").textContent = `The network in this page cannot be read: ${error.message}. Make the page again.`;
  document.documentElement.dataset.ready = "failed";
});
