// SPDX-License-Identifier: Apache-2.0
// The report's page in a browser: it loads without errors and requests, and what it offers works.
//   node page_test.mjs --binary build/tokencycle --root . [--shots FOLDER]
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canvas_pixels, check, chromium_program, open_page, option, pixels, playwright, read_json, run_in_browser, tokencycle,
  write_json } from "./browser.mjs";

const root = option("--root");
const shots = process.argv.includes("--shots") ? option("--shots") : null;
const program = chromium_program();
const { chromium } = playwright(root);
const folder = mkdtempSync(join(tmpdir(), "tokencycle_page_"));
const at = (name) => join(folder, name);

// Runs on three machines; hostile, old and many results are made of them.
function make_reports() {
  for (const machine of ["edge", "edge-dot", "gemmini"]) {
    tokencycle(folder, "run", "-q", "-c", machine, "-n", "6", "--ignore-eos", "--result", `${machine}.json`);
  }
  const hostile = read_json(at("edge.json"));
  const evil = "</script><img src=x onerror=\"window.hurt=1\"><svg onload='window.hurt=1'>\u2028`${1}`";
  hostile.configuration.name = evil;
  hostile.model.name = hostile.model.file = evil;
  hostile.settings.prompt = hostile.text = evil;
  for (const token of hostile.tokens) token.text = evil;
  hostile.operators[1].name = evil;
  if (hostile.pipeline) for (const op of hostile.pipeline.operators) op.name = evil;
  for (const counter of hostile.counters) counter.meaning = evil;
  write_json(at("hostile.json"), hostile);
  const old = read_json(at("edge.json"));
  delete old.timeline;
  delete old.pipeline;
  for (const op of old.operators) {
    for (const phase of ["prefill", "decode"]) op[phase] = { cycles: op[phase].cycles, instructions: op[phase].instructions };
  }
  write_json(at("old.json"), old);
  const report = (name, ...results) => tokencycle(folder, "report", ...results.map((r) => `${r}.json`), "-o", `${name}.html`);
  report("one", "edge");
  report("two", "edge", "edge-dot");
  report("six", "edge", "edge-dot", "gemmini", "edge", "edge-dot", "gemmini");
  // Machines that a search tries: names with what was changed, times and energies close to each other, some unknown.
  const many = [...Array(24).keys()].map((i) => {
    const result = read_json(at(["edge.json", "edge-dot.json", "gemmini.json"][i % 3]));
    result.configuration.name += ` with /matrix/rows=${16 + i}, /scratchpad/capacity_kib=${256 + i}`;
    if (i % 5 === 4) {
      result.energy = { dram: null, reason: "the preset has none" };
      for (const phase of Object.values(result.phases)) phase.dram_pj = null;
    }
    write_json(at(`many${i}.json`), result);
    return `many${i}`;
  });
  report("many", ...many);
  report("hostile", "hostile", "edge");
  report("old", "old", "edge");
}

const tests = [];
const test = (name, run) => tests.push([name, run]);

for (const [name, results] of Object.entries({ one: 1, two: 2, six: 6, many: 24, hostile: 2, old: 2 })) {
  test(`the page of ${name} loads without errors and requests, and has the size it may have`, async (browser) => {
    const page = await open_page(browser, at(`${name}.html`));
    check(page.troubles.length === 0, page.troubles.join("; "));
    check(statSync(at(`${name}.html`)).size < 1e6 + 350e3 * (results - 1), `its size is ${statSync(at(`${name}.html`)).size}`);
    check((await page.title()).includes(name === "hostile" ? "<img" : "Austen"), `its title has the model: ${await page.title()}`);
    const policy = await page.getAttribute("meta[http-equiv=Content-Security-Policy]", "content");
    check(policy === "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:", policy);
    check(await page.evaluate(() => window.hurt === undefined), "no text became code");
    await page.context().close();
  });
}

test("without script the figures, charts and trees are there", async (browser) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`file://${at("two.html")}`);
  check(await page.locator("table.figures").isVisible(), "the figures");
  check(await page.locator("svg.stacks").count() === 2, "the stacks of both");
  check(await page.locator("svg.roofline").count() === 2, "the rooflines of both");
  check(await page.locator(".tree").nth(1).isVisible(), "the tree of the second");
  await context.close();
});

