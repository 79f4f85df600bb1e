/**
 * The viewer protocol, the player's half; `crates/gateway/src/protocol.rs` is the other and has the
 * table of messages. Every message is one binary WebSocket message whose first byte is its class.
 */

export const VERSION = 1;

/** The highest version of units that the decoder draws: `VERSION` in `crates/tiles/src/unit.rs`. */
export const UNITS = 2;

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
const COPIED = 5;
const INPUT_ACK = 2;
const POINTER_IMAGE = 3;
const POINTER_HEADER = 21;
const UNIT = 16;

/** Classes of units, as in `session-api`. */
export const Class = { Display: 1, Audio: 2, Cursor: 3, Clipboard: 4, File: 5 } as const;

/** The forms of what is copied, in the order of their numbers, which begin with 1. */
export const FORMS = ["text/plain", "text/html", "image/png"] as const;
export type Form = (typeof FORMS)[number];

/** The most bytes of everything that is copied at once, and of a part of it. */
export const MAX_COPIED = 8 * 1024 * 1024;
export const MAX_PART = 32 * 1024;
const PART_HEADER = 13;

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
  | { type: "touch"; id: number; phase: "down" | "motion" | "up" | "cancel"; x: number; y: number }
  /** `preeditCaret` in bytes of the text in UTF-8. */
  | { type: "text"; commit: string; preedit: string; preeditCaret: number }
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

/** Something was copied; it is asked for part by part. */
export interface Copied {
  type: "copied";
  serial: number;
  contents: { kind: Form; bytes: number }[];
}

/** Asks for a part of what the other side has copied. */
export interface ReadCopied {
  type: "readCopied";
  serial: number;
  kind: Form;
  offset: number;
}

/** A part of what was copied; none of it is left when it has no bytes. */
export type CopiedPart = Omit<ReadCopied, "type"> & { bytes: Uint8Array };

/** Where the app takes text, in pixels of the picture. */
export interface TextField {
  type: "textField";
  wanted: boolean;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The app's own pointer; without pixels it has none. */
export interface PointerImage {
  width: number;
  height: number;
  hotspotX: number;
  hotspotY: number;
  /** Pixels of the image for each of the session's at scale 1, in 1/120. */
  scale120: number;
  /** `R G B A` of each pixel, alpha not multiplied in. */
  rgba: ArrayBuffer;
}

export type Control =
  | Welcome
  | Bye
  | Copied
  | ReadCopied
  | TextField
  | { type: "pointer"; name: string }
  | { type: "resync" }
  | { type: "pong"; at: number };

export type Down =
  | { kind: "control"; control: Control }
  | { kind: "inputAck"; seq: number }
  | { kind: "pointerImage"; image: PointerImage }
  | { kind: "unit"; class: number; bytes: Uint8Array }
  /** Something of a newer gateway, or nothing sensible: skipped. */
  | { kind: "unknown" };

export function hello(credential: Credential, stream: bigint, size: Size | null): Message {
  return json(CONTROL, {
    type: "hello",
    version: VERSION,
    ...credential,
    stream: stream.toString(16).padStart(16, "0"),
    units: UNITS,
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

export function wantCopied(on: boolean): Message {
  return json(CONTROL, { type: "wantCopied", on });
}

export function copied(serial: number, contents: Copied["contents"]): Message {
  return json(CONTROL, { type: "copied", serial, contents } satisfies Copied);
}

export function readCopied(serial: number, kind: Form, offset: number): Message {
  return json(CONTROL, { type: "readCopied", serial, kind, offset } satisfies ReadCopied);
}

export function copiedPart(part: CopiedPart): Message {
  const message = new Uint8Array(1 + PART_HEADER + part.bytes.length);
  const view = new DataView(message.buffer);
  message[0] = COPIED;
  view.setBigUint64(1, BigInt(part.serial), true);
  message[9] = 1 + FORMS.indexOf(part.kind);
  view.setUint32(10, part.offset, true);
  message.set(part.bytes, 1 + PART_HEADER);
  return message;
}

/** Reads what a unit of the clipboard carries; `null` for what is none. */
export function parsePart(unit: Uint8Array): CopiedPart | null {
  const kind = FORMS[(unit[8] ?? 0) - 1];
  if (unit.length < PART_HEADER || kind === undefined) {
    return null;
  }
  const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
  return {
    serial: Number(view.getBigUint64(0, true)),
    kind,
    offset: view.getUint32(9, true),
    bytes: unit.subarray(PART_HEADER),
  };
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
  if (cls === POINTER_IMAGE) {
    return pointerImage(message);
  }
  if (cls !== undefined && cls > UNIT) {
    return { kind: "unit", class: cls - UNIT, bytes: bytes.subarray(1) };
  }
  return { kind: "unknown" };
}

function pointerImage(message: ArrayBuffer): Down {
  if (message.byteLength < POINTER_HEADER) {
    return { kind: "unknown" };
  }
  const view = new DataView(message);
  const [width, height, scale120] = [1, 5, 17].map((at) => view.getUint32(at, true)) as [number, number, number];
  const [hotspotX, hotspotY] = [9, 13].map((at) => view.getInt32(at, true)) as [number, number];
  const rgba = message.slice(POINTER_HEADER);
  if (rgba.byteLength !== 4 * width * height) {
    return { kind: "unknown" };
  }
  return { kind: "pointerImage", image: { width, height, hotspotX, hotspotY, scale120, rgba } };
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
    case "pointer":
      return text("name");
    case "textField":
      return typeof it.wanted === "boolean" && ["x", "y", "width", "height"].every((name) => typeof it[name] === "number");
    case "resync":
      return true;
    case "copied":
      return typeof it.serial === "number" && Array.isArray(it.contents) && it.contents.every(isContent);
    case "readCopied":
      return typeof it.serial === "number" && isForm(it.kind) && typeof it.offset === "number";
    default:
      return false;
  }
}

function isContent(value: unknown): value is Copied["contents"][number] {
  const it = (typeof value === "object" && value) || {};
  return "kind" in it && isForm(it.kind) && "bytes" in it && typeof it.bytes === "number";
}

function isForm(value: unknown): value is Form {
  return (FORMS as readonly unknown[]).includes(value);
}

function json(cls: number, value: unknown): Message {
  const payload = new TextEncoder().encode(JSON.stringify(value));
  const message = new Uint8Array(1 + payload.length);
  message[0] = cls;
  message.set(payload, 1);
  return message;
}
