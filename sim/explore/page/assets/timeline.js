// SPDX-License-Identifier: Apache-2.0
// Utilisation over time: shares of each interval's cycles, by unit as lines and by cause as a stack.
"use strict";
page.timeline = {};

page.timeline.unit_colors = { matrix0: "--k0", vector0: "--k1", "dma0.read": "--k5", "dma0.write": "--k9", dram: "--k7",
  fetch: "--k11", decode: "--k2", dispatch: "--k3", writeback: "--k13" };
page.timeline.shown_first = ["matrix0", "vector0", "dma0.read", "dram"];

// The intervals' middles, in cycles; the last one may be shorter than the others.
page.timeline.intervals = (timeline) => {
  const count = Math.max(0, ...timeline.series.map((s) => s.values.length));
  const middles = [], lengths = [];
  for (let i = 0; i < count; ++i) {
    const from = timeline.start + i * timeline.interval;
    const length = Math.max(1, Math.min(timeline.interval, timeline.end - from));
    middles.push(from + length / 2);
    lengths.push(length);
  }
  return { middles, lengths };
};

// Lines of units: percent of the interval; DRAM's busy cycles are a sum over its channels.
page.timeline.unit_lines = (result, lengths) => result.timeline.series
  .filter((s) => s.name.endsWith(".busy"))
  .map((s) => {
    const name = s.name.slice(0, -5);
    const parts = name === "dram" ? Math.max(1, result.channels) : 1;
    return { name: name === "dram" ? "dram, all channels" : name, color: page.timeline.unit_colors[name] || "--k13",
      shown: page.timeline.shown_first.includes(name), unit: "%",
      values: lengths.map((length, i) => 100 * (s.values[i] || 0) / (length * parts)) };
  });

// Bandwidth: bytes a cycle times the clock.
page.timeline.byte_lines = (result, lengths) => result.timeline.series
  .filter((s) => s.unit === "bytes")
  .map((s) => ({ name: s.name.replace("_bytes", ""), color: s.name.includes("read") ? "--k5" : "--k9", shown: true, unit: "GB/s",
    values: lengths.map((length, i) => (s.values[i] || 0) / length * result.clock_ghz) }));

page.timeline.cause_areas = (result, lengths) => page.data.causes.flatMap((cause, index) => {
  const series = result.timeline.series.find((s) => s.name === `cause.${cause}`);
  if (!series) return [];
  return [{ name: cause, color: `--k${index}`, shown: true, unit: "%",
    values: lengths.map((length, i) => 100 * (series.values[i] || 0) / length) }];
});

// What uPlot draws. A stack's areas reach from 0 to the sum of all shown ones up to them; the tallest is drawn
// first, so that those below cover it.
page.timeline.plotted = (chart, middles) => {
  if (!chart.stacked) return [middles, ...chart.lines.map((line) => line.values)];
  const sums = middles.map(() => 0);
  const areas = chart.lines.map((line) => {
    if (line.shown) line.values.forEach((value, i) => { sums[i] = Math.min(100, sums[i] + value); });
    return [...sums];
  });
  return [middles, ...areas.reverse()];
};

page.timeline.options = (chart) => {
  const axis = { stroke: () => page.color("--muted"), font: "11.5px system-ui, sans-serif", grid: { stroke: () => page.color("--line"), width: 1 },
    ticks: { stroke: () => page.color("--line"), size: 4 } };
  const stacked = chart.stacked;
  const step = stacked ? uPlot.paths.stepped({ align: 0 }) : uPlot.paths.linear();
  const drawn = stacked ? [...chart.lines].reverse() : chart.lines;
  const series = drawn.map((line) => ({ label: line.name, show: line.shown, width: stacked ? 0 : 1.5, paths: step,
    points: { show: false }, stroke: () => page.color(line.color), fill: stacked ? () => page.color(line.color) : undefined }));
  return {
    width: 300, height: chart.height, legend: { show: false }, cursor: { sync: { key: chart.key }, drag: { x: true, y: false },
      points: { show: !stacked, size: 6 } },
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, chart.top || Math.max(1, high * 1.08)] } },
    axes: [{ ...axis, values: (u, values) => values.map((v) => page.number(v)), space: 90, size: 34 },
      { ...axis, size: 52, values: (u, values) => values.map((v) => `${page.number(v)}${chart.top ? " %" : ""}`) }],
    series: [{ label: "cycle" }, ...series],
    hooks: { draw: [(u) => page.timeline.draw_tokens(u, chart.tokens)], setCursor: [(u) => chart.on_cursor(u)],
      setScale: [(u, scale) => { if (scale === "x") chart.on_scale(u); }] },
  };
};

// A dashed line where a token ends, unless they are too close to each other.
page.timeline.draw_tokens = (u, tokens) => {
  const visible = tokens.filter((t) => t > u.scales.x.min && t < u.scales.x.max);
  if (visible.length === 0 || visible.length > u.bbox.width / devicePixelRatio / 12) return;
  u.ctx.save();
  u.ctx.strokeStyle = page.color("--muted");
  u.ctx.globalAlpha = 0.55;
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.setLineDash([3 * devicePixelRatio, 4 * devicePixelRatio]);
  u.ctx.beginPath();
  for (const token of visible) {
    const x = Math.round(u.valToPos(token, "x", true));
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
  }
  u.ctx.stroke();
  u.ctx.restore();
};

