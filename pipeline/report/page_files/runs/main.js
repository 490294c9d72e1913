// The runs of each pipeline, newest first, with sparklines.

const TONES = { pushed: "good", unchanged: "good", failed: "bad", refused: "bad", killed: "bad", damaged: "bad", running: "wait", interrupted: "wait", partial: "wait" };
const NS = "http://www.w3.org/2000/svg";

/** Return a line through values, the last of which has a dot; null without two of them. */
function sparkline(values, label) {
  const known = values.map((value, i) => [i, value]).filter(([, value]) => typeof value === "number");
  if (known.length < 2) return null;
  const [width, height, edge] = [160, 34, 4];
  const least = Math.min(...known.map(([, value]) => value)), most = Math.max(...known.map(([, value]) => value));
  const x = (i) => edge + (i / (values.length - 1)) * (width - 2 * edge);
  const y = (value) => height - edge - (most > least ? (value - least) / (most - least) : 0.5) * (height - 2 * edge);
  const svg = document.createElementNS(NS, "svg"), line = document.createElementNS(NS, "polyline"), dot = document.createElementNS(NS, "circle");
  const set = (node, attributes) => Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  const [last, value] = known.at(-1);
  set(svg, { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  set(line, { points: known.map(([i, each]) => `${x(i).toFixed(1)},${y(each).toFixed(1)}`).join(" "), fill: "none", stroke: "var(--train)", "stroke-width": 1.75 });
  set(dot, { cx: x(last), cy: y(value), r: 3, fill: "var(--eval)" });
  svg.append(line, dot);
  return svg;
}

function pipelineOf(name, runs) {
  const oldest = [...runs].reverse();
  const objective = Object.keys(runs.find((run) => Object.keys(run.metrics).length)?.metrics ?? {})[0];
  const better = runs.find((run) => run.better)?.better;
  const trends = [
    objective ? [`${objective}${better ? `, ${better} is better` : ""}`, oldest.map((run) => run.metrics[objective]), metricText] : null,
    ["rows", oldest.map((run) => run.rows), countText],
    ["duration", oldest.map((run) => run.seconds), secondsText],
  ].filter(Boolean);
  const shown = trends.map(([title, values, text]) => {
    const last = values.filter((value) => typeof value === "number").at(-1);
    const line = sparkline(values, `${title} of ${plural(values.length, "run")}, ${last === undefined ? NONE : text(last)} at last`);
    return h("div", { className: "trend" }, h("p", { className: "note", textContent: title }), h("p", { className: "last", textContent: last === undefined ? NONE : text(last) }), line);
  });
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].slice(0, 4);
  const heads = [["run", true], ["started (UTC)", true], ["status", true], ["rows", false], ...names.map((metric) => [metric, false]), ["time", false], ["version", false]];
  const rows = runs.map((run) => [
    [run.report ? h("a", { href: run.report, textContent: run.run_id }) : run.run_id, run.run_id],
    run.started.slice(0, 19).replace("T", " "),
    [h("span", { className: `tag ${TONES[run.status] ?? ""}`, textContent: run.status, title: run.problem ?? "" }), run.status],
    run.rows === null ? [NONE, null] : [countText(run.rows), run.rows],
    ...names.map((metric) => [metricText(run.metrics[metric]), run.metrics[metric] ?? null]),
    [secondsText(run.seconds), run.seconds],
    run.version === null ? [NONE, null] : [String(run.version), run.version],
  ]);
  const id = `pipeline-${name}`;
  return h("section", { id, "aria-labelledby": `${id}-head` }, h("h2", { id: `${id}-head`, textContent: name }), panel(h("div", { className: "trends" }, ...shown), sortableTable(`Runs of ${name}`, heads, rows)));
}

const byPipeline = new Map();
for (const run of content.runs) byPipeline.set(run.pipeline, [...(byPipeline.get(run.pipeline) ?? []), run]);
byId("title").textContent = "Runs";
byId("subtitle").textContent = `${plural(content.runs.length, "run")} in ${content.place}`;
byId("cards").append(...[...byPipeline].map(([name, runs]) => pipelineOf(name, runs)));
byId("sections").append(...[...byPipeline.keys()].map((name) => h("li", {}, h("a", { href: `#pipeline-${name}`, textContent: name }))));
