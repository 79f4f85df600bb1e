/** What the page says around the picture: a card while there is no session to see, a small note during interruptions. */

import { text } from "./text.ts";

/** Shorter interruptions than this are not worth a word. */
const NOTE_AFTER = 400;
const NOTE_FOR = 4000;

export class View {
  readonly #card = element("card");
  readonly #title = element("card-title");
  readonly #detail = element("card-detail");
  readonly #retry = element("retry") as HTMLButtonElement;
  readonly #note = element("note");
  #noteTimer = 0;

  constructor(onRetry: () => void) {
    this.#retry.textContent = text.retry;
    this.#retry.addEventListener("click", onRetry);
  }

  /** There is a session to see. */
  session(title: string): void {
    document.title = title ? `${title} · ${text.product}` : text.product;
    this.#card.hidden = true;
    this.#clearNote();
  }

  /** There will be one. */
  busy(title: string, detail: string): void {
    this.#show("busy", title, detail);
    this.#retry.hidden = true;
  }

  /** There is none. */
  stopped(title: string, detail: string, mayRetry: boolean): void {
    this.#clearNote();
    this.#show("stopped", title, detail);
    this.#retry.hidden = !mayRetry;
    if (mayRetry) {
      this.#retry.focus();
    }
  }

  /** An interruption is over. */
  back(): void {
    if (this.#note.dataset.kind !== "plain") {
      this.#clearNote();
    }
  }

  /** The picture stays while the connection is made anew. */
  interrupted(): void {
    if (this.#card.hidden && this.#noteTimer === 0 && this.#note.hidden) {
      this.#noteTimer = setTimeout(() => this.#showNote(text.reconnecting, true), NOTE_AFTER);
    }
  }

  /** Says something in passing. */
  mention(words: string): void {
    this.#clearNote();
    this.#showNote(words, false);
    this.#noteTimer = setTimeout(() => this.#clearNote(), NOTE_FOR);
  }

  #show(kind: "busy" | "stopped", title: string, detail: string): void {
    this.#card.dataset.kind = kind;
    this.#title.textContent = title;
    this.#detail.textContent = detail;
    this.#card.hidden = false;
  }

  #showNote(words: string, busy: boolean): void {
    this.#note.textContent = words;
    this.#note.dataset.kind = busy ? "busy" : "plain";
    this.#note.hidden = false;
  }

  #clearNote(): void {
    clearTimeout(this.#noteTimer);
    this.#noteTimer = 0;
    this.#note.hidden = true;
  }
}

/** An element that the page has. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}