// Buttons that show and hide lines, with the value under the cursor.
page.timeline.add_toggles = (box, chart, middles) => {
  const row = page.element("div", { className: "tools", role: "group", "aria-label": "Lines shown" });
  chart.lines.forEach((line, index) => {
    const key = page.element("i", { className: "key" });
    key.style.background = `var(${line.color})`;
    if (chart.stacked) key.className = `key ${line.color.slice(2)}`;
    line.cell = page.element("span", { className: "value" });
    const button = page.element("button", { type: "button", className: "toggle", "aria-pressed": String(line.shown) }, key, line.name, line.cell);
    button.addEventListener("click", () => {
      line.shown = !line.shown;
      button.setAttribute("aria-pressed", String(line.shown));
      chart.plot.setSeries(chart.stacked ? chart.lines.length - index : index + 1, { show: line.shown });
      if (chart.stacked) chart.plot.setData(page.timeline.plotted(chart, middles), false);
      if (chart.stacked) chart.plot.redraw();
    });
    row.append(button);
  });
  box.append(row);
};

page.timeline.add_chart = (box, group, chart) => {
  const holder = page.element("div", { className: "plot", tabIndex: 0, role: "group", "aria-label": chart.title });
  // Values under the cursor; without one, means of what is in view.
  chart.on_cursor = (u) => chart.lines.forEach((line) => {
    const at = u.cursor.idx, in_view = line.values.filter((v, i) => group.middles[i] >= u.scales.x.min && group.middles[i] <= u.scales.x.max);
    const value = at === null || at === undefined ? in_view.reduce((a, b) => a + b, 0) / Math.max(1, in_view.length) : line.values[at];
    line.cell.textContent = `${page.number(value, 1)} ${line.unit}`;
  });
  // All charts of a result show the same cycles.
  chart.on_scale = (u) => {
    chart.on_cursor(u);
    if (group.busy) return;
    group.busy = true;
    for (const other of group.charts) {
      if (other.plot && other.plot !== u) other.plot.setScale("x", { min: u.scales.x.min, max: u.scales.x.max });
    }
    group.busy = false;
  };
  box.append(page.element("h4", { textContent: chart.title }));
  page.timeline.add_toggles(box, chart, group.middles);
  box.append(holder);
  chart.plot = new uPlot(page.timeline.options(chart), page.timeline.plotted(chart, group.middles), holder);
  holder.addEventListener("keydown", (event) => page.timeline.on_key(event, chart.plot, group));
  group.charts.push(chart);
};

page.timeline.on_key = (event, plot, group) => {
  const { min, max } = plot.scales.x, span = max - min, middle = (min + max) / 2;
  const first = group.middles[0], last = group.middles[group.middles.length - 1];
  const set = (low, high) => {
    const width = Math.min(high - low, last - first);
    const from = Math.max(first, Math.min(low, last - width));
    plot.setScale("x", { min: from, max: from + width });
  };
  const keys = { ArrowLeft: () => set(min - span / 5, max - span / 5), ArrowRight: () => set(min + span / 5, max + span / 5),
    "+": () => set(middle - span / 4, middle + span / 4), "=": () => set(middle - span / 4, middle + span / 4),
    "-": () => set(middle - span, middle + span), 0: () => set(first, last), Home: () => set(first, last) };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
};

page.timeline.start = (box) => {
  const result = page.data.results[box.dataset.result];
  const { middles, lengths } = page.timeline.intervals(result.timeline);
  if (middles.length < 2) {
    box.append("The run is too short for values over time.");
    return;
  }
  const group = { middles, charts: [], busy: false };
  const common = { tokens: result.timeline.tokens, key: `timeline${box.dataset.result}` };
  const interval = `intervals of ${page.number(result.timeline.interval)} cycles`;
  page.timeline.add_chart(box, group, { ...common, title: `Busy, percent of ${interval}`, lines: page.timeline.unit_lines(result, lengths),
    height: 230, top: 100 });
  page.timeline.add_chart(box, group, { ...common, title: `DRAM, GB/s of ${page.number(result.peak_gb_per_s, 1)}`,
    lines: page.timeline.byte_lines(result, lengths), height: 150 });
  page.timeline.add_chart(box, group, { ...common, title: `Causes, percent of ${interval}`, lines: page.timeline.cause_areas(result, lengths),
    height: 190, top: 100, stacked: true });
  const fit = () => {
    if (box.clientWidth === 0) return;
    for (const chart of group.charts) chart.plot.setSize({ width: box.clientWidth, height: chart.height });
  };
  new ResizeObserver(fit).observe(box);
  page.on_redraw(() => group.charts.forEach((chart) => chart.plot.redraw(false, true)));
  box.timeline = group;
};
