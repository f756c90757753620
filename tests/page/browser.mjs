// SPDX-License-Identifier: Apache-2.0
// What the page's tests share: the program, Chromium, and checks that say what they expected.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const kSkip = 77;  // ctest: the test was skipped

export function option(name) {
  const at = process.argv.indexOf(name);
  if (at < 0 || at + 1 >= process.argv.length) throw new Error(`page: ${name} is missing`);
  return process.argv[at + 1];
}

function skip(reason) {
  console.log(`page: skipped: ${reason}`);
  process.exit(kSkip);
}

export function chromium_program() {
  const found = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .find((path) => path && existsSync(path));
  return found || skip("no Chromium; install it (scripts/setup.sh --tests) or name it in CHROMIUM");
}

export function playwright(root) {
  const folder = join(root, "build", "npm", "playwright-core");
  if (!existsSync(join(folder, "index.js"))) skip("playwright-core is missing; run scripts/npm_packages.sh --tests");
  if (!existsSync(join(root, "build", "npm", "uplot"))) skip("uPlot is missing; run scripts/npm_packages.sh");
  return createRequire(import.meta.url)(folder);
}

let failures = 0;
let checks = 0;
export function check(holds, what) {
  checks += 1;
  if (holds) return;
  failures += 1;
  console.log(`  FAILED: ${what}`);
}

// Runs the named tests in one browser, then `after`, and removes the folder whose files they read; ends with the count of checks.
export async function run_in_browser(launch, tests, folder, after = async () => {}) {
  const browser = await launch();
  try {
    for (const [name, run] of tests) {
      console.log(name);
      try {
        await run(browser);
      } catch (error) {
        check(false, error.stack);
      }
    }
    await after(browser);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`page: ${checks} checks, ${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}

// Runs the program; the folder is where its files are.
export function tokencycle(folder, ...words) {
  return execFileSync(option("--binary"), words, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 26 });
}
export const read_json = (path) => JSON.parse(readFileSync(path, "utf8"));
export const write_json = (path, value) => writeFileSync(path, JSON.stringify(value));

// A page of the browser that notes everything that should not happen.
export async function open_page(browser, file, settings = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...settings });
  const page = await context.newPage();
  page.troubles = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.troubles.push(message.text());
  });
  page.on("pageerror", (error) => page.troubles.push(error.message));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url()) || (request.url().startsWith("file:") && !request.isNavigationRequest())) {
      page.troubles.push(`asked for ${request.url()}`);
    }
  });
  await page.goto(`file://${file}`, { timeout: 120000 });
  await page.waitForSelector("html[data-ready=true]", { timeout: 60000 });
  return page;
}

// What is painted there, as a digest of its pixels.
export async function pixels(locator) {
  await locator.page().evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return createHash("sha256").update(await locator.screenshot()).digest("hex");
}
export async function canvas_pixels(locator) {
  return createHash("sha256").update(await locator.evaluate((canvas) => canvas.toDataURL())).digest("hex");
}
