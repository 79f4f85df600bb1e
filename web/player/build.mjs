// Builds the player into dist/: index.html, and assets/ whose names carry a hash of their content, so
// that the gateway may let browsers keep them for good. With --tests: the unit tests into build/test/.
//
// The decoder is the `greenroom-tiles` crate; GREENROOM_TILES_WASM names its module when it is not where
// cargo puts it.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const at = (...parts) => join(here, ...parts);
const ASSETS = "/play/assets/";

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
};

if (process.argv.includes("--tests")) {
  await buildTests();
} else {
  await buildPlayer();
}

async function buildTests() {
  const tests = (await readdir(at("test"))).filter((name) => name.endsWith(".test.ts"));
  await rm(at("build"), { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: tests.map((name) => at("test", name)),
    outdir: at("build", "test"),
    platform: "node",
    sourcemap: "inline",
  });
}

async function buildPlayer() {
  await rm(at("dist"), { recursive: true, force: true });
  await mkdir(at("dist", "assets"), { recursive: true });

  const tiles = await writeHashed("tiles.wasm", await readTiles());
  const worker = await bundle("worker.ts", {});
  const page = await bundle("main.ts", {
    TILES_URL: JSON.stringify(ASSETS + tiles),
    WORKER_URL: JSON.stringify(ASSETS + worker),
  });
  const style = await bundle("style.css", {});

  const names = { page, style };
  const html = (await readFile(at("src", "index.html"), "utf8")).replaceAll(
    /\{\{(\w+)\}\}/g,
    (_, name) => ASSETS + names[name],
  );
  await writeFile(at("dist", "index.html"), html);
}

/** Bundles a source into assets/ and answers the file's name. */
async function bundle(source, define) {
  const result = await build({
    ...common,
    entryPoints: [at("src", source)],
    outdir: at("dist", "assets"),
    entryNames: "[name]-[hash]",
    define,
    minify: true,
    legalComments: "none",
    metafile: true,
  });
  const [output] = Object.keys(result.metafile.outputs);
  return basename(output);
}

async function readTiles() {
  const file =
    process.env.GREENROOM_TILES_WASM ??
    at("../../target/wasm32-unknown-unknown/player/greenroom_tiles.wasm");
  try {
    return await readFile(file);
  } catch (error) {
    console.error(
      `The decoder is missing (${error.message}). Build it with:\n  cargo build -p greenroom-tiles ` +
        "--no-default-features --target wasm32-unknown-unknown --profile player",
    );
    process.exit(1);
  }
}

/** Writes a file into assets/ under a name with its hash, and answers the name. */
async function writeHashed(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const [stem, extension] = name.split(".");
  const hashed = `${stem}-${hash}.${extension}`;
  await writeFile(at("dist", "assets", hashed), bytes);
  return hashed;
}
