// Assembles the page: which model and version is used, and what a change updates.

const CALM = 120; // milliseconds without a keystroke before a request
const HEALTH_EVERY = 10_000; // milliseconds

const page = {
  models: [],
  model: "", // its name
  selector: "", // the part of paths that selects the version: "" is the server's choice
  description: null,
  fields: [],
  health: new Map(), // by version: what is wrong with it
  comparing: false,
  effects: [],
  chosen: null, // the field whose chart is shown
  asking: new AbortController(),
};

const entryOf = (name) => page.models.find((model) => model.name === name);

/** The number of the selected version. */
function resolved() {
  const [, kind, wanted] = page.selector.split("/");
  const { versions, default: standard } = entryOf(page.model);
  if (kind === "versions") return wanted;
  if (kind !== "labels") return String(standard);
  const label = decodeURIComponent(wanted);
  return String(versions.find(({ labels }) => labels?.includes(label))?.version);
}

/** Run an action; show its errors on the page. */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") showTrouble(error.message);
    if (!(error instanceof ServerError) && error.name !== "AbortError") throw error;
  }
}

function showTrouble(message) {
  const field = message === "" ? undefined : fieldNamedIn(message, page.fields);
  field?.tell(message, "error");
  byId("trouble").textContent = field ? "" : message;
  byId("trouble").hidden = Boolean(field) || message === "";
  byId("answer").classList.toggle("stale", message !== "");
  byId("change").classList.toggle("stale", message !== "");
}

async function loadModels() {
  page.models = (await call("/v1/models")).models;
  for (const { versions } of page.models) versions.sort((a, b) => b.version - a.version);
  if (page.models.length === 0) throw new ServerError(0, "The server has no model.");
  const names = page.models.map(({ name }) => name);
  if (!names.includes(page.model)) [page.model] = names;
  fillSelect(
    byId("model"),
    names.map((name) => [name, name]),
    page.model,
  );
  fillVersions();
}

function fillSelect(select, options, value) {
  select.replaceChildren(
    ...options.map(([key, text]) => h("option", { value: key, textContent: text })),
  );
  select.value = value;
}

function fillVersions() {
  const { versions, default: standard } = entryOf(page.model);
  const options = [["", standard === null ? "default" : `default (${standard})`]];
  for (const { version, labels } of versions.filter(({ state }) => state === "AVAILABLE")) {
    for (const label of labels ?? [])
      options.push([`/labels/${encodeURIComponent(label)}`, `${label} (${version})`]);
    options.push([`/versions/${version}`, String(version)]);
  }
  if (!options.some(([key]) => key === page.selector)) page.selector = "";
  fillSelect(byId("version"), options, page.selector);
}

async function loadDescription() {
  const kept = page.fields.length ? rowOf(page.fields) : null;
  page.description = await describe(page.model, page.selector);
  byId("title").textContent = page.description.label || page.model;
  document.title = `${page.model} · Skewless`;
  const changed = afterCalm(CALM, ask);
  page.fields = page.description.inputs.map((input, index) => {
    const field = new Field(input, `field-${index}`, changed);
    if (kept?.has(input.name)) field.set(kept.get(input.name));
    return field;
  });
  byId("fields").replaceChildren(...page.fields.map(({ node }) => node));
  byId("example").hidden = Boolean(page.description.bare);
}

/** Send the row in the form, and show all results. */
function ask() {
  showRequest();
  byId("why").classList.add("stale"); // it is of the row before
  page.asking.abort(); // an older row's answer must not arrive after this one
  page.asking = new AbortController();
  const { signal } = page.asking;
  return attempt(async () => {
    const row = rowOf(page.fields);
    const started = performance.now();
    const answer = await askRows([row], signal);
    const took = performance.now() - started;
    for (const field of page.fields) field.showState();
    showTrouble("");
    showAnswer(readAnswer(answer, page.description), page.description);
    byId("took").textContent =
      `version ${resolved()}, in ${took < 10 ? took.toFixed(1) : took.toFixed(0)} ms`;
    if (page.comparing) await compare(row, signal);
  });
}

