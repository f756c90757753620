// SPDX-License-Identifier: Apache-2.0
// The page of a sweep: the plot and its front, the best point within limits, means by axis, the table of all points.
"use strict";
const sweep = { rows: 100, sorted: { column: 0, descending: false }, filters: new Map(), chosen: -1 };
const by_id = (id) => document.getElementById(id);

sweep.metric = (id) => page.data.metrics[by_id(id).selectedIndex];
sweep.figure = (value) => value === null ? "–"
  : Math.abs(value) >= 1000 || Number.isInteger(value) ? page.number(value) : page.number(value, 3);
sweep.value = (point, axis) => page.data.axes[axis].values[page.data.at[axis][point]];
sweep.command = (point) => [page.data.command, ...page.data.axes.map((axis, a) => axis.words[page.data.at[a][point]])]
  .filter((word) => word !== "").join(" ");
sweep.heading = (metric) => !metric.name.endsWith(metric.unit) ? `${metric.name}, ${metric.unit}` : metric.name;
sweep.cost = (metric, point) => metric.more ? -metric.values[point] : metric.values[point];

// Points that no other beats in x or y without being worse in the other, best x first.
sweep.front = (x, y) => {
  const points = page.data.numbers.map((_, point) => point).filter((p) => x.values[p] !== null && y.values[p] !== null);
  points.sort((a, b) => sweep.cost(x, a) - sweep.cost(x, b) || sweep.cost(y, a) - sweep.cost(y, b) || a - b);
  const front = [];
  for (const p of points) {
    if (front.length === 0 || sweep.cost(y, p) < sweep.cost(y, front[front.length - 1])) front.push(p);
  }
  return front;
};

sweep.describe = (point, ...metrics) => {
  const axes = page.data.axes.map((axis, a) => `${axis.name} = ${sweep.value(point, a)}`);
  const figures = metrics.map((m) => `${sweep.heading(m)}: ${sweep.figure(m.values[point])}`);
  return `Point ${page.data.numbers[point]}: ${[...axes, ...figures].join("; ")}`;
};

// Round steps of a linear axis, or powers of ten with 1, 2, 5 of a logarithmic one.
sweep.ticks = (low, high, logarithmic) => {
  const ticks = [];
  if (logarithmic) {
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const digit of high / low > 1000 ? [1] : [1, 2, 5]) {
        const tick = digit * 10 ** power;
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    }
    return ticks;
  }
  const raw = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((digit) => digit * power >= raw) * power;
  for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step) ticks.push(tick);
  return ticks;
};

sweep.scale = (metric, from, to, logarithmic) => {
  const values = metric.values.filter((v) => v !== null && (!logarithmic || v > 0));
  let low = Infinity, high = -Infinity;
  for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
  if (low === Infinity) { low = 1; high = 2; }
  if (low === high) { low = low > 0 ? low / 2 : low - 1; high = high > 0 ? high * 2 : high + 1; }
  const map = logarithmic ? Math.log : (v) => v;
  const margin = (map(high) - map(low)) * 0.04;
  const a = map(low) - margin, b = map(high) + margin;
  const at = (v) => from + (map(v) - a) / (b - a) * (to - from);
  return { at, ticks: sweep.ticks(logarithmic ? Math.exp(a) : a, logarithmic ? Math.exp(b) : b, logarithmic) };
};

sweep.short = (value) => {
  const size = Math.abs(value);
  for (const [unit, suffix] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= unit) return `${page.number(Number((value / unit).toPrecision(3)), 0).length > 5 ? Math.round(value / unit) : Number((value / unit).toPrecision(3))}${suffix}`;
  }
  return String(Number(value.toPrecision(3)));
};

