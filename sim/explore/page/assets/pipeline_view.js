// SPDX-License-Identifier: Apache-2.0
// The pipeline's rows and how they are painted: rows downwards, cycles to the right, one colour per stage.
"use strict";
page.pipeline = {};
page.pipeline.stages = [
  { letter: "F", from: 0, to: 1, color: "--sf", ink: "#1a2027" }, { letter: "D", from: 1, to: 2, color: "--sd", ink: "#fff" },
  { letter: "Q", from: 2, to: 3, color: "--sq", ink: "#1a2027" }, { letter: "X", from: 3, to: 4, color: "--sx", ink: "#fff" },
  { letter: "W", from: 4, to: 5, color: "--sw", ink: "#fff" }];

// Columns of texts to numbers; null where an instruction has no such stage. The inverse of report_data.cpp.
page.pipeline.decode = (pipeline) => {
  const columns = pipeline.columns.map((text) => text.split(",").map((v) => (v === "" ? null : Number(v))));
  const rows = [];
  let decoded = 0;
  for (let i = 0; i < pipeline.rows; ++i) {
    const delta = columns.slice(3).map((column) => column[i]);
    decoded += delta[1] === null ? 0 : delta[1];
    const times = [delta[0] === null ? null : decoded + delta[0], decoded, null, null, null, null];
    for (let stage = 2; stage < 6; ++stage) {
      const before = times[stage - 1] === null ? decoded : times[stage - 1];
      if (delta[stage] !== null) times[stage] = before + delta[stage];
    }
    rows.push({ operator: columns[0][i], kind: columns[1][i], unit: columns[2][i], times });
  }
  return rows;
};

// From a stage's beginning to the next that the instruction has. A front-end instruction ends in decode.
page.pipeline.segments = (row) => page.pipeline.stages.flatMap((stage) => {
  const from = row.times[stage.from];
  if (from === null) return [];
  const next = row.times.slice(stage.to).find((t) => t !== null);
  if (next === undefined || next <= from) return [];
  return [{ stage, from, to: next }];
});

page.pipeline.first_cycle = (row) => Math.min(...row.times.filter((t) => t !== null));
page.pipeline.last_cycle = (row) => Math.max(...row.times.filter((t) => t !== null));

// A round number of cycles, at least `pixels` apart.
page.pipeline.tick_step = (cycle_width, pixels) => {
  for (let step = 1; ; step *= 10) {
    for (const factor of [1, 2, 5]) {
      if (step * factor * cycle_width >= pixels) return step * factor;
    }
  }
};

// view: {x, y: cycle and row at the upper left corner; width, height: pixels of a cycle, of a row}.
page.pipeline.paint = (canvas, rows, view, names, chosen) => {
  const density = devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  if (box.width === 0) return;
  const width = Math.round(box.width * density), height = Math.round(box.height * density);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  const colors = Object.fromEntries(["--card", "--line", "--muted", "--ink", "--soft", "--sf", "--sd", "--sq", "--sx", "--sw"]
    .map((name) => [name, page.color(name)]));
  context.fillStyle = colors["--card"];
  context.fillRect(0, 0, box.width, box.height);
  context.font = "11px system-ui, sans-serif";
  page.pipeline.paint_grid(context, box, view, colors);
  page.pipeline.paint_rows(context, box, rows, view, names, chosen, colors);
  page.pipeline.paint_axis(context, box, view, colors);
};

// What is cut ends in "…".
page.pipeline.fitting = (context, text, width) => {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
  return `${text.slice(0, length)}…`;
};

page.pipeline.kAxis = 22;  // pixels of the axis above the rows

page.pipeline.paint_grid = (context, box, view, colors) => {
  const step = page.pipeline.tick_step(view.width, 90);
  context.strokeStyle = colors["--line"];
  context.lineWidth = 1;
  context.beginPath();
  for (let cycle = Math.ceil(view.x / step) * step; (cycle - view.x) * view.width < box.width; cycle += step) {
    const x = Math.round((cycle - view.x) * view.width) + 0.5;
    context.moveTo(x, page.pipeline.kAxis);
    context.lineTo(x, box.height);
  }
  context.stroke();
};

page.pipeline.paint_axis = (context, box, view, colors) => {
  context.fillStyle = colors["--soft"];
  context.fillRect(0, 0, box.width, page.pipeline.kAxis);
  context.fillStyle = colors["--muted"];
  context.textBaseline = "middle";
  const step = page.pipeline.tick_step(view.width, 90);
  for (let cycle = Math.ceil(view.x / step) * step; (cycle - view.x) * view.width < box.width; cycle += step) {
    context.fillText(page.number(cycle + 0), (cycle - view.x) * view.width + 3, page.pipeline.kAxis / 2 + 1);
  }
};

// Where rows are thinner than a pixel one of several is painted: a canvas has no more lines.
page.pipeline.paint_rows = (context, box, rows, view, names, chosen, colors) => {
  const skip = Math.max(1, Math.floor(0.7 / view.height));
  const first = Math.max(0, Math.floor(view.y / skip) * skip);
  const last = Math.min(rows.length, view.y + (box.height - page.pipeline.kAxis) / view.height + 1);
  for (let i = first; i < last; i += skip) {
    const y = page.pipeline.kAxis + (i - view.y) * view.height;
    const height = Math.max(1, view.height * skip - (view.height > 4 ? 1.5 : 0));
    if (i === chosen) {
      context.fillStyle = colors["--soft"];
      context.fillRect(0, y, box.width, height);
    }
    let end = 0;
    for (const segment of page.pipeline.segments(rows[i])) {
      const x = (segment.from - view.x) * view.width;
      const right = (segment.to - view.x) * view.width;
      end = Math.max(end, right);
      if (right < 0 || x > box.width) continue;
      context.fillStyle = colors[segment.stage.color];
      context.fillRect(x, y, Math.max(1, right - x - (view.width > 6 ? 1 : 0)), height);
      if (right - x < 12 || view.height < 11) continue;
      context.fillStyle = segment.stage.ink;
      context.textBaseline = "middle";
      context.fillText(segment.stage.letter, Math.max(x, 0) + 4, y + height / 2 + 0.5);
    }
    if (view.height < 11 || end > box.width - 20) continue;
    context.fillStyle = i === chosen ? colors["--ink"] : colors["--muted"];
    context.textBaseline = "middle";
    const left = Math.max(end, 0) + 6;
    context.fillText(page.pipeline.fitting(context, names(rows[i], i), box.width - left - 4), left, y + height / 2 + 0.5);
  }
};
