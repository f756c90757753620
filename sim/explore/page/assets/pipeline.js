// SPDX-License-Identifier: Apache-2.0
// Moving through the pipeline: wheel, drag, pinch and keys; the instruction under the pointer; jumps to operators.
"use strict";
page.pipeline.View = class {
  constructor(box) {
    this.box = box;
    this.data = page.data.results[box.dataset.result].pipeline;
    this.rows = page.pipeline.decode(this.data);
    this.view = { x: 0, y: 0, width: 1, height: 14 };
    this.chosen = -1;
    this.pointers = new Map();
    this.build();
    this.listen();
    this.fitted = false;
    new ResizeObserver(() => this.resized()).observe(this.canvas);
    page.on_redraw(() => this.paint());
  }

  build() {
    const button = (text, label, action) => {
      const element = page.element("button", { type: "button", textContent: text, title: label, "aria-label": label });
      element.addEventListener("click", action);
      return element;
    };
    this.follow = page.element("input", { type: "checkbox", checked: true });
    this.jump = page.element("select", {}, page.element("option", { value: "", textContent: "operator …" }));
    this.operators().forEach((row, operator) => this.jump.append(
      page.element("option", { value: String(row), textContent: this.data.operators[operator] })));
    this.jump.addEventListener("change", () => this.jump.value !== "" && this.go_to(Number(this.jump.value)));
    this.canvas = page.element("canvas", { tabIndex: 0, role: "application", "aria-label":
      "Pipeline. Arrows move, page up and down move by a page, plus and minus zoom, 0 shows everything, J and K choose an instruction." });
    this.about = page.element("p", { className: "about-row", "aria-live": "polite" });
    this.box.append(
      page.element("div", { className: "tools" }, button("+", "Zoom in", () => this.zoom(1.5)), button("−", "Zoom out", () => this.zoom(1 / 1.5)),
        button("Everything", "Show everything", () => this.fit()), button("Readable", "Rows as high as letters", () => this.readable()),
        page.element("label", {}, "Jump to ", this.jump), page.element("label", {}, this.follow, "follow the instructions")),
      page.element("div", { className: "view" }, this.canvas), this.about,
      page.element("p", { className: "small", textContent: "Drag moves. The wheel zooms once the view has been clicked (before that with Ctrl), "
        + "with Shift it scrolls through the rows. Keys: arrows, Page up and down, + −, 0, J and K." }));
  }

  // The first row of each operator, in their order.
  operators() {
    const first = new Map();
    this.rows.forEach((row, i) => {
      if (row.operator !== null && row.operator >= 0 && !first.has(row.operator)) first.set(row.operator, i);
    });
    return first;
  }

  name(row, index) {
    const operator = row.operator >= 0 ? ` · ${this.data.operators[row.operator]}` : "";
    return `${index} ${this.data.kinds[row.kind]}${operator}`;
  }

  size() {
    const box = this.canvas.getBoundingClientRect();
    return { width: box.width, height: Math.max(1, box.height - page.pipeline.kAxis) };
  }

  resized() {
    if (this.canvas.clientWidth === 0) return;
    if (!this.fitted) {
      this.fitted = true;
      this.readable();
    }
    this.paint();
  }

  paint() {
    page.pipeline.paint(this.canvas, this.rows, this.view, (row, i) => this.name(row, i), this.chosen);
  }

  // All rows, and all cycles from the first to the last.
  fit() {
    const { width, height } = this.size();
    let first = Infinity, last = -Infinity;
    for (const row of this.rows) {
      first = Math.min(first, page.pipeline.first_cycle(row));
      last = Math.max(last, page.pipeline.last_cycle(row));
    }
    this.view = { x: first, y: 0, width: width / Math.max(1, last - first) * 0.98, height: height / this.rows.length };
    this.paint();
  }

  // Rows with letters, at a width at which most of what is in view fits.
  readable() {
    const { width, height } = this.size();
    const y = Math.max(0, Math.min(this.view.y, this.rows.length - 1));
    const shown = this.rows.slice(Math.floor(y), Math.floor(y) + Math.ceil(height / 15));
    const spans = shown.map((row) => page.pipeline.last_cycle(row)).sort((a, b) => a - b);
    const from = Math.min(...shown.map((row) => row.times[1]));
    const span = Math.max(20, spans[Math.floor(spans.length * 0.6)] - from);
    this.view = { x: from - 2, y, width: Math.min(14, width * 0.75 / span), height: 15 };
    this.paint();
  }

  zoom(factor, at_x = null, at_y = null) {
    const { width, height } = this.size();
    const px = at_x === null ? width / 2 : at_x, py = at_y === null ? height / 2 : at_y;
    const cycle = this.view.x + px / this.view.width, row = this.view.y + py / this.view.height;
    const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
    this.view.width = clamp(this.view.width * factor, 1e-4, 60);
    this.view.height = clamp(this.view.height * factor, 0.02, 28);
    this.view.x = cycle - px / this.view.width;
    this.view.y = row - py / this.view.height;
    this.paint();
  }

  // By rows, and along with them to where they are decoded, unless that is not wanted.
  scroll(rows) {
    const before = this.decoded_at(this.view.y);
    this.view.y = Math.max(-2, Math.min(this.rows.length - 1, this.view.y + rows));
    if (this.follow.checked) this.view.x += this.decoded_at(this.view.y) - before;
    this.paint();
  }

  decoded_at(row) {
    return this.rows[Math.max(0, Math.min(this.rows.length - 1, Math.round(row)))].times[1];
  }

  go_to(row) {
    this.view.y = Math.max(0, row - 2);
    this.view.x = this.rows[row].times[1] - 60 / this.view.width;
    if (this.view.height < 11) this.readable();
    this.choose(row);
  }

  choose(row) {
    if (row < 0 || row >= this.rows.length) return;
    this.chosen = row;
    const r = this.rows[row], stages = ["fetched", "decoded", "dispatched", "started", "finished", "written back"];
    const times = stages.map((name, i) => (r.times[i] === null ? null : `${name} ${page.number(r.times[i])}`)).filter((t) => t);
    this.about.replaceChildren(page.element("b", { textContent: this.name(r, row) }),
      ` on ${this.data.units[r.unit]}: ${times.join(", ")}. Cycles from the token's start at ${page.number(this.data.start)}.`);
    this.paint();
  }

  row_at(y) {
    const row = Math.floor(this.view.y + (y - page.pipeline.kAxis) / this.view.height);
    return y >= page.pipeline.kAxis && row >= 0 && row < this.rows.length ? row : -1;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  listen() {
    const on = (name, action) => this.canvas.addEventListener(name, action, { passive: false });
    on("wheel", (event) => this.on_wheel(event));
    on("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.place(event));
    });
    on("pointermove", (event) => this.on_move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.pointers.delete(event.pointerId));
    on("click", (event) => this.choose(this.row_at(this.place(event).y)));
    on("keydown", (event) => this.on_key(event));
  }

  on_wheel(event) {
    const active = document.activeElement === this.canvas || event.ctrlKey || event.shiftKey;
    if (!active) return;  // the page scrolls
    event.preventDefault();
    const at = this.place(event), amount = event.deltaY || event.deltaX;
    if (event.shiftKey) this.scroll(Math.sign(amount) * Math.max(1, 45 / this.view.height));
    else this.zoom(Math.exp(-amount * 0.0022), at.x, at.y - page.pipeline.kAxis);
  }

  on_move(event) {
    const at = this.place(event), before = this.pointers.get(event.pointerId);
    if (!before) {
      const row = this.row_at(at.y);
      if (row !== this.chosen) this.choose(row);
      return;
    }
    if (this.pointers.size === 2) this.pinch(event.pointerId, at);
    else if (this.pointers.size === 1) {
      this.view.x -= (at.x - before.x) / this.view.width;
      this.view.y -= (at.y - before.y) / this.view.height;
      this.paint();
    }
    this.pointers.set(event.pointerId, at);
  }

  // Two fingers: what is between them stays between them.
  pinch(moved, at) {
    const [other] = [...this.pointers].filter(([id]) => id !== moved).map(([, place]) => place);
    const before = this.pointers.get(moved), distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    this.zoom(distance(at, other) / distance(before, other), (at.x + other.x) / 2, (at.y + other.y) / 2 - page.pipeline.kAxis);
  }

  on_key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.size(), rows = height / this.view.height;
    const aside = (part) => { this.view.x += part * width / this.view.width; this.paint(); };
    const step = (by) => {
      const row = Math.max(0, Math.min(this.rows.length - 1, (this.chosen < 0 ? Math.ceil(this.view.y) - by : this.chosen) + by));
      if (row < this.view.y || row > this.view.y + rows - 1) this.scroll(row - this.view.y - rows / 2);
      this.choose(row);
    };
    const keys = { ArrowLeft: () => aside(-0.1), ArrowRight: () => aside(0.1), ArrowUp: () => this.scroll(-Math.max(1, rows / 12)),
      ArrowDown: () => this.scroll(Math.max(1, rows / 12)), PageUp: () => this.scroll(-rows), PageDown: () => this.scroll(rows),
      Home: () => this.scroll(-this.rows.length), End: () => this.scroll(this.rows.length), "+": () => this.zoom(1.3),
      "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3), 0: () => this.fit(), j: () => step(1), k: () => step(-1) };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
};

// Those of the result that is shown, the first time that it is.
page.start_drawings = () => {
  for (const box of document.querySelectorAll("div.timeline, div.pipeline")) {
    if (box.dataset.started || box.closest("[hidden]")) continue;
    box.dataset.started = "true";
    if (!page.data) box.append("This browser cannot unpack what is drawn here (it lacks DecompressionStream); the tables have the figures.");
    else if (box.classList.contains("timeline")) page.timeline.start(box);
    else box.view = new page.pipeline.View(box);
  }
};

page.load().catch(() => {}).then(() => {
  page.start_chooser();
  document.documentElement.setAttribute("data-ready", "true");
});
