// How to repeat the run and to ask its model.

function reproduceCard(card) {
  const pairs = (label, values) => scrolling(label, tableOf(null, [["", true], ["", true]], Object.entries(values).map(([name, value]) => [name, h("span", { className: "code", textContent: value })])));
  const lineage = () => tableOf(null, [["stage", true], ["state", true], ["artifact", true], ["folder", true]], card.lineage.map((one) => [one.node, one.state.toLowerCase(), one.channel, h("span", { className: "code", textContent: one.folder })]), "wide");
  return [panel(
    card.command ? h("div", { className: "step" }, para("The command of this run:", "note"), copyable(card.command, "The command of this run")) : null,
    card.requests ? h("div", {}, h("h3", { textContent: "Ask the model" }), para("Once it is served, this asks for the score of a real row.", "note"), tabs("Language", Object.entries(card.requests).map(([name, code]) => [name, () => copyable(code, `Request in ${name}`)]))) : null,
    grid(
      h("div", {}, h("h3", { textContent: "Versions" }), pairs("Versions", card.versions)),
      Object.keys(card.digests).length ? h("div", {}, h("h3", { textContent: "Digests" }), pairs("Digests", Object.fromEntries(Object.entries(card.digests).map(([name, value]) => [name, value.slice(0, 16)])))) : null,
      h("div", {}, h("h3", { textContent: "Records" }), pairs("Records", { folder: card.folder, log: card.log })),
    ),
    card.lineage.length ? onDemand("Lineage: the artifacts of each stage", "Lineage", lineage) : null,
    card.spec ? specOf(card.spec) : null,
  )];
}

function specOf(text) {
  const details = h("details", {}, h("summary", { textContent: "pipeline.yaml with all defaults" }));
  details.addEventListener("toggle", () => details.append(copyable(text, "pipeline.yaml with all defaults")), { once: true });
  return details;
}
