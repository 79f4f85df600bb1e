/**
 * A Greenroom session in an element of a page.
 *
 *     const session = createSession({ ticket, element });
 *     session.addEventListener("connected", ({ detail }) => console.log(detail.persistentId));
 *
 * | event | `detail` | when |
 * |---|---|---|
 * | `connected` | {@link Connected} | the gateway let the player in, for the first time and after every interruption |
 * | `disconnected` | {@link Disconnected} | the connection was lost; the session comes back by itself |
 * | `error` | {@link Disconnected} | the connection ended for good |
 * | `stats` | {@link Stats} | a figure changed |
 */

import { PageClipboard } from "./clipboard.ts";
import { Composer } from "./composer.ts";
import { listen } from "./controls.ts";
import { mayReturn, type Farewell, type State } from "./link.ts";
import type { FromWorker, Stats, ToWorker } from "./messages.ts";
import { Pointer } from "./pointer.ts";
import type { Credential, Deed, Rights, Size } from "./protocol.ts";
import { PageSurface } from "./surface.ts";

/** Replaced at build time by where the worker and the decoder lie. */
declare const WORKER_URL: string;
declare const TILES_URL: string;

const RESIZE_PAUSE = 120;

export interface Options {
  /** Where the session is shown; it decides the session's size, if the viewer may. */
  element: HTMLElement;
  /** What to come in with: a ticket, or the token of an earlier {@link Connected}. */
  ticket?: string;
  resume?: string;
  /** What a screen reader says of the picture. */
  label?: string;
}

export interface Connected {
  persistentId: string;
  title: string;
  rights: Rights;
  /** What `createSession` can come back with, until the user's hold on the session ends. */
  resume: string;
}

export interface Disconnected extends Farewell {
  /** Whether another session with the resume token has a chance. */
  mayReturn: boolean;
}

export type { State, Stats };

const NOTHING: Stats = {
  rtt: null,
  reconnects: 0,
  bytesDown: 0,
  bytesUp: 0,
  inputSent: 0,
  inputAcked: 0,
  updates: 0,
  lastUpdate: 0,
  width: 0,
  height: 0,
  hashMismatches: 0,
  refusedUnits: 0,
  inputToPicture: [],
  firstPicture: null,
};

export class Session extends EventTarget {
  readonly canvas: HTMLCanvasElement;
  readonly #element: HTMLElement;
  readonly #worker: Worker;
  readonly #stop = new AbortController();
  readonly #clipboard: PageClipboard;
  readonly #composer: Composer;
  readonly #pointer: Pointer;
  #surface: PageSurface | null = null;
  #state: State = "connecting";
  #rights: Rights | null = null;
  #stats: Stats = NOTHING;
  #hashes = new Map<number, (hash: string | null) => void>();
  #asked = 0;
  #resizeTimer = 0;
  #size: Size | null;

