/**
 * Where a person's text comes together: a field that is not to be seen and has the keyboard. What an input method, a dead
 * key or a screen keyboard makes of keys arrives in it; keys themselves are told as keys, by `controls.ts`.
 *
 * The field stands where the app has its caret, so that an input method opens its list there. Where the app
 * says nothing of a caret, it shows by itself what is being composed.
 */

import { composing, texts } from "./deeds.ts";
import type { Deed, TextField } from "./protocol.ts";

export interface Owner {
  /** Something was done, `at` milliseconds after the page's time origin. */
  did(deed: Deed, at: number): void;
}

export class Composer {
  readonly field: HTMLTextAreaElement;
  readonly #picture: HTMLElement;
  #app: TextField | null = null;
  #inset = { x: 0, y: 0, height: 0 };
  /** Tells of the latest state of a composition. */
  #teller = 0;

  constructor(picture: HTMLElement, label: string, owner: Owner, signal: AbortSignal) {
    this.#picture = picture;
    this.field = makeField(label);
    const did = (deeds: Deed[], event: Event) => deeds.forEach((deed) => owner.did(deed, event.timeStamp));
    const on = <K extends keyof HTMLElementEventMap>(type: K, then: (event: HTMLElementEventMap[K]) => void) =>
      this.field.addEventListener(type, then, { signal });
    on("compositionstart", () => this.#show(true));
    on("compositionupdate", (event) => {
      // Its last state is told of right before its end, and some apps drop what follows upon another so soon.
      clearTimeout(this.#teller);
      this.#teller = setTimeout(() => did([composing(event.data)], event));
    });
    on("compositionend", (event) => {
      clearTimeout(this.#teller);
      this.#clear();
      // An empty text takes what was being composed back.
      did(event.data ? texts(event.data) : [composing("")], event);
    });
    on("input", (event) => {
      // Without a composition: a screen keyboard, a list of emoji, dictation.
      if (!(event as InputEvent).isComposing) {
        const text = this.field.value;
        this.#clear();
        did(texts(text), event);
      }
    });
    this.#show(false);
  }

  /** The app's caret; without one the field shows what is composed. */
  follow(app: TextField, picture: { width: number; height: number }): void {
    this.#app = app.wanted ? app : null;
    // Screen keyboards come up where text is wanted, and are asked for otherwise.
    this.field.inputMode = app.wanted ? "text" : "none";
    const box = this.#picture.getBoundingClientRect();
    const [across, down] = [box.width / Math.max(picture.width, 1), box.height / Math.max(picture.height, 1)];
    this.#inset = { x: app.x * across, y: app.y * down, height: app.height * down };
    this.#place();
  }

  /** Takes the keyboard, on devices without one as well. */
  summon(): void {
    this.field.inputMode = "text";
    this.field.blur();
    this.field.focus({ preventScroll: true });
  }

  #clear(): void {
    this.field.value = "";
    this.#show(false);
  }

  #show(composing: boolean): void {
    this.field.style.opacity = composing && this.#app === null ? "1" : "0";
    this.#place();
  }

  #place(): void {
    const box = this.#picture.getBoundingClientRect();
    const { style } = this.field;
    const height = this.#app ? this.#inset.height : 0;
    style.left = `${box.left + (this.#app ? this.#inset.x : 8)}px`;
    style.top = `${this.#app ? box.top + this.#inset.y : box.bottom - 40}px`;
    style.height = `${Math.max(height, 24)}px`;
  }
}

function makeField(label: string): HTMLTextAreaElement {
  const field = document.createElement("textarea");
  field.className = "greenroom-text";
  field.setAttribute("aria-label", label);
  field.setAttribute("autocapitalize", "off");
  field.setAttribute("autocorrect", "off");
  field.autocomplete = "off";
  field.spellcheck = false;
  field.inputMode = "none";
  field.rows = 1;
  Object.assign(field.style, {
    position: "fixed",
    width: "20em",
    maxWidth: "50vw",
    padding: "2px 6px",
    border: "0",
    borderRadius: "4px",
    outline: "none",
    resize: "none",
    overflow: "hidden",
    whiteSpace: "pre",
    font: "16px/1.25 system-ui, sans-serif",
    color: "#111",
    background: "#fff",
    caretColor: "transparent",
    // It is where the keyboard is, never where the pointer is.
    pointerEvents: "none",
  } satisfies Partial<CSSStyleDeclaration>);
  return field;
}
