// The chart of one field: how the score depends on its value.

const FRAME = { height: 224, left: 34, right: 12, top: 12, bottom: 26, missing: 58 };

/** Draw an effect into a node: bars for values without an order, an SVG for ordered ones. */
function drawChart(node, effect, { use, threshold }) {
  const title = h("h3", { textContent: effect.input.name });
  const readout = h("p", { className: "hint readout", textContent: summaryOf(effect) });
  node.replaceChildren(title, readout);
  if (effect.shape === "bars") node.append(valueBars(effect, use));
  else
    node.append(numberChart(effect, Math.max(node.clientWidth, 240), { readout, use, threshold }));
}

const labelOf = (text) => (text === "" ? "missing" : text);

function summaryOf({ points, current, base, text }) {
  const sorted = points.filter(({ score }) => score !== null).sort((a, b) => a.score - b.score);
  if (sorted.length === 0) return "The model gives no score for these values.";
  const [low, high] = [sorted[0], sorted.at(-1)];
  return (
    `Now ${labelOf(current)}: ${text(base)}. Lowest ${text(low.score)} at ${labelOf(low.text)},` +
    ` highest ${text(high.score)} at ${labelOf(high.text)}.`
  );
}

function valueBars({ points, current, input, range, text: written }, use) {
  const sorted = [...points].sort((a, b) => b.score - a.score);
  const rows = sorted.map(({ text, score }) => {
    const fill = h("span", { className: "fill" });
    fill.style.width = `${100 * placeOf(score, range)}%`;
    const button = h(
      "button",
      {
        type: "button",
        className: text === current ? "chosen" : "",
        onclick: () => use(input.name, text),
        title: "Put this value into the form",
      },
      h("span", { className: `class${text === "" ? " none" : ""}`, textContent: labelOf(text) }),
      h("span", { className: "track" }, fill),
      h("span", { className: "number", textContent: written(score) }),
    );
    return h("li", {}, button);
  });
  return h("ul", { className: "bars values", "aria-label": `Scores by ${input.name}` }, ...rows);
}

function numberChart(effect, width, { readout, use, threshold }) {
  const points = effect.points
    .filter(({ text, score }) => text !== "" && score !== null)
    .map(({ text, score }) => ({ text, x: Number(text), score }))
    .sort((a, b) => a.x - b.x);
  const missing = effect.points.find(({ text }) => text === "");
  const scale = scalesOf(points, width, effect);
  const drawn =
    effect.shape === "columns"
      ? columnMarks(points, effect, scale)
      : lineMarks(points, effect, scale);
  const svg = s(
    "svg",
    {
      class: "chart",
      role: "img",
      width,
      height: FRAME.height,
      viewBox: `0 0 ${width} ${FRAME.height}`,
      "aria-label": `Score by ${effect.input.name}. ${summaryOf(effect)}`,
    },
    ...axes(scale, points, threshold),
    ...drawn,
    ...missingMark(missing, effect, scale),
  );
  const choices = [
    ...points.map((point) => ({ ...point, at: scale.x(point.x) })),
    { ...missing, at: scale.missing },
  ];
  listen(svg, choices, effect, { readout, use });
  return svg;
}

/** Return functions from values to pixels. The right margin is for the missing value. */
function scalesOf(points, width, { shape, range }) {
  const first = points[0]?.x ?? 0;
  const last = points.at(-1)?.x ?? 1;
  const right = width - FRAME.right - FRAME.missing;
  const slot = shape === "columns" ? (right - FRAME.left) / Math.max(last - first + 1, 1) : 0;
  const span = right - FRAME.left - slot;
  return {
    width,
    range,
    right,
    slot,
    x: (value) =>
      FRAME.left + slot / 2 + (last > first ? ((value - first) / (last - first)) * span : span / 2),
    y: (score) => FRAME.top + (1 - placeOf(score, range)) * (FRAME.height - FRAME.top - FRAME.bottom),
    missing: width - FRAME.right - FRAME.missing / 2 + 8,
  };
}

/** Write a number in few characters, as 0.5, 1.2K or 3.4M. */
const tickText = (value) =>
  value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });

function axes(scale, points, threshold) {
  const text = (x, y, content, anchor) => s("text", { x, y, "text-anchor": anchor }, content);
  const line = (score, name) =>
    s("line", {
      class: name,
      x1: FRAME.left,
      x2: scale.width - FRAME.right,
      y1: scale.y(score),
      y2: scale.y(score),
    });
  const { low, high } = scale.range;
  const grid = [low, (low + high) / 2, high].flatMap((score) => [
    line(score, "grid"),
    text(FRAME.left - 8, scale.y(score) + 4, tickText(score), "end"),
  ]);
  const middle = points[Math.floor((points.length - 1) / 2)];
  const ticks = [...new Set([points[0], middle, points.at(-1)])]
    .filter(Boolean)
    .map((point) => text(scale.x(point.x), FRAME.height - 8, numberText(point.x), "middle"));
  const limit = threshold === null ? [] : [line(threshold, "threshold")];
  return [...grid, ...limit, ...ticks, text(scale.missing, FRAME.height - 8, "missing", "middle")];
}

function lineMarks(points, effect, scale) {
  const places = points.map(
    ({ x, score }) => `${scale.x(x).toFixed(1)},${scale.y(score).toFixed(1)}`,
  );
  const marks = [s("polyline", { class: "curve", points: places.join(" ") })];
  const now = points.find(({ text }) => text === effect.current);
  if (now)
    marks.push(s("circle", { class: "now", cx: scale.x(now.x), cy: scale.y(now.score), r: 5 }));
  return marks;
}

function columnMarks(points, effect, scale) {
  const thick = Math.max(1, Math.min(scale.slot * 0.72, 26));
  return points.map(({ text, x, score }) =>
    s("rect", {
      class: text === effect.current ? "column now" : "column",
      x: scale.x(x) - thick / 2,
      width: thick,
      y: scale.y(score),
      height: Math.max(scale.y(scale.range.low) - scale.y(score), 1),
      rx: Math.min(2, thick / 3),
    }),
  );
}

function missingMark(point, effect, scale) {
  if (!point || point.score === null) return [];
  const state = effect.current === "" ? "now" : "";
  return [
    s("circle", { class: `absent ${state}`, cx: scale.missing, cy: scale.y(point.score), r: 4.5 }),
  ];
}

/** Show the value under the pointer; a click puts it into the form, which keys can do there. */
function listen(svg, choices, effect, { readout, use }) {
  const nearest = (event) => {
    const x = event.clientX - svg.getBoundingClientRect().left;
    return choices.reduce((best, one) =>
      Math.abs(one.at - x) < Math.abs(best.at - x) ? one : best,
    );
  };
  svg.onpointermove = (event) => {
    const { text, score } = nearest(event);
    readout.textContent = `${labelOf(text)}: ${effect.text(score)} (click to use)`;
  };
  svg.onpointerleave = () => {
    readout.textContent = summaryOf(effect);
  };
  svg.onclick = (event) => use(effect.input.name, nearest(event).text);
}
