/** The small bar at the upper edge of the page, and the figures it shows. */

import { Figures } from "./figures.ts";
import type { Stats } from "./messages.ts";
import { text } from "./text.ts";

/** What the bar's buttons do beyond the page itself. */
export interface Owner {
  /** Gives the session the keyboard. */
  focus(): void;
  /** Has a device without a keyboard show one. */
  summonKeyboard(): void;
}

/** Not in every browser, and in TypeScript's library in none. */
type Keyboard = { lock(): Promise<void> };

export class Toolbar {
  readonly #bar: HTMLElement;
  readonly #figures: Figures;

  constructor(bar: HTMLElement, figures: HTMLElement, owner: Owner) {
    this.#bar = bar;
    this.#figures = new Figures(figures);
    bar.setAttribute("aria-label", text.tools);
    if (document.fullscreenEnabled) {
      const button = this.#button("full-screen", text.fullScreen, () => {
        void toggleFullScreen();
        owner.focus();
      });
      document.addEventListener("fullscreenchange", () => press(button, document.fullscreenElement !== null));
    }
    if (matchMedia("(any-pointer: coarse)").matches) {
      this.#button("keyboard", text.keyboard, () => owner.summonKeyboard());
    }
    const button = this.#button("figures", text.figures, () => {
      press(button, this.#figures.toggle());
      owner.focus();
    });
  }

  /** There is a session to have tools for, or none. */
  show(shown: boolean): void {
    this.#bar.hidden = !shown;
    this.#figures.hide(!shown);
  }

  /** The figures have changed. */
  update(stats: Stats): void {
    this.#figures.update(stats);
  }

  #button(name: string, label: string, then: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.tool = name;
    button.textContent = label;
    button.addEventListener("click", then);
    this.#bar.append(button);
    return button;
  }
}

function press(button: HTMLButtonElement, pressed: boolean): void {
  button.setAttribute("aria-pressed", String(pressed));
}

async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
    } else {
      await document.documentElement.requestFullscreen();
      // Escape and the like are the session's then, where the browser gives them away.
      await (navigator as Navigator & { keyboard?: Keyboard }).keyboard?.lock();
    }
  } catch (error) {
    console.info("no full screen", error);
  }
}
