/**
 * Input on its way: every event is kept until the session has acknowledged it, so that none is lost when
 * a connection, the gateway or the server dies in between. The session drops what it had twice.
 */

import type { Deed, InputEvent } from "./protocol.ts";

/** Events kept at most. Nobody types this much blindly; beyond it the newest are dropped. */
export const MAX_KEPT = 4096;

export class Outbox {
  #kept: InputEvent[] = [];
  #last = 0;
  #acked = 0;

  /** The number of the newest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The session had every event up to this one. */
  get acked(): number {
    return this.#acked;
  }

  /** What the session may not have had, oldest first. */
  get unacknowledged(): readonly InputEvent[] {
    return this.#kept;
  }

  /** Numbers and keeps what was done; `null` when too much is waiting already. */
  add(deed: Deed, at: number): InputEvent | null {
    const waiting = this.#kept.at(-1);
    // Of a pointer's way during an outage only the end matters. A number is not used twice: the earlier
    // one may have arrived.
    if (this.#kept.length >= MAX_KEPT / 2 && deed.type === "motion" && waiting?.type === "motion") {
      this.#kept.pop();
    }
    if (this.#kept.length >= MAX_KEPT) {
      return null;
    }
    this.#last += 1;
    const event = { seq: this.#last, at, ...deed };
    this.#kept.push(event);
    return event;
  }

  /** The session had every event up to `seq`. */
  acknowledge(seq: number): void {
    this.#acked = Math.max(this.#acked, Math.min(seq, this.#last));
    const first = this.#kept.findIndex((event) => event.seq > this.#acked);
    this.#kept.splice(0, first === -1 ? this.#kept.length : first);
  }
}