  constructor(options: Options, credential: Credential) {
    super();
    this.#element = options.element;
    this.canvas = makeCanvas(options.label ?? "");
    const owner = {
      did: (deed: Deed, at: number) => this.#did(deed, at),
      picture: () => this.#stats,
      paste: (data: DataTransfer) => this.#clipboard.paste(data),
      leave: () => this.#composer.field.blur(),
    };
    this.#composer = new Composer(this.canvas, options.label ?? "", owner, this.#stop.signal);
    this.#pointer = new Pointer(this.canvas);
    this.#element.append(this.canvas, this.#composer.field);
    this.#size = measure(this.#element);
    this.#worker = new Worker(WORKER_URL, { type: "module", name: "greenroom" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#on(data);
    this.#worker.onerror = (event) => this.#fail(event.message);
    this.#startWorker(credential);
    this.#clipboard = new PageClipboard((message) => this.#post(message), this.#stop.signal);
    listen(this.canvas, this.#composer.field, owner, this.#stop.signal);
    this.#watchSurroundings();
  }

  get state(): State {
    return this.#state;
  }

  /** What has the keyboard while the session has it. */
  get field(): HTMLElement {
    return this.#composer.field;
  }

  /** Gives the session the keyboard. */
  focus(): void {
    this.#composer.field.focus({ preventScroll: true });
  }

  /** Gives it the keyboard, and has devices without one show theirs. */
  summonKeyboard(): void {
    this.#composer.summon();
  }

  /** What is counted; a snapshot. */
  get stats(): Stats {
    return this.#stats;
  }

  /** The hash of the picture, computed anew from all its pixels; `null` while there is none. */
  frameHash(): Promise<string | null> {
    if (this.#stop.signal.aborted) {
      return Promise.resolve(null);
    }
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#hashes.set(id, resolve);
      this.#post({ type: "frameHash", id });
    });
  }

  /** Leaves, and takes the picture away. The session itself runs on. */
  close(): void {
    this.#stop.abort();
    clearTimeout(this.#resizeTimer);
    this.#worker.terminate();
    this.canvas.remove();
    this.#composer.field.remove();
    this.#state = "ended";
    this.#hashes.forEach((resolve) => resolve(null));
    this.#hashes.clear();
  }

  #startWorker(credential: Credential): void {
    const socket = new URL("/gateway/v1/ws", location.origin);
    socket.protocol = socket.protocol.replace("http", "ws");
    const stream = [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0"));
    const canvas = offscreen(this.canvas);
    this.#surface = canvas ? null : new PageSurface(this.canvas);
    this.#post(
      {
        type: "start",
        socketUrl: socket.href,
        aliveUrl: new URL("/gateway/v1/alive", location.origin).href,
        credential,
        stream: stream.join(""),
        size: this.#size,
        canvas,
      },
      canvas ? [canvas] : [],
    );
    // Fetched here, beside the worker's own script rather than after it.
    WebAssembly.compileStreaming(fetch(TILES_URL)).then(
      (module) => this.#post({ type: "decoder", module }),
      (error: unknown) => this.#fail(String(error)),
    );
  }

  #watchSurroundings(): void {
    const { signal } = this.#stop;
    const wake = () => document.visibilityState === "visible" && this.#post({ type: "wake" });
    document.addEventListener("visibilitychange", wake, { signal });
    addEventListener("online", wake, { signal });
    addEventListener("pageshow", wake, { signal });
    const observer = new ResizeObserver(() => this.#onResize());
    observer.observe(this.#element);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  /** Asks for the new size once the window has come to rest: every size costs the app a layout. */
  #onResize(): void {
    this.#fit();
    clearTimeout(this.#resizeTimer);
    this.#resizeTimer = setTimeout(() => {
      const size = measure(this.#element);
      if (size && !same(size, this.#size)) {
        this.#size = size;
        this.#post({ type: "resize", size });
      }
    }, RESIZE_PAUSE);
  }

  #did(deed: Deed, at: number): void {
    if (this.#rights?.input !== false) {
      this.#post({ type: "input", deed, at: performance.timeOrigin + at });
    }
  }

  #on(message: FromWorker): void {
    switch (message.type) {
      case "state":
        this.#onState(message.state, message.farewell);
        break;
      case "welcome": {
        const { persistentId, title, rights, resume } = message;
        this.#rights = rights;
        this.#dispatch("connected", { persistentId, title, rights, resume } satisfies Connected);
        break;
      }
      case "copied":
        this.#clipboard.copied(message.contents);
        break;
      case "stats":
        this.#onStats(message.stats);
        break;
      case "pointer":
        this.#pointer.shape(message.name);
        break;
      case "pointerImage":
        this.#pointer.image(message.image);
        break;
      case "textField":
        this.#composer.follow(message, this.#stats);
        break;
      case "frameHash":
        this.#hashes.get(message.id)?.(message.hash);
        this.#hashes.delete(message.id);
        break;
      case "paint":
        this.#surface?.draw(message.width, message.height, message.patches);
        this.#post({ type: "painted", update: message.update });
        break;
      case "broken":
        this.#fail(message.message);
        break;
    }
  }

  #onState(state: State, farewell: Farewell | null): void {
    this.#state = state;
    if (farewell) {
      const detail: Disconnected = { ...farewell, mayReturn: mayReturn(farewell) };
      this.#dispatch(state === "ended" ? "error" : "disconnected", detail);
    }
  }

  #onStats(stats: Stats): void {
    const resized = stats.width !== this.#stats.width || stats.height !== this.#stats.height;
    this.#stats = stats;
    if (resized) {
      this.#fit();
    }
    this.#dispatch("stats", stats);
  }

  /** Shows the picture pixel for pixel where it fits, else as large as it does fit. */
  #fit(): void {
    const { width, height } = this.#stats;
    if (width === 0) {
      return;
    }
    const box = this.#element.getBoundingClientRect();
    const [exactWidth, exactHeight] = [width / devicePixelRatio, height / devicePixelRatio];
    // Half a pixel of rounding is no reason to blur everything.
    const room = Math.min((box.width + 0.5) / exactWidth, (box.height + 0.5) / exactHeight, 1);
    this.canvas.style.width = `${exactWidth * room}px`;
    this.canvas.style.height = `${exactHeight * room}px`;
  }

  #fail(message: string): void {
    this.#worker.terminate();
    this.#state = "ended";
    this.#dispatch("error", { code: "player.broken", message, mayReturn: true } satisfies Disconnected);
  }

  #dispatch(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/** Shows a session in an element. */
export function createSession(options: Options): Session {
  if (options.ticket !== undefined) {
    return new Session(options, { ticket: options.ticket });
  }
  if (options.resume !== undefined) {
    return new Session(options, { resume: options.resume });
  }
  throw new TypeError("createSession needs a ticket or a resume token");
}

function makeCanvas(label: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.className = "greenroom-picture";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  // The keyboard is the text field's; whoever gives it to the picture means that.
  canvas.tabIndex = -1;
  // No picture yet is nothing to see, rather than the browser's 300 by 150 of black.
  canvas.width = canvas.height = 1;
  return canvas;
}

function offscreen(canvas: HTMLCanvasElement): OffscreenCanvas | null {
  // Browsers had OffscreenCanvas for 3D before they had it for 2D.
  const able = "transferControlToOffscreen" in canvas && typeof OffscreenCanvas === "function";
  return able && new OffscreenCanvas(1, 1).getContext("2d") ? canvas.transferControlToOffscreen() : null;
}

/** The element's size in device pixels; `null` while it has none. */
function measure(element: HTMLElement): Size | null {
  const { width, height } = element.getBoundingClientRect();
  const size = {
    width: Math.round(width * devicePixelRatio),
    height: Math.round(height * devicePixelRatio),
    scale120: Math.round(devicePixelRatio * 120),
  };
  return size.width > 0 && size.height > 0 ? size : null;
}

function same(a: Size, b: Size | null): boolean {
  return b !== null && a.width === b.width && a.height === b.height && a.scale120 === b.scale120;
}
