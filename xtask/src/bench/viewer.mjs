// A browser for the benchmarks: reads one question a line, writes one answer a line. See viewer.rs.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The end-to-end suite has the driver installed already.
const { chromium } = createRequire(new URL("../../../tests/e2e/package.json", import.meta.url))("playwright-core");
const LIMIT = 30_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
let page = null;

const answers = {
  /** A new context each time: nothing is cached, as for a user who comes for the first time. */
  async open({ link }) {
    await page?.context().close();
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    const began = performance.now();
    await page.goto(link, { waitUntil: "commit" });
    await page.waitForFunction(() => window.greenroom?.stats()?.firstPicture != null, null, { timeout: LIMIT });
    const link_ms = performance.now() - began;
    return { link_ms, connect_ms: await page.evaluate(() => window.greenroom.stats().firstPicture) };
  },

  /** The player itself notes the time from a key's event to the picture that shows it. */
  async type({ count }) {
    const milliseconds = [];
    await page.locator("canvas").first().focus();
    for (let i = 0; i < count; i++) {
      const updates = await page.evaluate(() => window.greenroom.stats().updates);
      await page.keyboard.press("abcdefghij"[i % 10]);
      await page.waitForFunction((before) => window.greenroom.stats().updates > before, updates, { timeout: LIMIT });
      milliseconds.push(await page.evaluate(() => window.greenroom.stats().inputToPicture.at(-1)));
    }
    return { milliseconds };
  },

  stats: () => page.evaluate(() => window.greenroom.stats()),
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  if (question.do === "close") break;
  try {
    console.log(JSON.stringify(await answers[question.do](question)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message ?? error) }));
  }
}
await browser.close();
// Whoever asked still holds the other end of standard input, which would keep us alive.
process.exit(0);
