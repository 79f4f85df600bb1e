/**
 * What is copied on one side and pasted on the other, the worker's part. Who has something says so, and the other
 * side asks for it; one part at a time is on its way in each direction, so that nothing else waits for more than that.
 */

import * as protocol from "./protocol.ts";
import type { Copied, CopiedPart, Form, Message, ReadCopied, Rights } from "./protocol.ts";

/** What is copied, in each form there is of it. */
export type Contents = Partial<Record<Form, Blob>>;

/** What was copied in the session, as far as it has come. */
interface Incoming {
  serial: number;
  left: Copied["contents"];
  /** Of the first that is left. */
  parts: Uint8Array<ArrayBuffer>[];
  had: number;
  contents: Contents;
}

/** What was copied here, and whether the session has had all of a form of it. */
interface Given {
  serial: number;
  contents: Contents;
  used: boolean;
}

export class Copying {
  readonly #send: (message: Message) => void;
  readonly #onCopied: (contents: Contents) => void;
  #rights: Pick<Rights, "input" | "clipboardIn" | "clipboardOut"> | null = null;
  #wanted = false;
  /** What was told of last; `null` before anything was. */
  #known: number | null = null;
  #incoming: Incoming | null = null;
  #given: Given | null = null;
  #serial = 0;

  constructor(send: (message: Message) => void, onCopied: (contents: Contents) => void) {
    this.#send = send;
    this.#onCopied = onCopied;
  }

  /** There is a connection; nothing that was said on an earlier one counts. */
  welcome(rights: Pick<Rights, "input" | "clipboardIn" | "clipboardOut">): void {
    this.#rights = rights;
    if (this.#incoming) {
      // All of it is to come again.
      this.#known = -1;
      this.#incoming = null;
    }
    if (this.#wanted) {
      this.want(true);
    }
    // What was used is not offered again: the session may have copied something else since.
    if (this.#given && !this.#given.used) {
      this.#offer(this.#given);
    }
  }

  /** Whether to hear of what is copied in the session. */
  want(on: boolean): void {
    this.#wanted = on;
    if (this.#rights?.input && this.#rights.clipboardOut) {
      this.#send(protocol.wantCopied(on));
    }
  }

  /** Offers the session what was copied here. */
  give(contents: Contents): void {
    this.#serial += 1;
    this.#given = { serial: this.#serial, contents, used: false };
    this.#offer(this.#given);
  }

  on(control: Copied | ReadCopied): void {
    if (control.type === "copied") {
      this.#hear(control);
    } else {
      void this.#answer(control);
    }
  }

  /** Takes a part that was asked for. */
  take(part: CopiedPart): void {
    const incoming = this.#incoming;
    const content = incoming?.left[0];
    if (!incoming || !content || part.serial !== incoming.serial || part.kind !== content.kind || part.offset !== incoming.had) {
      return;
    }
    if (part.bytes.length === 0 || incoming.had + part.bytes.length > content.bytes) {
      // Something else was copied meanwhile, which is told as well.
      this.#incoming = null;
      return;
    }
    incoming.parts.push(part.bytes.slice());
    incoming.had += part.bytes.length;
    if (incoming.had === content.bytes) {
      incoming.contents[content.kind] = new Blob(incoming.parts, { type: content.kind });
      incoming.left.shift();
      incoming.parts = [];
      incoming.had = 0;
    }
    this.#fetch();
  }

  /** What was there before this page was opened is left there: what the device has is what the person copied last. */
  #hear({ serial, contents }: Copied): void {
    const news = this.#known !== null && serial !== this.#known && contents.length > 0;
    this.#known = serial;
    const whole = contents.reduce((bytes, content) => bytes + content.bytes, 0);
    if (!news || whole > protocol.MAX_COPIED) {
      return;
    }
    this.#given = null;
    this.#incoming = { serial, left: [...contents], parts: [], had: 0, contents: {} };
    this.#fetch();
  }

  #fetch(): void {
    const incoming = this.#incoming;
    const content = incoming?.left[0];
    if (incoming && content) {
      this.#send(protocol.readCopied(incoming.serial, content.kind, incoming.had));
    } else if (incoming) {
      this.#incoming = null;
      this.#onCopied(incoming.contents);
    }
  }

  #offer({ serial, contents }: Given): void {
    if (this.#rights?.input && this.#rights.clipboardIn) {
      const forms = protocol.FORMS.flatMap((kind) => {
        const bytes = contents[kind]?.size ?? 0;
        return bytes > 0 ? [{ kind, bytes }] : [];
      });
      this.#send(protocol.copied(serial, forms));
    }
  }

  async #answer({ serial, kind, offset }: ReadCopied): Promise<void> {
    const given = this.#given?.serial === serial ? this.#given : null;
    const content = given?.contents[kind];
    const part = content?.slice(offset, offset + protocol.MAX_PART);
    const bytes = part ? new Uint8Array(await part.arrayBuffer()) : new Uint8Array();
    if (given && content && offset + bytes.length === content.size) {
      given.used = true;
    }
    this.#send(protocol.copiedPart({ serial, kind, offset, bytes }));
  }
}