function askRows(rows, signal) {
  const { inputs } = page.description;
  const body = columnsJson(signatureOf(page.description), inputs, rows);
  return call(`${modelPath(page.model, page.selector)}:predict`, { body, signal });
}

/** Explain the answer for the row in the form. */
function explain() {
  return attempt(async () => {
    const row = rowOf(page.fields);
    const body = columnsJson(signatureOf(page.description), page.description.inputs, [row]);
    const answer = await call(`${modelPath(page.model, page.selector)}:explain`, { body });
    showTrouble("");
    showExplanation(answer, row);
    byId("why").classList.remove("stale");
  });
}

async function compare(row, signal) {
  const plans = plansOf(page.description.inputs, row);
  const { outputs } = await askRows(rowsOf(row, plans), signal);
  page.effects = effectsOf(plans, scoresOf(outputs), page.description);
  showComparison();
}

function showComparison() {
  if (page.effects.length === 0) return;
  showEffects(page.effects, page.chosen, {
    threshold: page.description.threshold,
    choose(name) {
      page.chosen = name;
      showComparison();
    },
    use(name, text) {
      page.chosen = name;
      page.fields.find(({ input }) => input.name === name).set(text);
      ask();
    },
  });
}

function showRequest() {
  showCode({
    url: `${location.origin}${modelPath(page.model, page.selector)}:predict`,
    signature: signatureOf(page.description),
    inputs: page.description.inputs,
    row: rowOf(page.fields),
    secured: hasToken(),
  });
}

/** Show the state of the versions; reload the form if the selection is another version now. */
async function refreshHealth() {
  if (page.description === null) return start();
  const before = resolved();
  await loadModels();
  const { model_version_status: statuses } = await call(modelPath(page.model, ""));
  page.health = new Map(
    statuses.map(({ version, status }) => [String(version), status?.error_message ?? ""]),
  );
  if (resolved() !== before) return show();
  showHealth();
}

function showHealth() {
  const version = entryOf(page.model).versions.find((one) => String(one.version) === resolved());
  const state = (version?.state ?? "unknown").toLowerCase();
  byId("health").replaceChildren(
    h("span", { className: `dot ${state}`, "aria-hidden": "true" }),
    state,
  );
  showAbout(page.description, entryOf(page.model), page.health);
}

/** Show the chosen version of the chosen model. */
async function show() {
  page.effects = [];
  showHealth();
  await loadDescription();
  showHealth();
  await ask();
}

function listenToPage() {
  byId("model").onchange = ({ target }) =>
    attempt(() => {
      Object.assign(page, {
        model: target.value,
        selector: "",
        fields: [],
        health: new Map(), // of the other model's versions
        chosen: null,
      });
      fillVersions();
      return show();
    });
  byId("version").onchange = ({ target }) =>
    attempt(() => {
      page.selector = target.value;
      return show();
    });
  byId("form").onsubmit = (event) => {
    event.preventDefault();
    ask();
  };
  byId("example").onclick = () => {
    for (const field of page.fields) field.set(exampleOf(field.input));
    ask();
  };
  byId("compare").onclick = () => {
    page.comparing = true; // from now on the comparison follows the form
    byId("compare").hidden = true;
    ask();
  };
  byId("explain").onclick = explain;
  byId("copy").onclick = copyCode;
  addEventListener("resize", afterCalm(CALM, showComparison));
  setInterval(() => {
    if (!document.hidden) attempt(refreshHealth);
  }, HEALTH_EVERY);
}

/** Show the first model; try again later if the server is not ready. */
async function start() {
  await loadModels();
  await show();
  makeTabs(showRequest);
  await refreshHealth();
}

listenToPage();
await attempt(start);
