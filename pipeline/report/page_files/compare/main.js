// How runs differ from the first one.

byId("title").textContent = `${content.first.pipeline}: runs compared`;
byId("subtitle").textContent = `With the run ${content.first.run}`;
byId("cards").append(...content.comparisons.map((comparison, i) => {
  const id = `comparison-${i}`;
  return h("section", { id, "aria-labelledby": `${id}-head` }, h("h2", { id: `${id}-head`, textContent: `${comparison.pipeline}: ${comparison.after}` }), ...changesCard(comparison));
}));
byId("sections").append(...content.comparisons.map((comparison, i) => h("li", {}, h("a", { href: `#comparison-${i}`, textContent: comparison.after }))));