test("hostile names stand in the page as text", async (browser) => {
  const page = await open_page(browser, at("hostile.html"));
  check((await page.locator("h1").textContent()).includes("<img src=x"), "the heading");
  check(await page.locator("img").count() === 0, "no image");
  check((await page.locator("td.cmd code").first().textContent()).includes("</script>"), "the command has the prompt as it was");
  await page.context().close();
});

test("one result of several is shown, and the chooser changes which", async (browser) => {
  const page = await open_page(browser, at("two.html"));
  const shown = () => page.locator("#tree .one:visible h3").allTextContents();
  check((await shown()).join() === "edge-dot", `first ${await shown()}`);
  await page.selectOption("#chooser", "0");
  check((await shown()).join() === "edge", `then ${await shown()}`);
  await page.context().close();
});

// Of what is shown: rows of the pipeline, points and names of the roofline, rows of the tree.
const details = (page) => page.evaluate(() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((e) => !e.closest("[hidden]"));
  return { rows: shown("div.pipeline")[0].view.rows.length, points: shown("svg.roofline use").length,
    names: shown("svg.roofline .name").filter((e) => e.style.visibility !== "hidden").length, tree: shown("#tree .r").length,
    painted: shown("div.timeline canvas").length };
});
test("with 6 and with 24 results a result is shown as with one", async (browser) => {
  const one = await open_page(browser, at("one.html"));
  const wanted = await details(one);
  check(wanted.rows > 1000 && wanted.points > 20 && wanted.names > 2, `with one: ${JSON.stringify(wanted)}`);
  await one.context().close();
  for (const [name, which] of [["six", "0"], ["many", "21"]]) {
    const page = await open_page(browser, at(`${name}.html`));
    await page.selectOption("#chooser", which);
    await page.waitForTimeout(200);
    const got = await details(page);
    check(JSON.stringify(got) === JSON.stringify(wanted), `${name}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
    if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    await page.context().close();
  }
});

test("machines without published energy stand in the plot of time and energy as such", async (browser) => {
  const page = await open_page(browser, at("many.html"));
  check(await page.locator("svg.scatter circle").count() === 24, "all 24 are there");
  check(await page.locator("svg.scatter g.unknown circle").count() === 4, "four have no energy");
  const band = await page.locator("svg.scatter rect.band").boundingBox();
  for (const circle of await page.locator("svg.scatter g.unknown circle").all()) {
    const box = await circle.boundingBox();
    check(box.y >= band.y && box.y + box.height <= band.y + band.height, "in their strip");
  }
  await page.context().close();
});

test("words of charts do not cover each other", async (browser) => {
  const overlaps = () => [...document.querySelectorAll(".chart svg")].flatMap((svg) => {
    const words = [...svg.querySelectorAll("text")].filter((t) => getComputedStyle(t).visibility !== "hidden" && t.getClientRects().length > 0);
    const boxes = words.map((t) => t.getBoundingClientRect());
    return boxes.flatMap((a, i) => boxes.slice(0, i).flatMap((b, j) =>
      a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1 ? [`${words[i].textContent} / ${words[j].textContent}`] : []));
  });
  for (const name of ["one", "two", "six", "many"]) {
    for (const width of [1200, 360]) {
      const page = await open_page(browser, at(`${name}.html`), { viewport: { width, height: 800 } });
      await page.waitForTimeout(200);
      const found = await page.evaluate(overlaps);
      check(found.length === 0, `${name}, ${width} pixels: ${found.slice(0, 4).join("; ")}`);
      await page.context().close();
    }
  }
});

test("tables of causes have what differs, and one line for the rest", async (browser) => {
  const page = await open_page(browser, at("two.html"));
  const rows = await page.locator("table.changes").first().locator("tbody tr").evaluateAll((all) =>
    all.map((row) => [row.cells[0].textContent, ...[...row.cells].slice(1, 4).map((c) => Number(c.textContent.replaceAll(",", "").replace("−", "-")))]));
  const causes = rows.filter(([name]) => name !== "all" && !name.includes("unchanged"));
  check(causes.length > 3 && causes.every((row) => row[3] !== 0), `rows: ${JSON.stringify(causes)}`);
  const sum = rows.filter(([name]) => name !== "all").reduce((total, row) => total + row[2], 0);
  const all = rows.find(([name]) => name === "all");
  check(Math.abs(sum - all[2]) <= rows.length, `${sum} of ${all[2]}`);
  await page.context().close();
});

test("on a phone what continues to the side is shaded or ends in dots", async (browser) => {
  const page = await open_page(browser, at("many.html"), { viewport: { width: 360, height: 740 }, hasTouch: true });
  const cut = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((e) => {
    if (e.closest("svg, [hidden], .sr, .skip, script, style, .u-wrap, caption") || e.clientWidth === 0) return false;
    const style = getComputedStyle(e);
    if (e.scrollWidth <= e.clientWidth + 1 || style.overflowX === "visible" || style.clipPath !== "none") return false;  // or read aloud alone
    return !(style.textOverflow === "ellipsis" || style.backgroundImage.includes("gradient"));
  }).map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 30)}`));
  check(cut.length === 0, `cut without a hint: ${[...new Set(cut)].slice(0, 5).join("; ")}`);
  check(await page.locator("#tree .r em:visible").count() > 3, "the causes of the tree are there");
  if (shots) await page.screenshot({ path: join(shots, "phone-many.png"), fullPage: true });
  await page.context().close();
});

