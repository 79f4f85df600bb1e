/**
 * The connection to the gateway, from the first hello to the last goodbye: connects, comes back by
 * itself, resends input, notices a dead network. Knows no DOM and no picture: sockets and time are given
 * to it, what it hears is handed on.
 */

import { Outbox } from "./outbox.ts";
import { pause } from "./pace.ts";
import * as protocol from "./protocol.ts";
import type {
  Bye,
  Copied,
  Credential,
  Deed,
  InputEvent,
  Message,
  PointerImage,
  ReadCopied,
  Size,
  TextField,
  Welcome,
} from "./protocol.ts";

const PING_EVERY = 5000;
/** A gateway that answers no ping for this long is out of reach. */
const PONG_LIMIT = 4000;
/** A connection must be open and welcomed within this, or is tried anew. */
const OPEN_LIMIT = 8000;
/** A gateway that said `retry` has a reason to be left alone for a moment. */
const RETRY_PAUSE = 250;

/** The part of a WebSocket that is used. */
export interface Socket {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: Message): void;
  close(): void;
}

/** What the link needs from its surroundings. */
export interface World {
  connect(): Socket;
  /**
   * Whether the gateway is there. Firefox delays WebSockets to where earlier ones failed, by many
   * seconds, but not plain requests; so one of these goes first when coming back (decision 0007).
   */
  alive(): Promise<boolean>;
  /** Milliseconds that only grow. */
  now(): number;
  /** Calls `then` after `ms`; the answer cancels it. */
  after(ms: number, then: () => void): () => void;
  /** From 0 to 1. */
  random(): number;
}

/** What the link tells its owner. */
export interface Listener {
  onState(state: State, bye: Farewell | null): void;
  onWelcome(welcome: Welcome): void;
  onUnit(cls: number, bytes: Uint8Array): void;
  /** Something was copied in the session, or the session asks for what was copied here. */
  onCopying(control: Copied | ReadCopied): void;
  onPointer(name: string): void;
  onPointerImage(image: PointerImage): void;
  onTextField(field: TextField): void;
  /** The gateway asks what the player holds; also before each hello. */
  have(): { width: number; height: number; tiles: BigUint64Array };
  /** Something of the figures changed. */
  onFigures(): void;
}

export type State = "connecting" | "connected" | "reconnecting" | "ended";

/** Why a connection ended; `lost` when nobody said. */
export type Farewell = Pick<Bye, "code" | "message">;

export interface Figures {
  rtt: number | null;
  reconnects: number;
  bytesDown: number;
  bytesUp: number;
  inputSent: number;
  inputAcked: number;
}

const LOST: Farewell = { code: "lost", message: "" };
/** After these no token opens the session any more. */
const FINAL = ["ticket.", "binding.", "not.authorized", "session.deleted"];

export class Link {
  readonly #world: World;
  readonly #listener: Listener;
  readonly #stream: bigint;
  readonly #outbox = new Outbox();
  #credential: Credential;
  #size: Size | null;
  #state: State = "connecting";
  #socket: Socket | null = null;
  #bye: Bye | null = null;
  #attempt = 0;
  #lostAt: number | null = null;
  #heardAt = 0;
  #cancelTimer: () => void = () => {};
  #cancelPing: () => void = () => {};
  #figures = { rtt: null as number | null, reconnects: 0, bytesDown: 0, bytesUp: 0 };

  constructor(world: World, listener: Listener, stream: bigint, credential: Credential, size: Size | null) {
    this.#world = world;
    this.#listener = listener;
    this.#stream = stream;
    this.#credential = credential;
    this.#size = size;
  }

  get state(): State {
    return this.#state;
  }

  get stream(): bigint {
    return this.#stream;
  }

