import assert from "node:assert/strict";
import { test } from "node:test";
import { Link, mayReturn, type Farewell, type Socket, type State } from "../src/link.ts";
import { ack } from "../src/protocol.ts";

const WELCOME = {
  type: "welcome",
  version: 1,
  resume: "again",
  persistentId: "p-1",
  title: "Terminal",
  rights: {},
};

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: Uint8Array[] = [];
  closed = false;

  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }

  open(): void {
    this.onopen?.({} as Event);
  }
  receive(message: Uint8Array): void {
    this.onmessage?.({ data: message.slice().buffer } as MessageEvent);
  }
  control(value: unknown): void {
    this.receive(new Uint8Array([1, ...new TextEncoder().encode(JSON.stringify(value))]));
  }
  end(): void {
    this.closed = true;
    this.onclose?.({} as CloseEvent);
  }
  /** What was sent of a class, as JSON. */
  json(cls: number): unknown[] {
    return this.sent.filter((m) => m[0] === cls).map((m) => JSON.parse(new TextDecoder().decode(m.subarray(1))));
  }
}

/** A link with its sockets, its clock and what it said. */
class Rig {
  sockets: FakeSocket[] = [];
  alive = true;
  states: [State, string | null][] = [];
  units: Uint8Array[] = [];
  tiles = new BigUint64Array();
  #now = 0;
  #timers = new Map<number, { at: number; then: () => void }>();
  #nextTimer = 0;
  readonly link: Link;

  constructor() {
    this.link = new Link(
      {
        connect: () => {
          const socket = new FakeSocket();
          this.sockets.push(socket);
          return socket;
        },
        alive: () => Promise.resolve(this.alive),
        now: () => this.#now,
        after: (ms, then) => {
          const id = this.#nextTimer++;
          this.#timers.set(id, { at: this.#now + ms, then });
          return () => this.#timers.delete(id);
        },
        random: () => 0,
      },
      {
        onState: (state: State, farewell: Farewell | null) => this.states.push([state, farewell?.code ?? null]),
        onWelcome: () => {},
        onUnit: (_, bytes) => this.units.push(bytes),
        onCopying: () => {},
        onPointer: () => {},
        onPointerImage: () => {},
        onTextField: () => {},
        have: () => ({ width: 64, height: 64, tiles: this.tiles }),
        onFigures: () => {},
      },
      1n,
      { ticket: "good" },
      { width: 10, height: 20, scale120: 120 },
    );
    this.link.start();
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    assert(socket);
    return socket;
  }

