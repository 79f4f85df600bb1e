/** What is counted, for a person to read. */

import type { Stats } from "./messages.ts";
import { text } from "./text.ts";

/** Between two looks at what comes a second. */
const LOOK_EVERY = 1000;

export class Figures {
  readonly #list: HTMLElement;
  #wanted = false;
  #without = true;
  #latest: Stats | null = null;
  #seen = { bytes: 0, at: 0 };
  #timer = 0;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** Shows them, or not any more; answers which. */
  toggle(): boolean {
    this.#wanted = !this.#wanted;
    this.#settle();
    return this.#wanted;
  }

  /** There is nothing to count. */
  hide(without: boolean): void {
    this.#without = without;
    this.#settle();
  }

  update(stats: Stats): void {
    this.#latest = stats;
  }

  #settle(): void {
    const shown = this.#wanted && !this.#without;
    this.#list.hidden = !shown;
    clearInterval(this.#timer);
    if (shown) {
      this.#draw();
      this.#timer = setInterval(() => this.#draw(), LOOK_EVERY);
    }
  }

  #draw(): void {
    const stats = this.#latest;
    if (stats === null) {
      return;
    }
    const now = performance.now();
    const rate = (1000 * Math.max(stats.bytesDown - this.#seen.bytes, 0)) / (now - this.#seen.at);
    this.#seen = { bytes: stats.bytesDown, at: now };
    const rows = describe(stats, rate).flatMap(([name, value]) => [cell("dt", name), cell("dd", value)]);
    this.#list.replaceChildren(...rows);
  }
}

/** Each figure's name and value. */
export function describe(stats: Stats, rate: number): [string, string][] {
  const sorted = [...stats.inputToPicture].sort((a, b) => a - b);
  const at = (part: number) => milliseconds(sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)]);
  return [
    [text.roundTrip, milliseconds(stats.rtt ?? undefined)],
    [`${text.clickToPicture} (${text.half})`, at(0.5)],
    [`${text.clickToPicture} (${text.nineteenInTwenty})`, at(0.95)],
    [text.pictureSize, `${stats.width} × ${stats.height}`],
    [text.received, `${bytes(stats.bytesDown)}, ${bytes(rate)} ${text.perSecond}`],
    [text.updates, String(stats.updates)],
    [text.reconnects, String(stats.reconnects)],
    [text.wrong, String(stats.hashMismatches + stats.refusedUnits)],
  ];
}

function milliseconds(time: number | undefined): string {
  return time === undefined ? "–" : `${time.toFixed(time < 10 ? 1 : 0)} ms`;
}

function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB"];
  const unit = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  const value = count / 1000 ** unit;
  return `${value.toFixed(unit > 0 && value < 10 ? 1 : 0)} ${units[unit] ?? ""}`;
}

function cell(kind: "dt" | "dd", words: string): HTMLElement {
  const cell = document.createElement(kind);
  cell.textContent = words;
  return cell;
}