sweep.draw = () => {
  const canvas = by_id("scatter");
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (width === 0) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const g = canvas.getContext("2d");
  g.scale(ratio, ratio);
  const x = sweep.metric("x"), y = sweep.metric("y"), logs = by_id("logs").checked;
  const left = 64, bottom = height - 44, right = width - 12, top = 10;
  const across = sweep.scale(x, left, right, logs), up = sweep.scale(y, bottom, top, logs);
  g.font = "12px system-ui, sans-serif";
  g.fillStyle = page.color("--muted");
  g.strokeStyle = page.color("--line");
  g.textAlign = "center";
  let free = 0;
  for (const tick of across.ticks) {
    const px = across.at(tick);
    g.beginPath(); g.moveTo(px, top); g.lineTo(px, bottom); g.stroke();
    const half = g.measureText(sweep.short(tick)).width / 2;
    if (px - half < free || px + half > width) continue;
    g.fillText(sweep.short(tick), px, bottom + 16);
    free = px + half + 10;
  }
  g.fillText(sweep.heading(x) + (x.more ? " (more is better)" : ""), (left + right) / 2, height - 8);
  g.textAlign = "right";
  free = height + 20;
  for (const tick of up.ticks) {
    const py = up.at(tick);
    g.beginPath(); g.moveTo(left, py); g.lineTo(right, py); g.stroke();
    if (py > free - 14) continue;
    g.fillText(sweep.short(tick), left - 6, py + 4);
    free = py;
  }
  g.save();
  g.translate(13, (top + bottom) / 2);
  g.rotate(-Math.PI / 2);
  g.textAlign = "center";
  g.fillText(sweep.heading(y) + (y.more ? " (more is better)" : ""), 0, 0);
  g.restore();
  const shown = (p) => x.values[p] !== null && y.values[p] !== null && (!logs || (x.values[p] > 0 && y.values[p] > 0));
  sweep.places = [];
  g.fillStyle = page.color("--k1");
  g.globalAlpha = page.data.numbers.length > 2000 ? 0.35 : 0.6;
  for (let p = 0; p < page.data.numbers.length; p += 1) {
    if (!shown(p)) continue;
    const place = [across.at(x.values[p]), up.at(y.values[p]), p];
    sweep.places.push(place);
    g.beginPath(); g.arc(place[0], place[1], 3, 0, 2 * Math.PI); g.fill();
  }
  g.globalAlpha = 1;
  const front = sweep.front(x, y).filter(shown);
  g.strokeStyle = g.fillStyle = page.color("--k5");
  g.lineWidth = 1.5;
  g.beginPath();
  front.forEach((p, i) => {
    const px = across.at(x.values[p]), py = up.at(y.values[p]);
    if (i === 0) g.moveTo(px, py);
    else { g.lineTo(px, up.at(y.values[front[i - 1]])); g.lineTo(px, py); }
  });
  g.stroke();
  for (const p of front) {
    g.beginPath(); g.arc(across.at(x.values[p]), up.at(y.values[p]), 4.5, 0, 2 * Math.PI); g.fill();
  }
  if (sweep.chosen >= 0 && shown(sweep.chosen)) {
    g.strokeStyle = page.color("--ink");
    g.lineWidth = 2;
    g.beginPath();
    g.arc(across.at(x.values[sweep.chosen]), up.at(y.values[sweep.chosen]), 8, 0, 2 * Math.PI);
    g.stroke();
  }
};

sweep.choose = (point) => {
  sweep.chosen = point;
  const box = by_id("chosen");
  box.replaceChildren();
  if (point >= 0) {
    box.append(sweep.describe(point, sweep.metric("x"), sweep.metric("y")),
      page.element("code", { textContent: sweep.command(point) }));
  }
  sweep.draw();
};

sweep.list_front = () => {
  const x = sweep.metric("x"), y = sweep.metric("y"), front = sweep.front(x, y);
  const table = by_id("front-rows").parentElement;
  table.caption.textContent = `${page.number(front.length)} point${front.length === 1 ? "" : "s"} on the front` +
    (front.length > 50 ? ", of which the first 50 are here" : "");
  const headings = table.tHead.rows[0].cells;
  headings[headings.length - 2].textContent = sweep.heading(x);
  headings[headings.length - 1].textContent = sweep.heading(y);
  by_id("front-rows").replaceChildren(...front.slice(0, 50).map((p) => {
    const row = page.element("tr");
    row.append(page.element("td", { className: "n", textContent: page.data.numbers[p] }),
      ...page.data.axes.map((_, a) => page.element("td", { textContent: sweep.value(p, a) })),
      page.element("td", { className: "n", textContent: sweep.figure(x.values[p]) }),
      page.element("td", { className: "n", textContent: sweep.figure(y.values[p]) }));
    row.addEventListener("click", () => sweep.choose(p));
    return row;
  }));
};

