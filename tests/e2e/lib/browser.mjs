// The browser and what is looked at in the player's page.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Where screenshots are left to be looked at. */
const OUT = process.env.E2E_OUT ?? "out";
const LIMIT = 30_000;

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page with the player, in a profile of its own. */
export class Player {
  /** What the page complained about. */
  complaints = [];

  static async open(browser, url, prepare = () => {}, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
    const player = new Player();
    player.page = await context.newPage();
    player.page.on("pageerror", (error) => player.complaints.push(String(error)));
    // A refused connection while the server is away is reported by the browser itself.
    player.page.on("console", (message) => {
      if (message.type() === "error" && !/ERR_CONNECTION|WebSocket|net::ERR/.test(message.text())) {
        player.complaints.push(message.text());
      }
    });
    await player.page.addInitScript(prepare);
    await player.page.goto(url);
    return player;
  }

  /** Waits until `holds`, called in the page with `argument`, is true. */
  until(holds, argument) {
    return this.page.waitForFunction(holds, argument, { timeout: LIMIT, polling: 20 });
  }

  /** Waits until the session is to be seen. */
  async connected() {
    await this.until(() => window.greenroom.state === "connected" && window.greenroom.stats().updates > 0);
  }

  stats() {
    return this.page.evaluate(() => window.greenroom.stats());
  }

  hash() {
    return this.page.evaluate(() => window.greenroom.frameHash());
  }

  /** What the canvas shows, pixel for pixel, as a digest. */
  pixels() {
    return this.page.evaluate(async () => {
      const shown = document.querySelector("canvas");
      const copy = new OffscreenCanvas(shown.width, shown.height).getContext("2d");
      copy.drawImage(shown, 0, 0);
      const { data } = copy.getImageData(0, 0, shown.width, shown.height);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
      return `${shown.width}x${shown.height} ${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    });
  }

  /** Types into the session, a key at a time. */
  async type(text) {
    await this.page.locator("canvas").focus();
    await this.page.keyboard.type(text);
  }

  /** Waits until the session had everything that was typed. */
  async delivered() {
    await this.until(() => {
      const { inputSent, inputAcked } = window.greenroom.stats();
      return inputAcked === inputSent;
    });
  }

  /** The words of the card, "" when there is none. */
  async card() {
    const card = this.page.locator("#card");
    return (await card.isVisible()) ? card.innerText() : "";
  }

  async screenshot(name) {
    await mkdir(OUT, { recursive: true });
    const path = join(OUT, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }

  close() {
    return this.page.context().close();
  }
}
