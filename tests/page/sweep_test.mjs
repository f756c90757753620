// SPDX-License-Identifier: Apache-2.0
// The page of a sweep in a browser: fronts, the best within limits, sorting and filtering, 10,000 points.
//   node sweep_test.mjs --binary build/tokencycle --root . [--shots FOLDER]
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canvas_pixels, check, chromium_program, open_page, option, playwright, read_json, run_in_browser, tokencycle, write_json }
  from "./browser.mjs";

const root = option("--root");
const shots = process.argv.includes("--shots") ? option("--shots") : null;
const program = chromium_program();
const { chromium } = playwright(root);
const folder = mkdtempSync(join(tmpdir(), "tokencycle_sweep_page_"));
const at = (name) => join(folder, name);

// 12 points that run, and 10,000 whose results are written here.
function make_pages() {
  const plan = {
    schema: "tokencycle-sweep-1", name: "a <b>plan</b>", command: "run",
    options: { config: "edge", "timing-only": true, "prompt-tokens": 4, n: 2, technology: "28nm" },
    set: { "/matrix/group_buffer_rows": 64 },
    axes: [{ axis: ["/matrix/rows", "/matrix/columns"], values: [[16, 16], [32, 32]] },
      { axis: "/matrix/dataflow", values: ["weight-stationary", "dot-product"] }, { axis: "/scratchpad/capacity_kib", values: [256, 512, 1024] }],
  };
  write_json(at("small.json"), plan);
  tokencycle(folder, "sweep", "small.json", "-o", "small", "-j", "2", "-q", "--report", "small.html");
  const side = [...Array(100).keys()].map((i) => 8 + i);
  const large = { schema: "tokencycle-sweep-1", name: "large", command: "gemm", options: { M: 8, N: 8, K: 8, dtype: "int8", config: "edge" },
    axes: [{ axis: "/dma/load_bursts_in_flight", values: side }, { axis: "/dma/store_bursts_in_flight", values: side }] };
  write_json(at("large.json"), large);
  mkdirSync(at("large/points"), { recursive: true });
  mkdirSync(at("large/failed"), { recursive: true });
  writeFileSync(at("large/plan.json"), readFileSync(at("large.json")));
  for (let i = 0; i < 10000; i += 1) {
    const cycles = 1000 + (i * 7919) % 9973;
    writeFileSync(at(`large/points/${String(i + 1).padStart(6, "0")}.json`),
      JSON.stringify({ layers: [{ array_alone: { cycles }, end_to_end: { cycles: 20000 - cycles + (i * 31) % 8000 } }] }));
  }
  tokencycle(folder, "sweep", "large.json", "-o", "large", "--collect", "-q", "--report", "large.html");
}

const tests = [];
const test = (name, run) => tests.push([name, run]);
const shell_words = (text) => [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
const number = (text) => Number(text.replaceAll(",", ""));

for (const name of ["small", "large"]) {
  test(`the page of ${name} loads without errors and requests, below 2 MB`, async (browser) => {
    const page = await open_page(browser, at(`${name}.html`));
    check(page.troubles.length === 0, page.troubles.join("; "));
    check(statSync(at(`${name}.html`)).size < 2e6, `its size is ${statSync(at(`${name}.html`)).size}`);
    check(await page.locator("h1").textContent() === (name === "small" ? "a <b>plan</b>" : "large"), "its heading is the plan's name");
    if (shots) await page.screenshot({ path: join(shots, `sweep_${name}.png`), fullPage: true });
    await page.context().close();
  });
}

test("without scripts front and sensitivity are there", async (browser) => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(`file://${at("small.html")}`);
  check(await page.locator("table.front tbody tr").count() > 0, "the front");
  check(await page.locator("table.sensitivity tbody tr").count() === 3, "three axes");
  check(await page.locator(".script").first().isHidden(), "no controls that do nothing");
  await page.context().close();
});