sweep.start_front = () => {
  const change = () => { sweep.list_front(); sweep.choose(sweep.chosen); };
  for (const id of ["x", "y"]) by_id(id).addEventListener("change", change);
  by_id("logs").addEventListener("change", sweep.draw);
  const nearest = (event) => {
    const box = by_id("scatter").getBoundingClientRect();
    let best = -1, distance = 400;
    for (const [px, py, p] of sweep.places) {
      const d = (px - event.clientX + box.left) ** 2 + (py - event.clientY + box.top) ** 2;
      if (d < distance) { distance = d; best = p; }
    }
    return best;
  };
  by_id("scatter").addEventListener("click", (event) => sweep.choose(nearest(event)));
  by_id("scatter").addEventListener("keydown", (event) => {  // along the front
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    const front = sweep.front(sweep.metric("x"), sweep.metric("y"));
    const at = front.indexOf(sweep.chosen) + (event.key === "ArrowRight" ? 1 : -1);
    sweep.choose(front[Math.max(0, Math.min(front.length - 1, at))]);
  });
  new ResizeObserver(sweep.draw).observe(by_id("scatter"));
  page.on_redraw(sweep.draw);
  change();
};

// "32", ">=256", "<1e6", "edge": numbers are compared, other texts are looked for.
sweep.matcher = (text) => {
  const wanted = text.trim();
  if (wanted === "") return null;
  const [, sign, rest] = wanted.match(/^(<=|>=|<|>|=)?\s*(.*)$/);
  const number = Number(rest.replaceAll(",", ""));
  if (rest === "" || (Number.isNaN(number) && sign)) return null;
  if (Number.isNaN(number)) return (value) => String(value).toLowerCase().includes(rest.toLowerCase());
  const compare = { "<": (v) => v < number, "<=": (v) => v <= number, ">": (v) => v > number, ">=": (v) => v >= number }[sign] ||
    ((v) => v === number);
  return (value) => value !== null && String(value).split(", ").some((part) => part !== "" && compare(Number(part)));
};

sweep.columns = () => [
  { name: "point", n: true, value: (p) => page.data.numbers[p] },
  ...page.data.axes.map((axis, a) => ({ name: axis.name, n: false, value: (p) => sweep.value(p, a) })),
  ...page.data.metrics.map((m) => ({ name: sweep.heading(m), title: m.meaning, n: true, value: (p) => m.values[p] }))];

sweep.list_points = () => {
  const columns = sweep.columns();
  const tests = [...sweep.filters].map(([column, text]) => [columns[column].value, sweep.matcher(text)]).filter(([, t]) => t);
  const points = page.data.numbers.map((_, p) => p).filter((p) => tests.every(([value, test]) => test(value(p))));
  const key = columns[sweep.sorted.column].value;
  const as_cell = (value) => typeof value === "string" && value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
  points.sort((a, b) => page.compare_cells(as_cell(key(a)), as_cell(key(b)), sweep.sorted.descending) || a - b);
  by_id("count").textContent = `${page.number(points.length)} of ${page.number(page.data.numbers.length)} points` +
    (points.length > sweep.rows ? `, the first ${page.number(sweep.rows)} are shown` : "");
  by_id("more").hidden = points.length <= sweep.rows;
  by_id("points-rows").replaceChildren(...points.slice(0, sweep.rows).map((p) => {
    const row = page.element("tr");
    for (const [c, column] of columns.entries()) {
      const value = column.value(p);
      const cell = page.element("td", { className: column.n ? "n" : "" });
      if (c === 0) {
        const button = page.element("button", { type: "button", className: "row", textContent: value, title: "the command that repeats it" });
        button.addEventListener("click", () => {
          if (row.nextSibling?.className === "command") { row.nextSibling.remove(); return; }
          const code = page.element("td", { colSpan: columns.length }, page.element("code", { textContent: sweep.command(p) }));
          row.after(page.element("tr", { className: "command" }, code));
        });
        cell.append(button);
      } else {
        cell.textContent = typeof value === "number" || value === null ? sweep.figure(value) : value;
      }
      row.append(cell);
    }
    return row;
  }));
};

