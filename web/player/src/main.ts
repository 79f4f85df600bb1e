/**
 * The page at `/play`: takes the ticket from the address, shows the session, and comes back to it after a
 * reload.
 *
 * `window.greenroom` is for tests and for the curious; see {@link Inspection}.
 */

import type { Credential } from "./protocol.ts";
import { createSession, type Connected, type Disconnected, type Session, type State, type Stats } from "./session.ts";
import { ending, language, text } from "./text.ts";
import { Toolbar } from "./toolbar.ts";
import { View, element } from "./view.ts";

/** Where a reloaded page finds its token; gone with the tab, and never seen by another. */
const RESUME = "greenroom.resume";
/** After this many failures a first connection is admitted to be slow. */
const SLOW_AFTER = 4;

/** What can be looked at from outside. */
export interface Inspection {
  /** `idle` without a link, else the connection's state. */
  readonly state: State | "idle";
  /** The code of the last farewell, `null` since the last welcome. */
  readonly reason: string | null;
  readonly persistentId: string | null;
  /** The number of the last update that was composed. */
  readonly lastUpdate: number;
  /** The session had every input event up to this one. */
  readonly inputAcked: number;
  /** A snapshot of everything that is counted. */
  stats(): Stats | null;
  /** The hash of the picture, computed anew from all its pixels; `null` while there is none. */
  frameHash(): Promise<string | null>;
}

declare global {
  interface Window {
    readonly greenroom: Inspection;
  }
}

class Page {
  readonly #view = new View(() => this.#retry());
  readonly #stage = element("stage");
  readonly #toolbar = new Toolbar(element("tools"), element("figures"), {
    focus: () => this.#session?.focus(),
    summonKeyboard: () => this.#session?.summonKeyboard(),
  });
  #session: Session | null = null;
  #credential: Credential | null = null;
  #reason: string | null = null;
  #persistentId: string | null = null;
  #title = "";
  #failures = 0;
  /** The session's picture is to be seen, and stays while the connection is made anew. */
  #shown = false;

  /** Opens what the address names, else what the tab had open. */
  open(): void {
    const ticket = takeTicket();
    const resume = sessionStorage.getItem(RESUME);
    if (ticket !== null) {
      sessionStorage.removeItem(RESUME);
      this.#begin({ ticket });
    } else if (resume !== null) {
      this.#begin({ resume });
    } else if (this.#session === null) {
      this.#view.stopped(text.noLink, text.noLinkDetail, false);
    }
  }

  /** A link was pasted into the address of a page that is open already. */
  reopen(): void {
    if (new URLSearchParams(location.hash.slice(1)).has("ticket")) {
      this.open();
    }
  }

  inspect(): Inspection {
    const page = this;
    return {
      get state() {
        return page.#session?.state ?? "idle";
      },
      get reason() {
        return page.#reason;
      },
      get persistentId() {
        return page.#persistentId;
      },
      get lastUpdate() {
        return page.#session?.stats.lastUpdate ?? 0;
      },
      get inputAcked() {
        return page.#session?.stats.inputAcked ?? 0;
      },
      stats: () => page.#session?.stats ?? null,
      frameHash: () => page.#session?.frameHash() ?? Promise.resolve(null),
    };
  }

  #begin(credential: Credential): void {
    this.#session?.close();
    this.#credential = credential;
    this.#show(false);
    this.#failures = 0;
    this.#view.busy(text.connecting, text.connectingDetail);
    const session = createSession({ element: this.#stage, label: text.pictureLabel, ...credential });
    this.#session = session;
    const on = <T>(type: string, then: (detail: T) => void) =>
      session.addEventListener(type, (event) => then((event as CustomEvent<T>).detail));
    on<Connected>("connected", (detail) => this.#onConnected(session, detail));
    on<Disconnected>("disconnected", (detail) => this.#onDisconnected(detail));
    on<Disconnected>("error", (detail) => this.#onEnded(session, detail));
    on<Stats>("stats", () => this.#onStats(session));
    session.field.addEventListener("blur", ({ relatedTarget }) => {
      if (relatedTarget === null && document.hasFocus() && session.state === "connected") {
        this.#view.mention(text.keyboardBack);
      }
    });
  }

  #onConnected(session: Session, { persistentId, title, resume }: Connected): void {
    sessionStorage.setItem(RESUME, resume);
    this.#credential = { resume };
    this.#reason = null;
    this.#persistentId = persistentId;
    this.#failures = 0;
    this.#title = title;
    this.#view.back();
    this.#onStats(session);
  }

  /** The card makes room for the first picture, not for a black one. */
  #onStats(session: Session): void {
    this.#toolbar.update(session.stats);
    if (!this.#shown && session.state === "connected" && session.stats.updates > 0) {
      this.#show(true);
      this.#view.session(this.#title);
      session.focus();
    }
  }

  #onDisconnected({ code, message }: Disconnected): void {
    this.#reason = code;
    this.#failures += 1;
    if (this.#shown) {
      this.#view.interrupted();
    } else if (message) {
      this.#view.busy(text.waiting, message);
    } else if (this.#failures >= SLOW_AFTER) {
      this.#view.busy(text.waiting, text.waitingDetail);
    }
  }

  #onEnded(session: Session, { code, message, mayReturn }: Disconnected): void {
    // What may not be seen any more is not left on the screen.
    session.close();
    this.#reason = code;
    this.#show(false);
    if (!mayReturn) {
      sessionStorage.removeItem(RESUME);
    }
    const { title, detail } = ending(code, message);
    this.#view.stopped(title, detail, mayReturn);
  }

  #show(shown: boolean): void {
    this.#shown = shown;
    this.#toolbar.show(shown);
  }

  #retry(): void {
    if (this.#credential) {
      this.#begin(this.#credential);
    }
  }
}

/** Takes the ticket out of the address, so that it stays in neither the history nor a screenshot. */
function takeTicket(): string | null {
  const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
  if (location.hash) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return ticket || null;
}

document.documentElement.lang = language;
const page = new Page();
Object.defineProperty(window, "greenroom", { value: page.inspect() });
addEventListener("hashchange", () => page.reopen());
page.open();
