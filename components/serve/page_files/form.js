// The form: a field for each input, which returns text; empty means missing.

class Field {
  /** Create the field of an input; `changed` is called when the user changes it. */
  constructor(input, id, changed) {
    this.input = input;
    this.changed = changed;
    this.control = input.values && !input.most ? selectOf(input) : textboxOf(input, id);
    this.control.id = id;
    this.control.setAttribute("aria-describedby", `${id}-hint ${id}-note`);
    this.control.oninput = () => this.refresh();
    this.missing = h("button", {
      type: "button",
      className: "missing",
      textContent: "missing",
      "aria-label": `${input.name} is missing`,
      onclick: () => this.toggle(),
    });
    this.note = h("p", { className: "note", id: `${id}-note`, "aria-live": "polite" });
    this.node = h(
      "div",
      { className: "field" },
      h(
        "div",
        { className: "name" },
        h("label", { htmlFor: id, textContent: input.name }),
        h("span", { className: "hint", id: `${id}-hint`, textContent: hintOf(input) }),
      ),
      h("div", { className: "value" }, this.control, ...this.datalist(), this.missing),
      this.note,
    );
    this.node.title = input.description;
    this.set(exampleOf(input));
  }

  /** The suggestions of a text box. */
  datalist() {
    const { known } = this.input;
    if (!known || this.input.values || this.input.most) return [];
    this.control.setAttribute("list", `${this.control.id}-known`);
    const options = known.map((value) => h("option", { value }));
    return [h("datalist", { id: `${this.control.id}-known` }, ...options)];
  }

  get text() {
    if (this.control.disabled) return "";
    return typeOf(this.input).text && !this.input.most ? this.control.value : this.control.value.trim();
  }

  /** Set the value; "" means missing. Switching off "missing" restores the previous value. */
  set(text) {
    this.control.disabled = text === "";
    if (text !== "") this.put(text);
    this.showState();
  }

  put(text) {
    // It may come from another version's form, whose schema had other values.
    if (this.control.options && ![...this.control.options].some((option) => option.value === text)) {
      this.control.append(h("option", { value: text, textContent: text }));
    }
    this.control.value = text;
  }

  toggle() {
    this.control.disabled = !this.control.disabled;
    if (!this.control.disabled) this.control.focus();
    this.refresh();
  }

  refresh() {
    this.showState();
    this.changed();
  }

  showState() {
    this.missing.setAttribute("aria-pressed", String(this.text === ""));
    this.tell(adviceOn(this.input, this.text), "advice");
  }

  /** Show a note beside the field: a hint of ours, or the server's error. */
  tell(message, kind) {
    this.note.textContent = message;
    this.note.className = `note ${kind}`;
    this.control.setAttribute("aria-invalid", String(kind === "error" && message !== ""));
  }
}

function selectOf(input) {
  return h(
    "select",
    {},
    ...input.values.map((value) => h("option", { value, textContent: value })),
  );
}

function textboxOf(input) {
  // Not type="number", which hides text that it cannot parse, and rounds numbers.
  const { text, whole } = typeOf(input);
  const mode = text ? "text" : whole ? "numeric" : "decimal";
  // Numeric keypads of phones lack a minus sign.
  const signed = input.minimum === null || input.minimum < 0;
  return h("input", {
    type: "text",
    inputMode: signed && mode !== "text" ? "text" : mode,
    spellcheck: false,
  });
}

function exampleOf({ example }) {
  if (example === null) return "";
  return Array.isArray(example) ? JSON.stringify(example) : String(example);
}

function boundsOf({ minimum, maximum }) {
  if (minimum !== null && maximum !== null) return `${minimum} … ${maximum}`;
  if (minimum !== null) return `from ${minimum}`;
  return maximum === null ? "" : `to ${maximum}`;
}

function hintOf(input) {
  const { title, time } = typeOf(input);
  const kind = input.most ? `list of up to ${input.most}: ${title}` : title;
  const parts = [kind, ...(time ? input.form : []), boundsOf(input)];
  if (input.values) parts.push(`${input.values.length} values`);
  else if (input.known) parts.push(`${input.known.length} known`);
  if (!input.required) parts.push("optional");
  return parts.filter(Boolean).join(" · ");
}

/** Describe how a text violates the schema. It is sent nevertheless: services get such rows. */
function adviceOn(input, text) {
  if (text === "") return input.required ? "The schema requires a value in every row." : "";
  if (input.most) return adviceOnList(input, listIn(text));
  const number = Number(text);
  if (typeOf(input).text) {
    return input.known && !input.values && !input.known.includes(text)
      ? "Not in the model's vocabulary."
      : "";
  }
  const below = input.minimum !== null && number < input.minimum;
  const above = input.maximum !== null && number > input.maximum;
  return below || above ? `Outside the schema's ${boundsOf(input)}.` : "";
}

function adviceOnList(input, values) {
  if (!values) return 'Write a list in JSON, such as ["a", "b"] or [1, 2]; [] is an empty list.';
  if (values.length > input.most) return `A list may have up to ${input.most} values.`;
  const advice = values.map((value) => adviceOn({ ...input, most: 0 }, String(value)));
  return advice.find(Boolean) ?? "";
}

/** Return the row in the form: texts by input name. */
const rowOf = (fields) => new Map(fields.map((field) => [field.input.name, field.text]));

/** Return the field that an error message names, if any. */
function fieldNamedIn(message, fields) {
  return fields.find(({ input: { name } }) =>
    [`input '${name}'`, `input "${name}"`].some((quoted) => message.includes(quoted)),
  );
}