  get figures(): Figures {
    return { ...this.#figures, inputSent: this.#outbox.last, inputAcked: this.#outbox.acked };
  }

  /** Connects. */
  start(): void {
    this.#open();
  }

  /** Sends what a person did, now or when the connection is back. */
  input(deed: Deed, at: number): InputEvent | null {
    const event = this.#state === "ended" ? null : this.#outbox.add(deed, at);
    if (event && this.#state === "connected") {
      this.#send(protocol.input([event]));
    }
    return event;
  }

  resize(size: Size): void {
    this.#size = size;
    if (this.#state === "connected") {
      this.#send(protocol.resize(size));
    }
  }

  /** Says that an update was composed. */
  ack(update: bigint): void {
    if (this.#state === "connected") {
      this.#send(protocol.ack(update));
    }
  }

  /** Says something about what is copied, if there is a connection. */
  tell(message: Message): void {
    if (this.#state === "connected") {
      this.#send(message);
    }
  }

  /** Says what is held, to a streamer that thinks otherwise. */
  tellHave(): void {
    if (this.#state === "connected") {
      this.#send(this.#have());
    }
  }

  /** The device woke up or found a network: no reason to wait any longer, or to trust the connection. */
  wake(): void {
    if (this.#state === "reconnecting" && this.#socket === null) {
      this.#attempt = 0;
      this.#lostAt = null;
      this.#retryIn(0);
    } else if (this.#state === "connected") {
      this.#ping();
    }
  }

  /** Leaves for good. */
  stop(): void {
    this.#cancelTimer();
    this.#cancelPing();
    this.#drop();
    this.#setState("ended", null);
  }

  #open(): void {
    const socket = this.#world.connect();
    this.#socket = socket;
    this.#bye = null;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#send(protocol.hello(this.#credential, this.#stream, this.#size));
      this.#send(this.#have());
    };
    socket.onmessage = (event) => this.#onMessage(event.data as ArrayBuffer);
    socket.onclose = () => this.#onClose();
    this.#cancelTimer();
    this.#cancelTimer = this.#world.after(OPEN_LIMIT, () => this.#giveUp());
  }

  /** Takes the connection for dead without waiting for the network to say so. */
  #giveUp(): void {
    this.#drop();
    this.#onClose();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #onMessage(message: ArrayBuffer): void {
    this.#heardAt = this.#world.now();
    this.#figures.bytesDown += message.byteLength;
    const down = protocol.parse(message);
    switch (down.kind) {
      case "unit":
        this.#listener.onUnit(down.class, down.bytes);
        break;
      case "inputAck":
        this.#outbox.acknowledge(down.seq);
        this.#listener.onFigures();
        break;
      case "pointerImage":
        this.#listener.onPointerImage(down.image);
        break;
      case "control":
        this.#onControl(down.control);
        break;
      case "unknown":
        break;
    }
  }

  #onControl(control: protocol.Control): void {
    switch (control.type) {
      case "welcome":
        this.#onWelcome(control);
        break;
      case "resync":
        this.#send(this.#have());
        break;
      case "pong":
        this.#figures.rtt = this.#world.now() - control.at;
        this.#listener.onFigures();
        break;
      case "copied":
      case "readCopied":
        this.#listener.onCopying(control);
        break;
      case "pointer":
        this.#listener.onPointer(control.name);
        break;
      case "textField":
        this.#listener.onTextField(control);
        break;
      case "bye":
        this.#bye = control;
        break;
    }
  }

  #onWelcome(welcome: Welcome): void {
    this.#cancelTimer();
    if (this.#state === "reconnecting") {
      this.#figures.reconnects += 1;
    }
    this.#attempt = 0;
    this.#lostAt = null;
    this.#credential = { resume: welcome.resume };
    this.#setState("connected", null);
    this.#listener.onWelcome(welcome);
    const waiting = this.#outbox.unacknowledged;
    for (let at = 0; at < waiting.length; at += protocol.MAX_EVENTS) {
      this.#send(protocol.input(waiting.slice(at, at + protocol.MAX_EVENTS)));
    }
    this.#ping();
  }

  #onClose(): void {
    this.#socket = null;
    this.#cancelTimer();
    this.#cancelPing();
    const bye = this.#bye;
    if (bye && !bye.retry) {
      this.#setState("ended", bye);
      return;
    }
    this.#lostAt ??= this.#world.now();
    // A first connection that failed is not a session that was interrupted.
    const next = this.#state === "connecting" ? "connecting" : "reconnecting";
    this.#setState(next, bye ?? LOST);
    const lost = this.#world.now() - this.#lostAt;
    const wait = pause(this.#attempt, lost, this.#world.random());
    this.#attempt += 1;
    this.#retryIn(bye ? Math.max(wait, RETRY_PAUSE) : wait);
  }

  #retryIn(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#world.after(ms, () => {
      let current = true;
      this.#cancelTimer = () => {
        current = false;
      };
      void this.#world.alive().then((alive) => {
        if (!current || this.#state === "ended") {
          return;
        }
        if (alive) {
          this.#open();
        } else {
          this.#onClose();
        }
      });
    });
  }

  /** Pings now and then for ever, and gives the connection up when nothing is heard. */
  #ping(): void {
    this.#cancelPing();
    const sentAt = this.#world.now();
    this.#send(protocol.ping(sentAt));
    this.#cancelPing = this.#world.after(PONG_LIMIT, () => {
      if (this.#heardAt <= sentAt) {
        this.#giveUp();
      } else {
        this.#cancelPing = this.#world.after(PING_EVERY - PONG_LIMIT, () => this.#ping());
      }
    });
  }

  #have(): Message {
    const { width, height, tiles } = this.#listener.have();
    return protocol.have(width, height, tiles);
  }

  #send(message: Message): void {
    this.#figures.bytesUp += message.byteLength;
    this.#socket?.send(message);
  }

  #setState(state: State, farewell: Farewell | null): void {
    this.#state = state;
    this.#listener.onState(state, farewell);
  }
}

/** Whether a resume token is worth keeping after this farewell. */
export function mayReturn(farewell: Farewell): boolean {
  return !FINAL.some((prefix) => farewell.code.startsWith(prefix));
}
