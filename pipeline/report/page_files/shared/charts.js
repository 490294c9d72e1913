// Draws charts with Vega. A specification is compiled once for all charts of its kind.

const COLOURS = ["train", "eval", "test", "soft", "ink", "card", "accent", "grid", "low", "middle", "high", "good", "bad", "wait"];
const STEP = 17; // pixels of a value or a bin
const AXIS = 26;
const dark = matchMedia("(prefers-color-scheme: dark)");

let theme = currentTheme();
const compiled = new Map();
const drawn = new Map(); // by element, how it was drawn

function currentTheme() {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...colours, splits: SPLITS.map((split) => colours[split]) };
}

function config() {
  const font = getComputedStyle(document.body).fontFamily;
  const axis = { labelColor: theme.soft, gridColor: theme.grid, domainColor: theme.grid, tickColor: theme.grid, labelFont: font, labelFontSize: 11, titleColor: theme.soft, titleFont: font, titleFontSize: 11, titleFontWeight: "normal" };
  return {
    background: null, font, axis, aria: false,
    view: { stroke: null }, legend: { labelColor: theme.soft, labelFont: font, titleColor: theme.soft, titleFont: font }, text: { font },
    mark: { aria: false }, scale: { bandPaddingInner: 0.12 },
  };
}

/** Return the dataflow of a kind of chart. */
function dataflow(kind) {
  if (!compiled.has(kind)) {
    const size = { width: 300, height: 180, autosize: { type: "fit", contains: "padding" } };
    const { spec } = vegaLite.compile({ ...size, ...SPECS[kind](theme) }, { config: config() });
    compiled.set(kind, vega.parse(spec, {}, { ast: true }));
  }
  return compiled.get(kind);
}

/** Return an element for a chart; `draw` fills it. */
function chart(kind, label, height, data) {
  const element = h("div", { className: "chart", role: "img", "aria-label": label });
  element.style.minHeight = `${height}px`;
  drawn.set(element, { kind, height, data, view: null });
  return element;
}

/** Draw charts in elements of the document; all widths are read first, for one layout. */
function draw(elements) {
  const widths = elements.map((element) => element.clientWidth);
  elements.forEach((element, i) => widths[i] && drawOne(element, widths[i]));
}

function drawOne(element, width) {
  const one = drawn.get(element);
  one.view?.finalize();
  element.replaceChildren();
  const view = new vega.View(dataflow(one.kind), { renderer: "svg", expr: vega.expressionInterpreter, logLevel: vega.Error });
  for (const [name, rows] of Object.entries(one.data)) view.data(name, rows.map((row) => ({ ...row })));
  one.view = view.initialize(element).width(width).height(one.height).run();
  element.querySelector("form").remove(); // for controls, which no chart has
}

/** Give a chart other rows, by the name of their source. */
function update(element, data) {
  const one = drawn.get(element);
  Object.assign(one.data, data);
  if (one.view === null) return;
  for (const [name, rows] of Object.entries(data)) one.view.data(name, rows.map((row) => ({ ...row })));
  one.view.run();
}

/** Draw all charts again that are drawn, as after a change of colours or of the window's width. */
function redraw() {
  theme = currentTheme();
  compiled.clear();
  draw([...drawn.keys()].filter((element) => drawn.get(element).view !== null && element.isConnected));
}

let width = innerWidth;
dark.addEventListener("change", redraw);
matchMedia("print").addEventListener("change", redraw);
addEventListener("resize", afterCalm(150, () => {
  if (innerWidth === width) return; // a phone's bars change the height alone
  width = innerWidth;
  redraw();
}));
