// What several cards are made of.

const near = new IntersectionObserver(
  (entries) => {
    const shown = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
    shown.forEach((element) => near.unobserve(element));
    draw(shown);
  },
  { rootMargin: "500px" },
);

addEventListener("beforeprint", () => draw([...drawn.keys()].filter((element) => element.isConnected && drawn.get(element).view === null)));

/** Return a figure whose chart is drawn when it comes near the window. */
function picture(title, kind, height, data, about = title, note = "") {
  const element = chart(kind, about, height, data);
  near.observe(element);
  const shown = figure(title, about, element, () => dataTable(data.table), note, "p");
  shown.chart = element;
  return shown;
}

/** Return rows of a chart as a table, with their keys as heads. */
function dataTable(rows) {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const text = (value) => (typeof value === "number" ? numberText(value) : value ?? NONE);
  return tableOf(null, keys.map((key) => [key, rows.some((row) => typeof row[key] === "string")]), rows.map((row) => keys.map((key) => text(row[key]))));
}

const panel = (...children) => h("div", { className: "panel" }, ...children);
const grid = (...children) => h("div", { className: "grid" }, ...children.filter(Boolean));
const para = (text, className = "") => (text ? h("p", { className, textContent: text }) : null);
const tag = (text, tone = "") => h("span", { className: `tag ${tone}`, textContent: text });
const headed = (title, ...children) => [h("h3", { textContent: title }), ...children];
const signed = (value, text = metricText) => (typeof value !== "number" ? NONE : `${value > 0 ? "+" : value < 0 ? "−" : ""}${text(Math.abs(value))}`);

/** Let a table of many rows scroll within itself. */
function tall(region) {
  region.classList.add("tall");
  return region;
}

/** Return figures with their titles below. */
const tiles = (pairs) => h("dl", { className: "tiles" }, ...pairs.map(([title, value]) => h("div", {}, h("dt", { textContent: title }), h("dd", { textContent: value }))));

/** Return code with a button that copies it. */
function copyable(code, label) {
  const pre = h("pre", { tabIndex: 0, role: "region", "aria-label": label }, h("code", { textContent: code }));
  const button = h("button", { type: "button", textContent: "Copy", "aria-label": `Copy: ${label}` });
  const said = h("span", { role: "status", className: "hidden" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code);
      button.textContent = said.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre); // the keys of the system copy it
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
  });
  return h("div", { className: "copy" }, pre, button, said);
}

/** Return a legend; `lines` are [text, colour, dash]. */
function key(lines) {
  const NS = "http://www.w3.org/2000/svg";
  const line = (colour, dash) => {
    const svg = document.createElementNS(NS, "svg"), stroke = document.createElementNS(NS, "line");
    for (const [name, value] of Object.entries({ width: 22, height: 6, "aria-hidden": "true" })) svg.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x1: 0, x2: 22, y1: 3, y2: 3, "stroke-width": 2.5, stroke: `var(--${colour})`, "stroke-dasharray": dash })) stroke.setAttribute(name, value);
    svg.append(stroke);
    return svg;
  };
  return h("ul", { className: "key" }, ...lines.map(([text, colour, dash = ""]) => h("li", {}, line(colour, dash), text)));
}

/** Return tabs; `pages` are [title, function that makes the content]. */
function tabs(label, pages) {
  const body = h("div", { role: "tabpanel", tabIndex: 0, "aria-label": label });
  const buttons = pages.map(([title]) => h("button", { type: "button", role: "tab", textContent: title }));
  const choose = (chosen) => {
    buttons.forEach((button, i) => {
      button.ariaSelected = String(i === chosen);
      button.tabIndex = i === chosen ? 0 : -1;
    });
    body.replaceChildren(pages[chosen][1]());
  };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => choose(i));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step === undefined) return;
      const next = (i + step + buttons.length) % buttons.length;
      choose(next);
      buttons[next].focus();
    });
  });
  choose(0);
  return h("div", {}, h("div", { className: "tabs", role: "tablist", "aria-label": label }, ...buttons), h("div", {}, body));
}