test("tables are sorted by mouse and keyboard, and say so", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  const heading = page.locator("table.operators th", { hasText: "decode, cycles" });
  const values = async () => (await page.locator("table.operators tbody tr td:nth-child(4)").allTextContents())
    .map((text) => Number(text.replaceAll(",", "")));
  const rows = (await values()).length;
  await heading.locator("button").click();
  check(await heading.getAttribute("aria-sort") === "descending", "descending first");
  let sorted = await values();
  check(sorted.every((v, i) => i === 0 || sorted[i - 1] >= v), `descending: ${sorted.slice(0, 5)}`);
  await heading.locator("button").focus();
  await page.keyboard.press("Enter");
  check(await heading.getAttribute("aria-sort") === "ascending", "ascending then");
  sorted = await values();
  check(sorted.every((v, i) => i === 0 || sorted[i - 1] <= v), `ascending: ${sorted.slice(0, 5)}`);
  check(sorted.length === rows && rows > 10, "no row is lost");
  await page.context().close();
});

test("a filter leaves the rows that have its text", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  await page.locator("#operators .filter input").fill("ffn_up");
  const names = await page.locator("table.operators tbody tr:visible th").allTextContents();
  check(names.length === 4 && names.every((n) => n.includes("ffn_up")), names.join());
  await page.locator("#operators .filter input").fill("");
  check(await page.locator("table.operators tbody tr:visible").count() > 10, "all are back");
  await page.context().close();
});

test("the command of an operator can be copied, and is a command that the program takes", async (browser) => {
  const page = await open_page(browser, at("one.html"), { permissions: ["clipboard-read", "clipboard-write"] });
  const row = page.locator("table.operators tbody tr", { hasText: "attn_q" }).first();
  await row.locator("summary").click();
  await row.locator("button.copy").click();
  await page.waitForFunction(() => [...document.querySelectorAll("button.copy")].some((b) => b.textContent !== "Copy"));
  const command = await row.locator("code").textContent();
  const text = await page.evaluate(() => navigator.clipboard.readText().catch(() => getSelection().toString()));
  check(text === command, `copied ${text}`);
  check(command.endsWith("--trace op.pftrace --trace-window op:blk.0.attn_q"), command);
  // The model is the bundled one, which has no folder in the command.
  const words = command.match(/'[^']*'|\S+/g).map((w) => w.replaceAll("'", ""));
  words[words.indexOf("-m") + 1] = join(root, "models", words[words.indexOf("-m") + 1]);
  tokencycle(folder, ...words.slice(1), "-q");
  check(statSync(at("op.pftrace")).size > 1000, "its trace");
  await page.context().close();
});

test("the tree opens by mouse, by keyboard and to a level, and its levels sum up", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  const layer = page.locator(".tree > details > details").first();
  await layer.locator("> summary").click();
  check(await layer.getAttribute("open") !== null, "a click opens a layer");
  await layer.locator("> summary").press("Enter");
  check(await layer.getAttribute("open") === null, "Enter closes it");
  await page.getByRole("button", { name: "Everything" }).first().click();
  check(await page.locator(".tree details:not([open])").count() === 0, "everything is open");
  const wrong = await page.evaluate(() => {
    const cycles = (row) => Number(row.querySelector(":scope > i").textContent.replaceAll(",", ""));
    return [...document.querySelectorAll(".tree details")].filter((d) => {
      const parts = [...d.children].slice(1).map((c) => cycles(c.tagName === "DETAILS" ? c.querySelector("summary") : c));
      return parts.reduce((a, b) => a + b, 0) !== cycles(d.querySelector("summary"));
    }).length;
  });
  check(wrong === 0, `${wrong} entries are not the sum of their parts`);
  await page.context().close();
});

