/**
 * The player's engine, off the page's thread: connection, decoding and drawing are in one place, so an
 * update goes from the network to the canvas and its acknowledgement back without waiting for a page.
 */

import { Copying } from "./copying.ts";
import { Link, type Farewell, type State, type World } from "./link.ts";
import type { FromWorker, Start, Stats, ToWorker } from "./messages.ts";
import { Picture, type Update } from "./picture.ts";
import { Class, parsePart, type Deed, type Welcome } from "./protocol.ts";
import { WorkerSurface, patches } from "./surface.ts";

const ALIVE_LIMIT = 1500;
const MAX_SAMPLES = 512;
/** A picture that is wrong is asked for again, but not faster than this. */
const REPAIR_EVERY = 500;

/** What is used of `DedicatedWorkerGlobalScope`, whose type cannot be had beside the page's. */
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}
const scope = self as unknown as Scope;

/** Counts from the epoch but never jumps; the page's events are on the same clock. */
const epochNow = () => performance.timeOrigin + performance.now();

class Engine {
  readonly #link: Link;
  readonly #copying: Copying;
  readonly #surface: WorkerSurface | null;
  readonly #startedAt = performance.now();
  #picture: Picture | null = null;
  /** Units that came before the decoder was ready. */
  #early: Uint8Array[] = [];
  #repairedAt = -Infinity;
  #repairTimer: number | null = null;
  #wrongInARow = 0;
  /** When each event happened that no picture has shown yet. */
  #unseen: { seq: number; at: number }[] = [];
  #updates = 0;
  #lastUpdate = 0;
  #hashMismatches = 0;
  #refusedUnits = 0;
  #inputToPicture: number[] = [];
  #firstPicture: number | null = null;

