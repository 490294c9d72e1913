"""What a reader finds without seeing, and whether texts are legible, as scripts of a page."""

# Names of landmarks, controls, figures and tables.
UNNAMED = """
  const name = (node) => node.getAttribute("aria-label") || node.labels?.[0]?.textContent
    || document.getElementById(node.getAttribute("aria-labelledby"))?.textContent
    || (node.tagName === "BUTTON" ? node.textContent : "");
  const wanted = "input, select, section, article, nav, form, button, [role=img], [role=region]";
  const all = (css) => [...document.querySelectorAll(css)];
  const heads = all("h1, h2, h3, h4").map((node) => Number(node.tagName[1]));
  return {
    unnamed: all(wanted).filter((node) => !name(node)?.trim()).map((node) => node.outerHTML),
    repeated: all("[id]").length - new Set(all("[id]").map((node) => node.id)).size,
    first: heads.filter((level) => level === 1).length,
    skipped: heads.filter((level, i) => i && level > heads[i - 1] + 1).length,
    unscoped: all("th").filter((node) => !node.scope).length,
    landmarks: all("main, body > header, nav, [role=search]").length,
  };
"""
CONTRAST = """
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
  };
  const of = (node) => {
    const [a, b] = [getComputedStyle(node).color, ground(node)].map(light).sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const isText = (child) => child.nodeType === 3 && child.textContent.trim();
  const texts = [...document.querySelectorAll("body *")].filter(
    (node) => node.checkVisibility() && [...node.childNodes].some(isText) && !node.closest("svg"));
  return texts.filter((node) => of(node) < 4.5).map((node) => node.outerHTML.slice(0, 200));
"""