test("the timeline zooms by dragging and by keys, and lines can be hidden", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  const plot = page.locator(".timeline .plot").first(), canvas = plot.locator("canvas");
  await plot.scrollIntoViewIfNeeded();
  const range = () => page.evaluate(() => {
    const { min, max } = document.querySelector("div.timeline").timeline.charts[0].plot.scales.x;
    return [min, max];
  });
  const whole = await range(), first = await canvas_pixels(canvas), box = await plot.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 42, { steps: 4 });
  await page.mouse.up();
  const part = await range();
  check(part[1] - part[0] < 0.5 * (whole[1] - whole[0]), `dragged to ${part} of ${whole}`);
  check(await canvas_pixels(canvas) !== first, "another picture");
  await page.mouse.dblclick(box.x + box.width * 0.5, box.y + 40);
  check((await range()).join() === whole.join(), "a double click shows all");
  await plot.focus();
  await page.keyboard.press("+");
  check((await range())[1] - (await range())[0] < 0.7 * (whole[1] - whole[0]), "plus zooms");
  await page.keyboard.press("0");
  check((await range()).join() === whole.join(), "0 shows all");
  const before = await canvas_pixels(canvas);
  const toggle = page.locator(".timeline .toggle[aria-pressed=true]").first();
  await toggle.press("Enter");
  check(await page.locator(".timeline .toggle[aria-pressed=false]").count() > 0, "a line is off");
  check(await canvas_pixels(canvas) !== before, "and not painted");
  await page.context().close();
});

test("the pipeline zooms and pans by wheel, mouse and keys, and shows an instruction", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  const canvas = page.locator(".pipeline canvas").first();
  await canvas.scrollIntoViewIfNeeded();
  const scale = () => page.evaluate(() => document.querySelector("div.pipeline").view.view.width);
  const box = await canvas.boundingBox(), unfocused = await scale();
  const seen = new Set([await canvas_pixels(canvas)]);
  const changes = async (what) => {
    const now = await canvas_pixels(canvas);
    check(!seen.has(now), what);
    seen.add(now);
  };
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, 200);
  await page.waitForTimeout(100);
  check(await scale() === unfocused, "before it is chosen the wheel scrolls the page");
  await canvas.scrollIntoViewIfNeeded();
  await canvas.focus();
  const place = await canvas.boundingBox();
  await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
  await page.mouse.wheel(0, -300);
  await changes("the wheel zooms");
  check(await scale() > unfocused, "to larger cycles");
  await page.mouse.down();
  await page.mouse.move(place.x + place.width / 2 - 120, place.y + place.height / 2 - 60, { steps: 3 });
  await page.mouse.up();
  await changes("dragging pans");
  for (const key of ["ArrowRight", "ArrowDown", "PageDown", "+", "-", "0"]) {
    await page.keyboard.press(key);
    await changes(`${key} changes what is painted`);
  }
  await page.keyboard.press("j");
  const about = await page.locator(".pipeline .about-row").first().textContent();
  check(/decoded [\d,]+.*Cycles from the token's start/.test(about), about);
  const jump = page.locator(".pipeline select").first();
  await jump.selectOption({ index: 5 });
  await changes("a jump goes there");
  const operator = await jump.evaluate((s) => s.selectedOptions[0].textContent);
  check((await page.locator(".pipeline .about-row").first().textContent()).includes(operator), `to ${operator}`);
  await page.context().close();
});

test("what is painted of the pipeline are the instructions of the result", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  const rows = await page.evaluate(() => document.querySelector("div.pipeline").view.rows.map((r) => [r.operator, r.kind, r.unit, ...r.times]));
  const result = read_json(at("edge.json")).pipeline.rows;
  check(rows.length === result.length && rows.length > 100, `${rows.length} rows of ${result.length}`);
  const different = rows.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(result[i]));
  check(different === -1, `row ${different}: ${rows[different]} instead of ${result[different]}`);
  await page.context().close();
});