  /** Lets time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) {
        break;
      }
      this.#now = due[1].at;
      this.#timers.delete(due[0]);
      due[1].then();
      await settled();
    }
    this.#now = end;
  }

  welcome(): void {
    this.socket.open();
    this.socket.control(WELCOME);
  }
}

/** Promises that are kept already have had their turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await Promise.resolve();
  }
}

test("the first thing said is the ticket, then what is held", () => {
  const rig = new Rig();
  rig.socket.open();
  assert.deepEqual(rig.socket.sent.map((message) => message[0]), [1, 4]);
  assert.equal((rig.socket.json(1)[0] as { ticket: string }).ticket, "good");
  rig.socket.control(WELCOME);
  assert.deepEqual(rig.states, [["connected", null]]);
});

test("a lost connection is made anew with the token and the tiles held, and input is resent", async () => {
  const rig = new Rig();
  rig.welcome();
  rig.link.input({ type: "release" }, 1);
  rig.link.input({ type: "release" }, 2);
  rig.socket.receive(new Uint8Array([2, 1, 0, 0, 0, 0, 0, 0, 0]));
  rig.socket.end();
  assert.deepEqual(rig.states.at(-1), ["reconnecting", "lost"]);
  rig.link.input({ type: "release" }, 3);

  rig.tiles = new BigUint64Array([42n]);
  await rig.pass(50);
  assert.equal(rig.sockets.length, 2);
  rig.socket.open();
  assert.equal((rig.socket.json(1)[0] as { resume: string }).resume, "again");
  assert.equal(rig.socket.sent[1]?.length, 17);
  assert.equal(rig.socket.json(2).length, 0, "no input before the welcome");
  rig.socket.control(WELCOME);
  const resent = rig.socket.json(2)[0] as { seq: number }[];
  assert.deepEqual(resent.map((event) => event.seq), [2, 3]);
  assert.equal(rig.link.figures.reconnects, 1);
});

test("while the gateway is away no socket is wasted, and its return is noticed at once", async () => {
  const rig = new Rig();
  rig.welcome();
  rig.alive = false;
  rig.socket.end();
  await rig.pass(20_000);
  assert.equal(rig.sockets.length, 1);
  rig.alive = true;
  await rig.pass(250);
  assert.equal(rig.sockets.length, 2);
});

test("a goodbye for good is final", async () => {
  const rig = new Rig();
  rig.socket.open();
  rig.socket.control({ type: "bye", code: "ticket.used", message: "m", retry: false });
  rig.socket.end();
  assert.deepEqual(rig.states.at(-1), ["ended", "ticket.used"]);
  await rig.pass(60_000);
  assert.equal(rig.sockets.length, 1);
  assert.equal(rig.link.input({ type: "release" }, 1), null);
});

test("a goodbye for now is followed by a return after a moment", async () => {
  const rig = new Rig();
  rig.welcome();
  rig.socket.control({ type: "bye", code: "session.lost", message: "m", retry: true });
  rig.socket.end();
  assert.deepEqual(rig.states.at(-1), ["reconnecting", "session.lost"]);
  await rig.pass(249);
  assert.equal(rig.sockets.length, 1);
  await rig.pass(1);
  assert.equal(rig.sockets.length, 2);
});

test("a dead network is noticed by its silence", async () => {
  const rig = new Rig();
  rig.welcome();
  const first = rig.socket;
  await rig.pass(4000);
  assert(first.closed);
  assert.equal(rig.states.at(-1)?.[0], "reconnecting");
});

test("a connection that answers is kept, and its round trip is measured", async () => {
  const rig = new Rig();
  rig.welcome();
  for (let round = 0; round < 20; round++) {
    await rig.pass(30);
    const at = (rig.socket.json(1).at(-1) as { at: number }).at;
    rig.socket.control({ type: "pong", at });
    await rig.pass(4970);
  }
  assert.equal(rig.sockets.length, 1);
  assert.equal(rig.link.figures.rtt, 30);
});

test("a connection that never opens is tried anew", async () => {
  const rig = new Rig();
  await rig.pass(8051);
  assert.equal(rig.sockets.length, 2);
  assert.equal(rig.states.at(-1)?.[0], "connecting");
});

test("waking up ends the waiting", async () => {
  const rig = new Rig();
  rig.welcome();
  rig.alive = false;
  rig.socket.end();
  await rig.pass(600_000);
  rig.alive = true;
  rig.link.wake();
  await rig.pass(0);
  assert.equal(rig.sockets.length, 2);
});

test("a resync is answered with what is held", () => {
  const rig = new Rig();
  rig.welcome();
  const before = rig.socket.sent.length;
  rig.tiles = new BigUint64Array([1n, 2n]);
  rig.socket.control({ type: "resync" });
  assert.deepEqual(rig.socket.sent.slice(before).map((m) => [m[0], m.length]), [[4, 25]]);
});

test("units are handed on and acknowledged by number", () => {
  const rig = new Rig();
  rig.welcome();
  rig.socket.receive(new Uint8Array([17, 1, 2]));
  assert.deepEqual(rig.units.map((unit) => [...unit]), [[1, 2]]);
  rig.link.ack(7n);
  assert.deepEqual(rig.socket.sent.at(-1), ack(7n));
});

test("after stopping nothing happens any more", async () => {
  const rig = new Rig();
  rig.welcome();
  rig.link.stop();
  assert(rig.socket.closed);
  await rig.pass(60_000);
  assert.equal(rig.sockets.length, 1);
});

test("a token is kept unless the session is out of its reach", () => {
  assert(mayReturn({ code: "session.lost", message: "" }));
  assert(mayReturn({ code: "protocol.version", message: "" }));
  for (const code of ["ticket.used", "binding.ended", "not.authorized", "session.deleted"]) {
    assert(!mayReturn({ code, message: "" }), code);
  }
});
