/**
 * The player's picture: the `greenroom-tiles` crate as a WASM module. `crates/tiles/src/wasm.rs`
 * documents the module's exports and how long its addresses stay valid.
 */

interface Tiles {
  memory: WebAssembly.Memory;
  greenroom_input(length: number): number;
  greenroom_apply(): number;
  greenroom_error_ptr(): number;
  greenroom_error_len(): number;
  greenroom_width(): number;
  greenroom_height(): number;
  greenroom_pixels_ptr(): number;
  greenroom_update(): bigint;
  greenroom_was_reset(): number;
  greenroom_hash_matches(): number;
  greenroom_frame_hash(): bigint;
  greenroom_damage_ptr(): number;
  greenroom_damage_len(): number;
  greenroom_inputs_ptr(): number;
  greenroom_inputs_len(): number;
  greenroom_tiles_ptr(): number;
  greenroom_tiles_len(): number;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What a unit did to the picture. */
export interface Update {
  number: bigint;
  /** The picture began anew, perhaps in another size. */
  reset: boolean;
  /** The picture equals the session's, by hash. */
  exact: boolean;
  damage: Rect[];
  /** For each input stream, the last event the apps had had. */
  inputs: { stream: bigint; seq: number }[];
}

/** A unit that cannot be drawn; the picture is as it was. */
export class RefusedUnit extends Error {}

export class Picture {
  readonly #tiles: Tiles;

  private constructor(tiles: Tiles) {
    this.#tiles = tiles;
  }

  static async load(module: WebAssembly.Module): Promise<Picture> {
    return new Picture((await WebAssembly.instantiate(module)).exports as unknown as Tiles);
  }

  get width(): number {
    return this.#tiles.greenroom_width();
  }

  get height(): number {
    return this.#tiles.greenroom_height();
  }

  /** Draws a unit. */
  apply(unit: Uint8Array): Update {
    const tiles = this.#tiles;
    const at = tiles.greenroom_input(unit.length);
    if (at === 0) {
      throw new RefusedUnit("the unit is too long");
    }
    new Uint8Array(tiles.memory.buffer, at, unit.length).set(unit);
    if (tiles.greenroom_apply() !== 0) {
      throw new RefusedUnit(this.#error());
    }
    return {
      number: tiles.greenroom_update(),
      reset: tiles.greenroom_was_reset() === 1,
      exact: tiles.greenroom_hash_matches() === 1,
      damage: this.#damage(),
      inputs: this.#inputs(),
    };
  }

  /** The pixels, `R G B 255` each; valid until the next `apply`. */
  pixels(): Uint8ClampedArray<ArrayBuffer> {
    const { memory, greenroom_pixels_ptr } = this.#tiles;
    return new Uint8ClampedArray(memory.buffer, greenroom_pixels_ptr(), 4 * this.width * this.height);
  }

  /** The hash of each tile, for `have`; valid until the next `apply`. */
  tileHashes(): BigUint64Array {
    const { memory, greenroom_tiles_ptr, greenroom_tiles_len } = this.#tiles;
    return new BigUint64Array(memory.buffer, greenroom_tiles_ptr(), greenroom_tiles_len());
  }

  /** The hash of the picture, computed anew from all its pixels: 16 hexadecimal digits; `null` before the first unit. */
  frameHash(): string | null {
    if (this.width === 0) {
      return null;
    }
    return BigInt.asUintN(64, this.#tiles.greenroom_frame_hash()).toString(16).padStart(16, "0");
  }

  #damage(): Rect[] {
    const { memory, greenroom_damage_ptr, greenroom_damage_len } = this.#tiles;
    const count = greenroom_damage_len();
    const numbers = new Uint32Array(memory.buffer, greenroom_damage_ptr(), 4 * count);
    return Array.from({ length: count }, (_, index) => {
      const [x = 0, y = 0, width = 0, height = 0] = numbers.subarray(4 * index, 4 * index + 4);
      return { x, y, width, height };
    });
  }

  #inputs(): Update["inputs"] {
    const { memory, greenroom_inputs_ptr, greenroom_inputs_len } = this.#tiles;
    const count = greenroom_inputs_len();
    const numbers = new BigUint64Array(memory.buffer, greenroom_inputs_ptr(), 2 * count);
    return Array.from({ length: count }, (_, index) => ({
      stream: numbers[2 * index] ?? 0n,
      seq: Number(numbers[2 * index + 1] ?? 0n),
    }));
  }

  #error(): string {
    const { memory, greenroom_error_ptr, greenroom_error_len } = this.#tiles;
    const bytes = new Uint8Array(memory.buffer, greenroom_error_ptr(), greenroom_error_len());
    // A copy, since a view of growable memory cannot be decoded everywhere.
    return new TextDecoder().decode(bytes.slice());
  }
}
