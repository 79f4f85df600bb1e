// A server of a test's own, for what cannot be asked of the shared one, on a database of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const UNLIMITED = "unlimited";
const FILE = { url: "", drop: () => {} };
const KEY = { accessKeyId: "LTAIcompat", accessKeySecret: "a-secret-of-compat" };

/**
 * Runs `greenroom serve` on a free port with these GREENROOM_… settings, hands `work` the settings of a client
 * of it, and ends it. No file that it writes grows beyond `fileKib`, as if the disk were full then; the database of
 * such a server is a file, whatever those of the others are.
 */
export async function withServer({ settings = {}, fileKib = UNLIMITED }, work) {
  const database = fileKib === UNLIMITED ? await newDatabase() : FILE;
  // Short, for the unix sockets below it.
  const data = await mkdtemp(join(tmpdir(), "gr-compat-"));
  const env = {
    ...process.env,
    GREENROOM_ROOT_ACCESS_KEY_ID: KEY.accessKeyId,
    GREENROOM_ROOT_ACCESS_KEY_SECRET: KEY.accessKeySecret,
    GREENROOM_DATABASE_URL: database.url,
    ...settings,
  };
  const log = await open(join(data, "serve.log"), "w");
  // The signal that comes with a write beyond the limit is ignored, so that the write fails like any other.
  const limited = `trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"`;
  const serve = [process.env.SERVER_PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data-dir", data];
  const server = spawn("bash", ["-c", limited, "bash", String(fileKib), ...serve], {
    env,
    stdio: ["ignore", "pipe", log.fd],
  });
  const exited = once(server, "exit");
  try {
    await work({ endpoint: await endpointOf(server.stdout), ...KEY });
    server.kill("SIGTERM");
    await exited;
    await rm(data, { recursive: true });
  } finally {
    server.kill("SIGKILL");
    await exited;
    await log.close();
    database.drop();
  }
}

/** An empty database where the suites are run on PostgreSQL, else a file. */
async function newDatabase() {
  if (!process.env.NEW_DATABASE) return FILE;
  const maker = spawn(process.env.NEW_DATABASE, { stdio: ["pipe", "pipe", "inherit"] });
  const [url] = await once(createInterface(maker.stdout), "line");
  // It ends, and may take the database with it, when its input does.
  return { url, drop: () => maker.stdin.end() };
}

/** The address that the server says it is ready on; what it says after that is read and dropped. */
async function endpointOf(stdout) {
  const lines = createInterface(stdout);
  for await (const line of lines) {
    const said = /API, endpoint\s+http:\/\/(\S+)/.exec(line);
    if (said) {
      stdout.resume();
      return said[1];
    }
  }
  throw new Error("greenroom serve ended at once; its serve.log is in the folder");
}
