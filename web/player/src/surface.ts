/** Brings the damaged parts of the picture onto a canvas, in the worker or, by way of patches, in the page. */

import type { Patch } from "./messages.ts";
import type { Picture, Rect } from "./picture.ts";

/** Draws in the worker, straight from the decoder's memory. */
export class WorkerSurface {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;

  constructor(canvas: OffscreenCanvas) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) {
      throw new Error("this browser gives no 2D context in a worker");
    }
    this.#canvas = canvas;
    this.#context = context;
  }

  draw(picture: Picture, damage: readonly Rect[]): void {
    const { width, height } = picture;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      // Setting either clears the canvas, which is why it is not done for nothing.
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    // The image is a view of the decoder's memory, so only the damaged parts are copied.
    const image = new ImageData(picture.pixels(), width, height);
    for (const rect of damage) {
      this.#context.putImageData(image, 0, 0, rect.x, rect.y, rect.width, rect.height);
    }
  }
}

/** Cuts the damaged parts out, to be drawn by a page whose canvas no worker can have. */
export function patches(picture: Picture, damage: readonly Rect[]): Patch[] {
  const pixels = picture.pixels();
  const stride = 4 * picture.width;
  return damage.map((rect) => {
    const row = 4 * rect.width;
    const rgba = new Uint8ClampedArray(row * rect.height);
    for (let line = 0; line < rect.height; line++) {
      const from = (rect.y + line) * stride + 4 * rect.x;
      rgba.set(pixels.subarray(from, from + row), line * row);
    }
    return { ...rect, rgba: rgba.buffer };
  });
}

/** Draws in the page. */
export class PageSurface {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) {
      throw new Error("this browser gives no 2D context");
    }
    this.#canvas = canvas;
    this.#context = context;
  }

  draw(width: number, height: number, patches: readonly Patch[]): void {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    for (const patch of patches) {
      const image = new ImageData(new Uint8ClampedArray(patch.rgba), patch.width, patch.height);
      this.#context.putImageData(image, patch.x, patch.y);
    }
  }
}