test("a phone of 360 pixels scrolls down alone", async (browser) => {
  for (const name of ["one", "two", "six", "many", "hostile"]) {
    const page = await open_page(browser, at(`${name}.html`), { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    check(width <= 360, `${name} is ${width} pixels wide`);
    await page.context().close();
  }
});

// Contrast of letters with what is behind them, after WCAG 2: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
const contrasts = () => {
  const parse = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *, header *, nav a, footer p")) {
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || element.closest("[hidden], .sr, desc, title")) continue;
    if (["SCRIPT", "STYLE", "OPTION"].includes(element.tagName) || element.getClientRects().length === 0) continue;
    const style = getComputedStyle(element), letters = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [luminance(parse(letters)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName}.${element.className.baseVal ?? element.className} "${element.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
  }
  return poor;
};

test("letters have a contrast of 4.5 or more, light, dark and on paper", async (browser) => {
  for (const [scheme, media] of [["light", "screen"], ["dark", "screen"], ["dark", "print"]]) {
    const page = await open_page(browser, at("two.html"), { colorScheme: scheme });
    if (media === "print") await page.emulateMedia({ media: "print", colorScheme: "light" });
    const poor = await page.evaluate(contrasts);
    check(poor.length === 0, `${scheme}, ${media}: ${[...new Set(poor)].slice(0, 6).join("; ")}`);
    if (shots) await page.screenshot({ path: join(shots, `${media === "print" ? "print" : scheme}.png`), fullPage: true });
    await page.context().close();
  }
});

test("dark and light are painted in different colours, canvases too", async (browser) => {
  const page = await open_page(browser, at("one.html"), { colorScheme: "light" });
  const parts = [page.locator(".pipeline canvas").first(), page.locator(".timeline canvas").first()];
  const light = [];
  for (const part of parts) light.push(await canvas_pixels(part));
  const card = await pixels(page.locator(".card").first());
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForTimeout(200);
  for (let i = 0; i < parts.length; ++i) check(await canvas_pixels(parts[i]) !== light[i], `canvas ${i} is dark`);
  check(await pixels(page.locator(".card").first()) !== card, "a card is dark");
  await page.context().close();
});

test("on paper there are no controls, and nothing is cut off", async (browser) => {
  const page = await open_page(browser, at("one.html"));
  await page.emulateMedia({ media: "print" });
  for (const control of [".sticky", ".filter", ".tools", "td.cmd"]) {
    check(await page.locator(control).first().isHidden(), control);
  }
  const paper = await page.pdf({ format: "A4" });
  check(paper.subarray(0, 4).toString() === "%PDF" && paper.length > 20000, "a PDF");
  await page.context().close();
});

test("readers find landmarks, headings, captions and names", async (browser) => {
  const page = await open_page(browser, at("two.html"));
  const missing = await page.evaluate(() => {
    const faults = [];
    for (const tag of ["main", "nav[aria-label]", "header", "footer", "h1"]) if (!document.querySelector(tag)) faults.push(tag);
    for (const table of document.querySelectorAll("table:not(.u-legend)")) {
      if (!table.caption || !table.caption.textContent.trim()) faults.push("a table without a caption");
      for (const th of table.querySelectorAll("th")) if (!th.scope) faults.push(`a heading without a scope: ${th.textContent}`);
    }
    for (const svg of document.querySelectorAll(".chart > svg")) {
      if (svg.getAttribute("role") !== "img" || !svg.querySelector("title") || !svg.querySelector("desc")) faults.push("a chart without a name");
    }
    for (const control of document.querySelectorAll("button, select, input, canvas[tabindex], .plot")) {
      if (!control.textContent.trim() && !control.getAttribute("aria-label") && !control.closest("label")) faults.push(control.outerHTML.slice(0, 60));
    }
    let level = 1;
    for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
      const next = Number(heading.tagName[1]);
      if (next > level + 1) faults.push(`h${level} is followed by h${next}: ${heading.textContent}`);
      level = next;
    }
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    if (new Set(ids).size !== ids.length) faults.push("an id twice");
    return faults;
  });
  check(missing.length === 0, [...new Set(missing)].slice(0, 5).join("; "));
  await page.context().close();
});

make_reports();
await run_in_browser(() => chromium.launch({ executablePath: program, args: ["--no-sandbox"] }), tests, folder, async (browser) => {
  if (!shots) return;
  const page = await open_page(browser, at("two.html"), { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 });
  await page.screenshot({ path: join(shots, "phone.png"), fullPage: true });
});
