import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Picture, RefusedUnit } from "../src/picture.ts";
import { patches } from "../src/surface.ts";

// Tests run in the player's folder.
const MODULE = process.env.GREENROOM_TILES_WASM ?? "../../target/wasm32-unknown-unknown/player/greenroom_tiles.wasm";
const GOLDEN = "../../crates/tiles/tests/golden/";

const load = async () => Picture.load(await WebAssembly.compile(await readFile(MODULE)));

async function golden(recording = "v1"): Promise<{ units: Uint8Array[]; hashes: string[] }> {
  const bytes = await readFile(`${GOLDEN}${recording}.units`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const units = [];
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    units.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const hashes = new TextDecoder().decode(await readFile(`${GOLDEN}${recording}.hashes`)).trim().split("\n");
  return { units, hashes };
}

for (const recording of ["v1", "v2"]) {
  test(`recorded units of ${recording} are drawn exactly`, async () => {
    const picture = await load();
    assert.deepEqual([picture.tileHashes().length, picture.frameHash()], [0, null]);
    const { units, hashes } = await golden(recording);
    assert.equal(units.length, hashes.length);
    units.forEach((unit, index) => {
      const update = picture.apply(unit);
      assert.equal(update.number, BigInt(index + 1));
      assert(update.exact);
      assert(update.damage.every((r) => r.x + r.width <= picture.width && r.y + r.height <= picture.height));
      assert.equal(picture.frameHash(), hashes[index]);
    });
    assert.equal(picture.pixels().length, 4 * picture.width * picture.height);
  });
}

test("a unit that is none is refused with the reason, and the picture stays", async () => {
  const picture = await load();
  const { units } = await golden();
  assert(units[0]);
  picture.apply(units[0]);
  const before = picture.frameHash();
  assert.throws(() => picture.apply(new TextEncoder().encode("no unit at all")), RefusedUnit);
  assert.throws(() => picture.apply(new Uint8Array()), RefusedUnit);
  assert.equal(picture.frameHash(), before);
});

test("a patch has the pixels of its rectangle", async () => {
  const picture = await load();
  const { units } = await golden();
  assert(units[0]);
  picture.apply(units[0]);
  const [patch] = patches(picture, [{ x: 3, y: 2, width: 4, height: 2 }]);
  assert(patch);
  const row = (y: number) => [...picture.pixels().subarray(4 * (y * picture.width + 3), 4 * (y * picture.width + 7))];
  assert.deepEqual([...new Uint8Array(patch.rgba)], [...row(2), ...row(3)]);
});