  constructor(start: Start) {
    this.#surface = start.canvas && new WorkerSurface(start.canvas);
    this.#link = new Link(
      world(start),
      {
        onState: (state, farewell) => this.#onState(state, farewell),
        onWelcome: (welcome) => this.#onWelcome(welcome),
        onUnit: (cls, bytes) => this.#onUnit(cls, bytes),
        onCopying: (control) => this.#copying.on(control),
        onPointer: (name) => scope.postMessage({ type: "pointer", name }),
        onPointerImage: (image) => scope.postMessage({ type: "pointerImage", image }, [image.rgba]),
        onTextField: (field) => scope.postMessage(field),
        have: () => this.#have(),
        onFigures: () => this.#postStats(),
      },
      BigInt(`0x${start.stream}`),
      start.credential,
      start.size,
    );
    this.#copying = new Copying(
      (message) => this.#link.tell(message),
      (contents) => scope.postMessage({ type: "copied", contents }),
    );
    this.#link.start();
  }

  on(message: Exclude<ToWorker, Start>): void {
    switch (message.type) {
      case "input":
        this.#input(message.deed, message.at);
        break;
      case "resize":
        this.#link.resize(message.size);
        break;
      case "wake":
        this.#link.wake();
        break;
      case "want":
        this.#copying.want(message.on);
        break;
      case "give":
        this.#copying.give(message.contents);
        break;
      case "decoder":
        void Picture.load(message.module).then((picture) => this.#onPicture(picture), broken);
        break;
      case "frameHash":
        scope.postMessage({ type: "frameHash", id: message.id, hash: this.#picture?.frameHash() ?? null });
        break;
      case "painted":
        this.#composed(message.update);
        break;
    }
  }

  #input(deed: Deed, at: number): void {
    const event = this.#link.input(deed, at);
    if (event) {
      this.#unseen.push({ seq: event.seq, at });
      if (this.#unseen.length > MAX_SAMPLES) {
        this.#unseen.shift();
      }
    }
  }

  #onState(state: State, farewell: Farewell | null): void {
    // First, so that who hears of the state finds figures that go with it.
    this.#postStats();
    scope.postMessage({ type: "state", state, farewell });
  }

  #onWelcome({ resume, persistentId, title, rights }: Welcome): void {
    // Before the input that waits, so that a paste finds what is pasted.
    this.#copying.welcome(rights);
    scope.postMessage({ type: "welcome", resume, persistentId, title, rights });
  }

  #onUnit(cls: number, bytes: Uint8Array): void {
    if (cls === Class.Clipboard) {
      const part = parsePart(bytes);
      if (part) {
        this.#copying.take(part);
      }
      return;
    }
    if (cls !== Class.Display) {
      return;
    }
    if (this.#picture === null) {
      this.#early.push(bytes);
    } else {
      this.#draw(this.#picture, bytes);
    }
  }

  #onPicture(picture: Picture): void {
    this.#picture = picture;
    for (const unit of this.#early) {
      this.#draw(picture, unit);
    }
    this.#early = [];
  }

  #draw(picture: Picture, unit: Uint8Array): void {
    let update;
    try {
      update = picture.apply(unit);
    } catch (error) {
      console.error("a unit was refused", error);
      this.#refusedUnits += 1;
      this.#repair();
      return;
    }
    this.#updates += 1;
    this.#lastUpdate = Number(update.number);
    this.#see(update);
    if (update.exact) {
      this.#wrongInARow = 0;
    } else {
      this.#hashMismatches += 1;
      this.#repair();
    }
    if (this.#surface) {
      this.#surface.draw(picture, update.damage);
      this.#composed(update.number);
    } else {
      const cut = patches(picture, update.damage);
      const { width, height } = picture;
      scope.postMessage(
        { type: "paint", update: update.number, width, height, patches: cut },
        cut.map((patch) => patch.rgba),
      );
    }
  }

  #composed(update: bigint): void {
    this.#link.ack(update);
    this.#firstPicture ??= performance.now() - this.#startedAt;
    this.#postStats();
  }

  /**
   * Notes how long the newest event took that this update shows for the first time. Those before it may
   * have changed nothing to be seen, and would seem to have waited for this one.
   */
  #see(update: Update): void {
    const shown = update.inputs.find((input) => input.stream === this.#link.stream)?.seq ?? 0;
    const first = this.#unseen.findIndex((event) => event.seq > shown);
    const newest = this.#unseen.splice(0, first === -1 ? this.#unseen.length : first).at(-1);
    if (newest) {
      this.#inputToPicture.push(epochNow() - newest.at);
      this.#inputToPicture.splice(0, this.#inputToPicture.length - MAX_SAMPLES);
    }
  }

  /**
   * Asks for what is missing; for everything, if that did not help. Saying what is held also gives the
   * streamer's credit back for a unit that was refused and so is never acknowledged: put off, not dropped.
   */
  #repair(): void {
    this.#wrongInARow += 1;
    if (this.#repairTimer === null) {
      const wait = Math.max(this.#repairedAt + REPAIR_EVERY - performance.now(), 0);
      this.#repairTimer = setTimeout(() => {
        this.#repairTimer = null;
        this.#repairedAt = performance.now();
        this.#link.tellHave();
      }, wait);
    }
  }

  #have(): { width: number; height: number; tiles: BigUint64Array } {
    if (this.#picture === null || this.#wrongInARow > 1) {
      return { width: 0, height: 0, tiles: new BigUint64Array() };
    }
    const { width, height } = this.#picture;
    return { width, height, tiles: this.#picture.tileHashes() };
  }

  #postStats(): void {
    const stats: Stats = {
      ...this.#link.figures,
      updates: this.#updates,
      lastUpdate: this.#lastUpdate,
      width: this.#picture?.width ?? 0,
      height: this.#picture?.height ?? 0,
      hashMismatches: this.#hashMismatches,
      refusedUnits: this.#refusedUnits,
      inputToPicture: this.#inputToPicture,
      firstPicture: this.#firstPicture,
    };
    scope.postMessage({ type: "stats", stats });
  }
}

function broken(error: unknown): void {
  scope.postMessage({ type: "broken", message: String(error) });
}

function world(start: Start): World {
  return {
    connect: () => new WebSocket(start.socketUrl),
    alive: async () => {
      try {
        const signal = AbortSignal.timeout(ALIVE_LIMIT);
        return (await fetch(start.aliveUrl, { cache: "no-store", signal })).ok;
      } catch {
        return false;
      }
    },
    now: () => performance.now(),
    after: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
  };
}

let engine: Engine | null = null;
scope.onmessage = ({ data }) => {
  if (data.type === "start") {
    engine = new Engine(data);
  } else {
    engine?.on(data);
  }
};
