/**
 * The session's pointer, drawn by the browser itself: it follows the hand, however long the way to the session is.
 */

import type { PointerImage } from "./protocol.ts";

/** Browsers show no larger pointer. */
const LARGEST = 128;

export class Pointer {
  readonly #element: HTMLElement;
  #name = "default";
  #image = "";

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** The shape, as CSS names it. */
  shape(name: string): void {
    this.#name = name;
    this.#show();
  }

  /** The app's own image; one without pixels is none. */
  image(image: PointerImage): void {
    this.#image = image.width > 0 ? css(image) : "";
    this.#show();
  }

  #show(): void {
    const shape = CSS.supports("cursor", this.#name) ? this.#name : "default";
    this.#element.style.cursor = this.#image ? `${this.#image}, ${shape}` : shape;
  }
}

/** The image as a value of `cursor`, in its own resolution; `""` where that cannot be shown. */
function css({ width, height, hotspotX, hotspotY, scale120, rgba }: PointerImage): string {
  const density = Math.max(scale120, 1) / 120;
  if (Math.max(width, height) / density > LARGEST) {
    return "";
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
  const at = [hotspotX, hotspotY].map((pixels) => Math.round(pixels / density)).join(" ");
  const set = `image-set(url(${canvas.toDataURL()}) ${density}x) ${at}`;
  // Chromium knew it under its own name for long.
  return [set, `-webkit-${set}`].find((value) => CSS.supports("cursor", `${value}, default`)) ?? "";
}