sweep.start_points = () => {
  const names = page.element("tr"), fields = page.element("tr");
  for (const [c, column] of sweep.columns().entries()) {
    const heading = page.element("th", { className: column.n ? "n" : "", scope: "col" });
    const button = page.element("button", { type: "button", className: "sort", textContent: column.name, title: column.title || "" });
    button.addEventListener("click", () => {
      sweep.sorted = { column: c, descending: sweep.sorted.column === c && !sweep.sorted.descending };
      for (const other of names.cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", sweep.sorted.descending ? "descending" : "ascending");
      sweep.list_points();
    });
    heading.append(button);
    names.append(heading);
    const input = page.element("input", { type: "search", autocomplete: "off" });
    input.setAttribute("aria-label", `filter ${column.name}`);
    input.addEventListener("input", () => { sweep.filters.set(c, input.value); sweep.list_points(); });
    fields.append(page.element("td", {}, input));
  }
  by_id("points-head").append(names, fields);
  by_id("more").addEventListener("click", () => { sweep.rows *= 4; sweep.list_points(); });
  sweep.list_points();
};

sweep.start_best = () => {
  const find = () => {
    const limits = [...by_id("limits").children].map((row) => {
      const [metric, sign, number] = row.querySelectorAll("select, input");
      return [page.data.metrics[metric.selectedIndex], sign.value, number.value.trim() === "" ? NaN : Number(number.value.replaceAll(",", ""))];
    }).filter(([, , number]) => !Number.isNaN(number));
    const objective = sweep.metric("objective");
    let best = -1, within = 0;
    for (let p = 0; p < page.data.numbers.length; p += 1) {
      if (objective.values[p] === null) continue;
      if (!limits.every(([m, sign, number]) => m.values[p] !== null && (sign === "≤" ? m.values[p] <= number : m.values[p] >= number))) continue;
      within += 1;
      if (best < 0 || sweep.cost(objective, p) < sweep.cost(objective, best)) best = p;
    }
    by_id("best-text").textContent = best < 0 ? "No point is within these limits."
      : `${page.number(within)} points are within. ${sweep.describe(best, objective, ...new Set(limits.map(([m]) => m)))}`;
    by_id("best-command").textContent = best < 0 ? "" : sweep.command(best);
  };
  by_id("add-limit").addEventListener("click", () => {
    const metric = page.element("select", {}, ...page.data.metrics.map((m) => page.element("option", { textContent: sweep.heading(m) })));
    const sign = page.element("select", {}, page.element("option", { textContent: "≤" }), page.element("option", { textContent: "≥" }));
    const number = page.element("input", { type: "text", inputMode: "decimal", placeholder: "limit" });
    metric.setAttribute("aria-label", "limited figure");
    sign.setAttribute("aria-label", "at most or at least");
    number.setAttribute("aria-label", "limit");
    const remove = page.element("button", { type: "button", textContent: "Remove" });
    const row = page.element("div", { className: "limit" }, metric, sign, number, remove);
    remove.addEventListener("click", () => { row.remove(); find(); });
    for (const part of [metric, sign, number]) part.addEventListener("input", find);
    by_id("limits").append(row);
  });
  by_id("objective").addEventListener("change", find);
  find();
};

sweep.start_sensitivity = () => {
  const list = () => {
    const metric = sweep.metric("of");
    by_id("sensitivity-rows").parentElement.caption.textContent = `mean of ${sweep.heading(metric)}`;
    const axes = page.data.axes.map((axis, a) => {
      const sums = axis.values.map(() => [0, 0]);
      metric.values.forEach((value, p) => {
        if (value === null) return;
        sums[page.data.at[a][p]][0] += value;
        sums[page.data.at[a][p]][1] += 1;
      });
      const means = sums.map(([sum, count]) => count === 0 ? null : sum / count);
      const known = means.filter((m) => m !== null);
      const low = Math.min(...known), high = Math.max(...known);
      return { axis, means, high, spread: low > 0 ? high / low - 1 : 0 };
    });
    axes.sort((a, b) => b.spread - a.spread);
    by_id("sensitivity-rows").replaceChildren(...axes.map(({ axis, means, high, spread }) => {
      const bars = page.element("div", { className: "mean" });
      means.forEach((mean, i) => {
        if (mean === null) return;
        const fill = page.element("i", { className: "fill" });
        fill.style.width = `${high > 0 ? 100 * mean / high : 0}%`;
        bars.append(page.element("span", { textContent: axis.values[i] }), page.element("span", { className: "bar" }, fill),
          page.element("span", { className: "n", textContent: sweep.figure(Math.round(mean * 1000) / 1000) }));
      });
      return page.element("tr", {}, page.element("th", { textContent: axis.name }),
        page.element("td", { className: "n", textContent: `+${page.number(100 * spread, 1)} %` }), page.element("td", { className: "wide" },
          means.length > 16 ? page.element("details", {}, page.element("summary", { textContent: `${means.length} values` }), bars) : bars));
    }));
  };
  by_id("of").addEventListener("change", list);
  list();
};

(async () => {
  await page.load();
  if (by_id("scatter")) {
    sweep.start_front();
    sweep.start_best();
    sweep.start_sensitivity();
    sweep.start_points();
  }
  document.documentElement.dataset.ready = "true";
})();
