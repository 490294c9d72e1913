// The form's row as code. The token never appears in it.

/** Quote for a POSIX shell. */
const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A JSON string is a Python string, too. */
const pythonValue = (json) => ({ NaN: 'float("nan")', null: "None" })[json] ?? json;

const cells = (inputs, row) =>
  inputs.map((input) => [JSON.stringify(input.name), literal(input, row.get(input.name))]);

const LANGUAGES = {
  curl({ url, signature, inputs, row, secured }) {
    const pairs = cells(inputs, row).map(([name, value]) => `  ${name}: ${value}`);
    const body = `{"signature_name": ${JSON.stringify(signature)}, "instances": [{\n${pairs.join(",\n")}\n}]}`;
    const token = secured ? ' \\\n  -H "Authorization: Bearer $TOKEN"' : "";
    return `curl ${shellQuoted(url)}${token} \\\n  -d ${shellQuoted(body)}`;
  },

  Python({ url, signature, inputs, row, secured }) {
    const pairs = cells(inputs, row).map(([name, value]) => `    ${name}: ${pythonValue(value)},`);
    const headers = ['"Content-Type": "application/json"'];
    if (secured) headers.push('"Authorization": "Bearer " + os.environ["TOKEN"]');
    return [
      "import json",
      ...(secured ? ["import os"] : []),
      "from urllib.request import Request, urlopen",
      "",
      "row = {",
      ...pairs,
      "}",
      `body = {"signature_name": ${JSON.stringify(signature)}, "instances": [row]}`,
      "request = Request(",
      `    ${JSON.stringify(url)},`,
      "    json.dumps(body).encode(),",
      `    {${headers.join(", ")}},`,
      ")",
      "with urlopen(request) as answer:",
      '    print(json.load(answer)["predictions"][0])',
    ].join("\n");
  },
};

let language = "curl";

/** Create the tabs; `changed` is called when another language is selected. */
function makeTabs(changed) {
  const names = Object.keys(LANGUAGES);
  const choose = (name) => {
    language = name;
    for (const tab of byId("languages").children) {
      const selected = tab.textContent === name;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
    }
    changed();
  };
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    const next = (names.indexOf(language) + step + names.length) % names.length;
    choose(names[next]);
    byId("languages").children[next].focus();
  };
  byId("languages").replaceChildren(
    ...names.map((name) =>
      h("button", {
        type: "button",
        role: "tab",
        textContent: name,
        "aria-controls": "code-panel",
        onclick: () => choose(name),
        onkeydown: move,
      }),
    ),
  );
  choose(language);
}

function showCode(request) {
  byId("code").textContent = LANGUAGES[language](request);
}

/** Copy the code; if the browser has no clipboard over plain HTTP, select it instead. */
async function copyCode() {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(byId("code").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("code"));
    button.textContent = "Selected: copy it";
  }
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1600);
}
