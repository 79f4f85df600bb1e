/** What the page and its worker say to each other. */

import type { Contents } from "./copying.ts";
import type { Farewell, Figures, State } from "./link.ts";
import type { Credential, Deed, PointerImage, Rights, Size, TextField } from "./protocol.ts";

/** How a worker begins. */
export interface Start {
  type: "start";
  /** The gateway's WebSocket and its sign of life. */
  socketUrl: string;
  aliveUrl: string;
  credential: Credential;
  /** The input stream, 16 hexadecimal digits. */
  stream: string;
  size: Size | null;
  /** Where to draw; without it the pixels are sent to the page. */
  canvas: OffscreenCanvas | null;
}

export type ToWorker =
  | Start
  /** `at` counts from the epoch, so that both threads mean the same by it. */
  | { type: "input"; deed: Deed; at: number }
  | { type: "resize"; size: Size }
  | { type: "wake" }
  /** Whether the page can put what is copied in the session on the device's clipboard. */
  | { type: "want"; on: boolean }
  /** The person pastes this. */
  | { type: "give"; contents: Contents }
  /** The decoder, which the page fetches while the worker starts. */
  | { type: "decoder"; module: WebAssembly.Module }
  | { type: "frameHash"; id: number }
  /** The page has drawn the pixels of an update. */
  | { type: "painted"; update: bigint };

/** A rectangle's pixels, for a page that draws them itself. */
export interface Patch {
  x: number;
  y: number;
  width: number;
  height: number;
  rgba: ArrayBuffer;
}

/** What is counted since the page was opened. */
export interface Stats extends Figures {
  /** Updates composed, and the number of the last one. */
  updates: number;
  lastUpdate: number;
  /** The picture's size in pixels. */
  width: number;
  height: number;
  /** Updates after which the picture did not equal the session's. */
  hashMismatches: number;
  /** Units that could not be drawn. */
  refusedUnits: number;
  /** For the latest updates that show an event first: from the newest such event to the picture, in milliseconds. */
  inputToPicture: number[];
  /** From the first connection to the first picture, in milliseconds. */
  firstPicture: number | null;
}

export type FromWorker =
  | { type: "state"; state: State; farewell: Farewell | null }
  | { type: "welcome"; resume: string; persistentId: string; title: string; rights: Rights }
  | { type: "stats"; stats: Stats }
  /** This was copied in the session. */
  | { type: "copied"; contents: Contents }
  | { type: "pointer"; name: string }
  | { type: "pointerImage"; image: PointerImage }
  | TextField
  /** `null` while there is no picture. */
  | { type: "frameHash"; id: number; hash: string | null }
  | { type: "paint"; update: bigint; width: number; height: number; patches: Patch[] }
  /** The player itself is broken, not the connection. */
  | { type: "broken"; message: string };
