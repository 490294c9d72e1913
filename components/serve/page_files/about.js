// Cards about the model: versions and their health, metrics by slice, the proof, digests.

const MOST_METRICS = 5;

/** Show the model's description; `entry` is its part of GET /v1/models. */
function showAbout(description, entry, health) {
  const served = [versionsCard(entry, health)];
  const quality = [];
  if (description?.metrics.length) quality.push(metricsCard(description));
  if (description?.parity.length) quality.push(proofCard(description));
  if (Object.keys(description?.digests ?? {}).length) served.push(originCard(description));
  byId("about-served").replaceChildren(...served);
  byId("about-quality").replaceChildren(...quality);
}

const card = (title, hint, ...children) =>
  h(
    "section",
    { className: "card" },
    h("div", { className: "head" }, h("h2", { textContent: title })),
    ...(hint ? [h("p", { className: "hint", textContent: hint })] : []),
    ...children,
  );

function versionsCard(entry, health) {
  const items = entry.versions.map(({ version, state, labels }) => {
    const tags = [...(version === entry.default ? ["default"] : []), ...(labels ?? [])];
    const trouble = health.get(String(version)) ?? "";
    return h(
      "li",
      {},
      h("span", { className: `dot ${state.toLowerCase()}`, "aria-hidden": "true" }),
      h("strong", { textContent: `version ${version}` }),
      h("span", { className: "hint", textContent: state.toLowerCase() }),
      ...tags.map((tag) => h("span", { className: "tag", textContent: tag })),
      ...(trouble ? [h("span", { className: "note error", textContent: trouble })] : []),
    );
  });
  return card("Versions", "", h("ul", { className: "versions" }, ...items));
}

/** Create a table whose first column names the row; numbers are aligned right. */
function table(caption, head, rows) {
  const cell = (value, index) =>
    index === 0 ? h("th", { scope: "row", textContent: value }) : h("td", { textContent: value });
  return h(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h("tr", {}, ...head.map((name) => h("th", { scope: "col", textContent: name }))),
      ),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
    ),
  );
}

// Like the model card, it leaves out slices that are too small for meaningful metrics.
function metricsCard({
  task,
  metrics,
  baseline,
  training_examples: learnt,
  min_slice_examples: least,
}) {
  // The table comes from page.py. A model of a newer version may have a task that is not in it.
  const { metrics: titles, linear } = TASKS[task ?? "binary"] ?? { metrics: {}, linear: "linear" };
  const given = Object.keys(metrics[0].metrics);
  // The number in a name, such as that of top_5_accuracy, is {k} in the table.
  const numbered = (name) => name.replace(/\d+/, "{k}");
  const familiar = Object.keys(titles).flatMap((title) =>
    given.filter((name) => name === title || numbered(name) === title),
  );
  const shown = familiar.length ? familiar : given.slice(0, MOST_METRICS);
  const row = (name, count, values) => [
    name,
    count,
    ...shown.map((key) => metricText(values[key])),
  ];
  const [whole, ...slices] = metrics;
  const large = slices.filter((slice) => slice.rows >= (least ?? 0));
  const rows = [row("all test rows", whole.rows.toLocaleString("en"), whole.metrics)];
  if (Object.keys(baseline).length) rows.push(row(linear, "", baseline));
  rows.push(
    ...large.map((slice) => row(slice.name, slice.rows.toLocaleString("en"), slice.metrics)),
  );
  const titleOf = (name) =>
    titles[name] ?? titles[numbered(name)]?.replace("{k}", /\d+/.exec(name)) ?? name;
  const head = ["slice", "rows", ...shown.map(titleOf)];
  const hint = `On test rows not used in training, after learning from ${learnt.toLocaleString("en")} rows.`;
  const listed = table("Metrics by slice", head, rows);
  return card("How good it is", hint, listed, ...leftOut(slices.length - large.length, least));
}

function leftOut(small, least) {
  if (!small) return [];
  const which = `slices of fewer than ${least.toLocaleString("en")} rows (${small.toLocaleString("en")})`;
  const textContent = `Not shown: ${which}, whose metrics mean little. They are in model.json.`;
  return [h("p", { className: "hint", textContent })];
}

function metricText(value) {
  if (typeof value !== "number") return "–";
  // Errors in the label's unit may be large.
  return Math.abs(value) < 1000
    ? value.toFixed(4)
    : value.toLocaleString("en", { maximumFractionDigits: 0 });
}

function proofCard({ parity, real_rows: real, adversarial_rows: madeUp }) {
  const differing = parity.reduce((sum, path) => sum + path.differing, 0);
  const rows = parity.map((path) => [
    path.name,
    path.rows.toLocaleString("en"),
    path.values.toLocaleString("en"),
    path.differing === 0 ? "none" : path.differing.toLocaleString("en"),
  ]);
  const asked = `${real.toLocaleString("en")} real and ${madeUp.toLocaleString("en")} made-up rows were sent through every serving path`;
  const hint = `${asked}: ${differing === 0 ? "all gave what training computed" : `${differing} values differ`}.`;
  return card(
    "Proof of parity",
    hint,
    table("Proof of parity", ["serving path", "rows", "values compared", "differing"], rows),
  );
}

function originCard({ pushed_at: pushed, digests, versions }) {
  const pair = ([name, value], className) =>
    h(
      "div",
      {},
      h("dt", { textContent: name.replaceAll("_", " ") }),
      h("dd", { className, textContent: value }),
    );
  const when = new Date(pushed);
  const hint = Number.isNaN(when.getTime())
    ? ""
    : `Pushed on ${when.toISOString().slice(0, 16).replace("T", " at ")} UTC.`;
  return card(
    "Where it comes from",
    hint,
    h(
      "details",
      {},
      h("summary", { textContent: "Digests (SHA-256)" }),
      h(
        "dl",
        { className: "pairs" },
        ...Object.entries(digests).map((entry) => pair(entry, "digest")),
      ),
    ),
    h(
      "details",
      {},
      h("summary", { textContent: "Libraries" }),
      h("dl", { className: "pairs" }, ...Object.entries(versions).map((entry) => pair(entry, ""))),
    ),
  );
}
