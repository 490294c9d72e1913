// JSON as the server reads and writes it: NaN for missing numbers, and exact 64-bit integers.

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const STRINGS_AND_SPECIALS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

/** Return how an input's values are held: its row of schemas/types.py, which page.py brings. */
const typeOf = (input) => TYPES[input.kind];

/** Parse an answer: NaN and infinities become null, integers beyond 2^53 stay text. */
function parseJson(text) {
  const plain = text.replace(STRINGS_AND_SPECIALS, (found) => (found[0] === '"' ? found : "null"));
  return JSON.parse(plain, (_key, value, context) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && context ? context.source : value,
  );
}

/**
 * Encode a field's text as a JSON value; empty means missing.
 *
 * A number keeps its digits as typed, which a JavaScript number would round. Other text is sent as
 * a string, so that the server reports what is wrong with it. A list is typed as JSON.
 */
function literal(input, text) {
  if (input.most) return text === "" ? "null" : listIn(text) ? text : JSON.stringify(text);
  if (typeOf(input).text) return JSON.stringify(text);
  if (text === "") return "NaN";
  if (NUMBER.test(text)) return text;
  const number = Number(text);
  return Number.isFinite(number) ? String(number) : JSON.stringify(text);
}

/** Return the list that a text is in JSON; null if it is none. */
function listIn(text) {
  try {
    const value = parseJson(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Return lists as the texts of a field, each with one of the values, which are texts. */
const listsOf = (input, values) =>
  values.map((value) => `[${typeOf(input).text ? JSON.stringify(value) : value}]`);

/** Encode rows of texts by input name as columns. */
function columnsJson(signature, inputs, rows) {
  const columns = inputs.map((input) => {
    const values = rows.map((row) => literal(input, row.get(input.name)));
    return `${JSON.stringify(input.name)}: [${values.join(", ")}]`;
  });
  return `{"signature_name": ${JSON.stringify(signature)}, "inputs": {${columns.join(", ")}}}`;
}

/** Return the server's text, decoded from base64 if it is not UTF-8. */
function textOf(value) {
  return value !== null && typeof value === "object" && "b64" in value
    ? atob(value.b64)
    : String(value);
}
