// A real `greenroom serve` on a data folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.mjs";

/** Where the programs and the built player lie. */
const BIN = process.env.BIN_DIR ?? fileURLToPath(new URL("../../../target/debug", import.meta.url));

export class Server {
  #child = null;
  #exited = null;

  /** A server on a free port and an empty folder, ready. */
  static async start() {
    const server = new Server();
    server.data = await mkdtemp(join(tmpdir(), "greenroom-e2e-"));
    server.port = await freePort();
    await server.start();
    server.credentials = JSON.parse(await readFile(join(server.data, "root-credentials.json"), "utf8"));
    return server;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, again on the same folder and port if it ran before; answers when it is ready. */
  async start() {
    const log = await open(join(this.data, "serve.log"), "a");
    this.#child = spawn(
      join(BIN, "greenroom"),
      ["serve", "--listen", `127.0.0.1:${this.port}`, "--data-dir", this.data],
      { stdio: ["ignore", log.fd, log.fd] },
    );
    this.#exited = once(this.#child, "exit");
    await log.close();
    await until("the server is ready", async () => {
      if (this.#child.exitCode !== null) {
        throw new Error(`greenroom serve ended:\n${await this.log()}`);
      }
      return fetch(`${this.origin}/readyz`).then((answer) => answer.ok, () => false);
    });
  }

  /** kill -9. */
  async kill() {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Asks it to drain and waits. Sessions run on. */
  async stop() {
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  async log() {
    return readFile(join(this.data, "serve.log"), "utf8");
  }

  /** The process that holds a session. */
  async holder(session) {
    const [pid] = (await readFile(join(this.data, "run", session, "holder.pid"), "utf8")).split(" ");
    return Number(pid);
  }

  /** The streamer that a holder started, or undefined. */
  async streamer(session) {
    const holder = await this.holder(session);
    const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
    const all = await Promise.all(pids.map(processOf));
    return all.find((it) => it?.program === "greenroom-stream" && it.parent === holder)?.pid;
  }

  /** The text of a file in a session's home, "" while there is none. */
  async homeFile(session, name) {
    return readFile(join(this.data, "sessions", session, "home", name), "utf8").catch(() => "");
  }

  async remove() {
    await rm(this.data, { recursive: true, force: true });
  }
}

/** A living process; one that has ended and waits for its parent to notice lives no more. */
export async function processOf(pid) {
  const read = (name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const [stat, command] = await Promise.all([read("stat"), read("cmdline")]);
  const [, state, parent] = /\) (\S) (\d+)/.exec(stat) ?? [];
  // By its first argument: a program that was started by descriptor has the descriptor's name.
  return state === undefined || state === "Z" ? null : { pid, parent: Number(parent), program: command.split("\0")[0] };
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
