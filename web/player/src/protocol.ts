/**
 * The viewer protocol, the player's half; `crates/gateway/src/protocol.rs` is the other and has the
 * table of messages. Every message is one binary WebSocket message whose first byte is its class.
 */

export const VERSION = 1;

/** The longest message the gateway takes. */
const MAX_UP = 64 * 1024;
const HAVE_HEADER = 9;
/** The most tiles a `have` can name; a larger picture is announced as none. */
export const MAX_HAVE_TILES = Math.floor((MAX_UP - HAVE_HEADER) / 8);
/** The most events one input message can carry. */
export const MAX_EVENTS = 256;

const CONTROL = 1;
const INPUT = 2;
const ACK = 3;
const HAVE = 4;
const INPUT_ACK = 2;
const UNIT = 16;

/** Classes of units, as in `session-api`. */
export const Class = { Display: 1, Audio: 2, Cursor: 3, Clipboard: 4, File: 5 } as const;

export interface Size {
  /** Device pixels. */
  width: number;
  height: number;
  /** The device pixel ratio in 1/120. */
  scale120: number;
}

/** A message to the gateway. */
export type Message = Uint8Array<ArrayBuffer>;

export type Credential = { ticket: string } | { resume: string };

export type Deed =
  | { type: "key"; code: string; key: string; location: number; modifiers: number; down: boolean }
  | { type: "motion"; x: number; y: number }
  | { type: "button"; button: number; down: boolean }
  | { type: "wheel"; dx: number; dy: number }
  | { type: "release" };

/** What a person did, when, and as which event of the stream. */
export type InputEvent = Deed & { seq: number; at: number };

export interface Rights {
  input: boolean;
  controller: boolean;
  audio: boolean;
  clipboardOut: boolean;
  clipboardIn: boolean;
  filesOut: boolean;
}

export interface Welcome {
  type: "welcome";
  version: number;
  resume: string;
  persistentId: string;
  title: string;
  rights: Rights;
}

export interface Bye {
  type: "bye";
  code: string;
  message: string;
  retry: boolean;
}

export type Control = Welcome | Bye | { type: "resync" } | { type: "pong"; at: number };

export type Down =
  | { kind: "control"; control: Control }
  | { kind: "inputAck"; seq: number }
  | { kind: "unit"; class: number; bytes: Uint8Array }
  /** Something of a newer gateway, or nothing sensible: skipped. */
  | { kind: "unknown" };

export function hello(credential: Credential, stream: bigint, size: Size | null): Message {
  return json(CONTROL, {
    type: "hello",
    version: VERSION,
    ...credential,
    stream: stream.toString(16).padStart(16, "0"),
    ...(size && { size }),
  });
}

export function resize(size: Size): Message {
  return json(CONTROL, { type: "resize", ...size });
}

export function ping(at: number): Message {
  return json(CONTROL, { type: "ping", at });
}

export function input(events: readonly InputEvent[]): Message {
  return json(INPUT, events);
}

export function ack(update: bigint): Message {
  const message = new Uint8Array(9);
  message[0] = ACK;
  new DataView(message.buffer).setBigUint64(1, update, true);
  return message;
}

/** What the player holds; a picture of too many tiles to name is as good as none. */
export function have(width: number, height: number, tiles: BigUint64Array): Message {
  const named = tiles.length <= MAX_HAVE_TILES ? tiles : new BigUint64Array();
  const message = new Uint8Array(HAVE_HEADER + 8 * named.length);
  const view = new DataView(message.buffer);
  message[0] = HAVE;
  if (named.length > 0) {
    view.setUint32(1, width, true);
    view.setUint32(5, height, true);
    named.forEach((hash, index) => view.setBigUint64(HAVE_HEADER + 8 * index, hash, true));
  }
  return message;
}

export function parse(message: ArrayBuffer): Down {
  const bytes = new Uint8Array(message);
  const cls = bytes[0];
  if (cls === CONTROL) {
    return control(bytes.subarray(1));
  }
  if (cls === INPUT_ACK && bytes.length === 9) {
    return { kind: "inputAck", seq: Number(new DataView(message).getBigUint64(1, true)) };
  }
  if (cls !== undefined && cls > UNIT) {
    return { kind: "unit", class: cls - UNIT, bytes: bytes.subarray(1) };
  }
  return { kind: "unknown" };
}

function control(payload: Uint8Array): Down {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return { kind: "unknown" };
  }
  return isControl(value) ? { kind: "control", control: value } : { kind: "unknown" };
}

function isControl(value: unknown): value is Control {
  if (typeof value !== "object" || value === null || !("type" in value)) {
    return false;
  }
  const it = value as Record<string, unknown>;
  const text = (...names: string[]) => names.every((name) => typeof it[name] === "string");
  switch (it.type) {
    case "welcome":
      return text("resume", "persistentId", "title") && typeof it.rights === "object" && it.rights !== null;
    case "bye":
      return text("code", "message") && typeof it.retry === "boolean";
    case "pong":
      return typeof it.at === "number";
    case "resync":
      return true;
    default:
      return false;
  }
}

function json(cls: number, value: unknown): Message {
  const payload = new TextEncoder().encode(JSON.stringify(value));
  const message = new Uint8Array(1 + payload.length);
  message[0] = cls;
  message.set(payload, 1);
  return message;
}
