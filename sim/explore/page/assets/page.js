// SPDX-License-Identifier: Apache-2.0
// What makes the page comfortable: one result at a time, sorted and filtered tables, tips, commands to copy.
"use strict";
const page = { data: null, redraw: [] };

// What timelines and pipelines draw, unpacked: base64 of a zlib stream of JSON.
page.load = async () => {
  const bytes = Uint8Array.from(atob(document.getElementById("data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  page.data = JSON.parse(await new Response(stream).text());
};

page.element = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};
page.color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
page.number = (value, digits = 0) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

// Canvases are painted in the colours of the theme, so a change of it, or of the pixel density, paints them again.
page.on_redraw = (draw) => {
  page.redraw.push(draw);
};
for (const query of ["(prefers-color-scheme: dark)", "print", "(min-resolution: 1.5dppx)", "(min-resolution: 2.5dppx)"]) {
  matchMedia(query).addEventListener("change", () => page.redraw.forEach((draw) => draw()));
}

// One result of several.
page.show = (result) => {
  for (const part of document.querySelectorAll(".one")) part.hidden = part.dataset.result !== String(result);
  page.start_drawings();
  page.redraw.forEach((draw) => draw());
};
page.start_chooser = () => {
  const chooser = document.getElementById("chooser");
  if (!chooser) {
    page.start_drawings();
    return;
  }
  chooser.addEventListener("change", () => page.show(chooser.value));
  page.show(chooser.value);
};

// Numbers are sorted as numbers: without separators, and with the sign that they are written with.
page.cell_value = (cell) => {
  const own = cell.firstChild ? cell.firstChild.textContent : "";
  const text = (cell.querySelector("details") ? "" : own || cell.textContent).trim();
  const number = text.replace(/[,\s%]/g, "").replace("−", "-");
  if (text === "∞") return Infinity;
  return /^[-+]?\d+(\.\d+)?$/.test(number) ? Number(number) : text === "–" || text === "" ? null : cell.textContent.trim();
};
page.compare_cells = (a, b, descending) => {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;  // what is missing comes last
  const order = typeof a === "number" && typeof b === "number"
    ? Math.sign(a - b)
    : String(a).localeCompare(String(b), "en", { numeric: true });
  return descending ? -order : order;
};
page.sort_by = (table, column, heading) => {
  const descending = heading.getAttribute("aria-sort") === "ascending" ||
    (heading.classList.contains("n") && !heading.hasAttribute("aria-sort"));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [page.cell_value(row.cells[column]), row]);
  rows.sort((a, b) => page.compare_cells(a[0], b[0], descending));
  table.tBodies[0].append(...rows.map((row) => row[1]));
};
page.start_tables = () => {
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (heading.classList.contains("fixed")) return;
      const button = page.element("button", { type: "button", className: "sort" }, ...heading.childNodes);
      button.addEventListener("click", () => page.sort_by(table, column, heading));
      heading.append(button);
    });
    if (table.classList.contains("filtered")) page.add_filter(table);
  }
};
// A table is a stop of the Tab key where it scrolls.
page.start_scrolling = () => {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  });
  for (const box of document.querySelectorAll(".scroll")) observer.observe(box);
};
page.add_filter = (table) => {
  const input = page.element("input", { type: "search", placeholder: "part of a name", autocomplete: "off" });
  const count = page.element("span", { "aria-live": "polite" });
  const apply = () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const found = [...row.cells].some((c) => !c.classList.contains("cmd") && c.textContent.toLowerCase().includes(wanted));
      row.hidden = !found;
      shown += found ? 1 : 0;
    }
    count.textContent = wanted ? `${page.number(shown)} of ${page.number(table.tBodies[0].rows.length)} rows` : "";
  };
  input.addEventListener("input", apply);
  table.parentElement.before(page.element("label", { className: "filter" }, "Filter ", input, count));
};

page.copy = async (text, code) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // files opened from disk may be denied it: the selection is left for the reader to copy
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
};
page.start_commands = () => {
  for (const cell of document.querySelectorAll("td.cmd details")) {
    const code = cell.querySelector("code");
    const button = page.element("button", { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      const done = await page.copy(code.textContent, code);
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    code.after(button);
  }
};

page.start_trees = () => {
  for (const tree of document.querySelectorAll(".tree")) {
    const open_all = (open) => {
      for (const part of tree.querySelectorAll("details")) part.open = open;
    };
    const levels = (depth) => {
      for (const part of tree.querySelectorAll("details")) {
        let level = 0;
        for (let up = part.parentElement; up !== tree; up = up.parentElement) level += 1;
        part.open = level < depth;
      }
    };
    const button = (text, action) => {
      const element = page.element("button", { type: "button", textContent: text });
      element.addEventListener("click", action);
      return element;
    };
    tree.before(page.element("div", { className: "tools" }, button("Phases", () => levels(0)), button("Layers", () => levels(1)),
      button("Operators", () => levels(2)), button("Everything", () => open_all(true))));
  }
};

// Words of charts that would cover each other at this width are hidden, the less important ones first; a word
// that is hidden is in its point's tip and in the table.
page.start_words = () => {
  const order = ["text.note", "text.roof-name", "text.axis", "text.tick", "text.label"];
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const arrange = (svg) => {
    if (svg.getBoundingClientRect().width === 0) return;
    const taken = [];
    for (const word of order.flatMap((kind) => [...svg.querySelectorAll(kind)])) {
      const box = word.getBoundingClientRect();
      const hidden = box.right > document.documentElement.clientWidth || taken.some((other) => meet(box, other));
      word.style.visibility = hidden ? "hidden" : "";
      if (!hidden) taken.push(box);
    }
  };
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => arrange(target.querySelector("svg"))));
  for (const chart of document.querySelectorAll(".chart")) observer.observe(chart);
};

// Tips of charts: with a mouse, and by a tap.
page.start_tips = () => {
  const tip = page.element("div", { className: "tip", hidden: true });
  document.body.append(tip);
  const texts = new Map();
  for (const title of document.querySelectorAll("svg g.b > title")) {
    texts.set(title.parentElement, title.textContent);
    title.remove();  // the browser's own tip would come on top
  }
  const move = (event) => {
    const target = event.target instanceof Element ? event.target.closest("g.b") : null;
    tip.hidden = !texts.has(target);
    if (tip.hidden) return;
    tip.textContent = texts.get(target);
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const above = event.clientY + 18 + tip.offsetHeight > innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18}px`;
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerdown", move);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
};

// The section that is being read.
page.start_navigation = () => {
  const links = new Map([...document.querySelectorAll(".sticky nav a")].map((a) => [a.hash.slice(1), a]));
  const visible = new Set();
  const mark = () => {
    let current = null;
    for (const [id, link] of links) {
      link.removeAttribute("aria-current");
      if (current === null && visible.has(id)) current = link;
    }
    if (current) current.setAttribute("aria-current", "true");
  };
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? visible.add(entry.target.id) : visible.delete(entry.target.id);
    mark();
  }, { rootMargin: "-70px 0px -55% 0px" });
  for (const section of document.querySelectorAll("main > section")) observer.observe(section);
};

document.documentElement.classList.add("scripted");
page.start_tables();
page.start_scrolling();
page.start_commands();
page.start_trees();
page.start_tips();
page.start_words();
page.start_navigation();