test("the front is that of the table, for any pair, and a point's command repeats its run", async (browser) => {
  const page = await open_page(browser, at("small.html"));
  const table = read_json(at("small/table.json")).points.filter((p) => p.state === "done");
  for (const [x, y] of [["decode_median_cycles", "area_mm2"], ["tokens_per_second", "energy_uj_per_token"]]) {
    const values = await page.locator("#x option").allTextContents();
    const index = (name) => String(values.findIndex((v) => v === name || v.startsWith(`${name},`)));
    await page.selectOption("#x", index(x));
    await page.selectOption("#y", index(y));
    const sign = (name) => name === "tokens_per_second" ? -1 : 1;
    const beats = (a, b) => {
      const d = [x, y].map((m) => sign(m) * (a[m] - b[m]));
      return d.every((v) => v <= 0) && (d.some((v) => v < 0) || a.point < b.point);
    };
    const wanted = table.filter((p) => !table.some((q) => q !== p && beats(q, p))).map((p) => p.point).sort((a, b) => a - b);
    const got = (await page.locator("#front-rows tr td:first-child").allTextContents()).map(Number).sort((a, b) => a - b);
    check(wanted.join() === got.join(), `${x}, ${y}: ${got} instead of ${wanted}`);
  }
  const before = await canvas_pixels(page.locator("#scatter"));
  await page.locator("#front-rows tr").first().click();
  check(before !== await canvas_pixels(page.locator("#scatter")), "the point is marked in the plot");
  const command = await page.locator("#chosen code").textContent();
  const chosen = number((await page.locator("#chosen").textContent()).match(/Point (\d+)/)[1]);
  const words = shell_words(command);
  check(words.shift() === "tokencycle", command);
  tokencycle(folder, ...words, "-q", "--result", "again.json");
  check(read_json(at("again.json")).cycles === table.find((p) => p.point === chosen).cycles, `${command} has other cycles`);
  await page.context().close();
});

test("the best within a limit is the table's, and an impossible limit is said", async (browser) => {
  const page = await open_page(browser, at("small.html"));
  const table = read_json(at("small/table.json")).points.filter((p) => p.state === "done");
  const index = async (id, name) => (await page.locator(`${id} option`).allTextContents()).findIndex((v) => v.startsWith(name));
  await page.selectOption("#objective", String(await index("#objective", "decode_median_cycles")));
  await page.click("#add-limit");
  const areas = table.map((p) => p.area_mm2).sort((a, b) => a - b);
  const limit = areas[Math.floor(areas.length / 2)] + 1e-6;
  await page.locator(".limit select").first().selectOption({ index: await index(".limit select:first-child", "area_mm2") });
  await page.fill(".limit input", String(limit));
  const best = table.filter((p) => p.area_mm2 <= limit).sort((a, b) => a.decode_median_cycles - b.decode_median_cycles || a.point - b.point)[0];
  const text = await page.locator("#best-text").textContent();
  check(text.includes(`Point ${best.point}:`), `${text} instead of point ${best.point}`);
  check((await page.locator("#best-command").textContent()).startsWith("tokencycle run"), "its command");
  await page.fill(".limit input", "0.0001");
  check((await page.locator("#best-text").textContent()).includes("No point"), "no point");
  await page.context().close();
});

test("10,000 points are sorted and filtered", async (browser) => {
  const page = await open_page(browser, at("large.html"));
  const first = (column) => page.locator(`#points-rows tr td:nth-child(${column})`).first().textContent();
  check((await page.locator("#count").textContent()).startsWith("10,000 of 10,000 points"), await page.locator("#count").textContent());
  const start = Date.now();
  await page.locator("#points-head button.sort").nth(3).click();
  check(await first(4) === "1,000", `sorted: ${await first(4)}`);
  await page.locator("#points-head button.sort").nth(3).click();
  check(number(await first(4)) > 10900, `and back: ${await first(4)}`);
  await page.locator("#points-head input").nth(1).fill("<=10");
  await page.locator("#points-head input").nth(2).fill("9");
  check((await page.locator("#count").textContent()).startsWith("3 of 10,000"), await page.locator("#count").textContent());
  check(Date.now() - start < 20000, "in seconds");
  await page.locator("#points-rows button.row").first().click();
  check((await page.locator("tr.command code").textContent()).includes("--set /dma/store_bursts_in_flight=9"), "the command of a row");
  await page.context().close();
});

make_pages();
await run_in_browser(() => chromium.launch({ executablePath: program, args: ["--no-sandbox"] }), tests, folder);
