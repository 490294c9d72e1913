// Requests to the server. The bearer token, if there is one, is kept only in this tab.

const TOKEN = "skewless-token";

class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let tokenAsked = null; // so that several refused requests open only one dialog

/** Send a request and return the parsed answer; throws ServerError if the server refuses. */
async function call(path, { body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const method = body === undefined ? "GET" : "POST";
  const answer = await reach(path, { method, headers, body, signal });
  const text = await answer.text();
  if (answer.status === 401) {
    // Meanwhile another request may have got a new token.
    if (sessionStorage.getItem(TOKEN) === token) await askForToken();
    return call(path, { body, signal });
  }
  if (!answer.ok) throw new ServerError(answer.status, messageOf(text, answer.status));
  return parseJson(text);
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "The server cannot be reached.");
  }
}

function messageOf(text, status) {
  try {
    return textOf(parseJson(text).error);
  } catch {
    return text.trim() || `The server answered with status ${status}.`;
  }
}

function askForToken() {
  tokenAsked ??= new Promise((resolve) => {
    const dialog = byId("token");
    byId("token-text").value = "";
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, byId("token-text").value.trim());
      dialog.close();
      tokenAsked = null;
      resolve();
    };
    // The page needs a token, so the dialog stays open until there is one.
    dialog.oncancel = (event) => event.preventDefault();
    dialog.showModal();
  });
  return tokenAsked;
}

const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/** Return the path of a model; `selector` is "", "/versions/N" or "/labels/L". */
const modelPath = (name, selector) => `/v1/models/${encodeURIComponent(name)}${selector}`;

/** Return a model's description, or one made from its signatures if it has none. */
async function describe(name, selector) {
  try {
    return await call(`${modelPath(name, selector)}/description`);
  } catch (error) {
    if (error.status !== 404) throw error;
    return fromMetadata(name, await call(`${modelPath(name, selector)}/metadata`));
  }
}

/** Create the smallest description that a form needs. */
function fromMetadata(name, document) {
  const signatures = document.metadata.signature_def.signature_def;
  const asked = signatures.predict ?? signatures.raw_columns;
  if (!asked) {
    throw new ServerError(
      0,
      "This version takes only serialised tf.Examples, so it has no form.",
    );
  }
  const inputs = Object.entries(asked.inputs).map(([column, tensor]) => ({
    name: column,
    kind: kindOf(tensor.dtype),
    most: tensor.tensor_shape?.dim?.length === 2 ? Infinity : 0,
    required: false,
    values: null,
    minimum: null,
    maximum: null,
    known: null,
    example: null,
    description: "",
  }));
  return {
    name,
    label: "",
    classes: ["0", "1"],
    threshold: null,
    inputs,
    metrics: [],
    baseline: {},
    signatures: Object.keys(signatures).map((key) => ({ name: key })),
    digests: {},
    parity: [],
    versions: {},
    bare: true,
  };
}

function kindOf(dtype) {
  const text = dtype === "DT_STRING";
  const whole = dtype.startsWith("DT_INT") || dtype.startsWith("DT_UINT");
  return Object.keys(TYPES).find((kind) => TYPES[kind].text === text && TYPES[kind].whole === whole);
}
