/** Every text the player shows, in one place, so that a language is one more table. */

export const text = {
  product: "Greenroom",
  pictureLabel:
    "Remote session. What you type goes to it. Press Control, Alt and Shift together to get the keyboard back.",
  connecting: "Connecting",
  connectingDetail: "Your session is on its way.",
  waiting: "Still connecting",
  waitingDetail: "The service does not answer yet. This page keeps trying.",
  reconnecting: "Reconnecting",
  endedTitle: "Not connected",
  noLink: "Open a link to a session",
  noLinkDetail: "This page needs a link from your administrator or portal. A link works once.",
  retry: "Try again",
  keyboardBack: "The keyboard is yours. Click the picture to type into the session again.",
} as const;

const titles: Record<string, string> = {
  "ticket.used": "This link was used already",
  "ticket.expired": "This link has expired",
  "ticket.unknown": "This link is not valid",
  "binding.ended": "Your connection has ended",
  "not.authorized": "You are not authorized",
  "session.not_running": "The session is not running",
  "session.stopped": "The session was stopped",
  "session.deleted": "The session was deleted",
  "protocol.version": "Please reload this page",
  "protocol.malformed": "Please reload this page",
  "player.broken": "This browser cannot show the session",
};

const details: Record<string, string> = {
  "ticket.used": "A link opens a session once. Ask for a new one.",
  "ticket.expired": "A link is good for a minute. Ask for a new one.",
  "ticket.unknown": "Ask for a new one.",
  "binding.ended": "The session may still be running. Ask for a new link.",
  "not.authorized": "Ask the administrator of the session.",
  "session.stopped": "Ask for a new link to start it again.",
  "session.deleted": "It cannot be opened any more.",
  "protocol.version": "The service was updated.",
};

/** How an ended connection is announced. What is not known here is said as the gateway says it. */
export function ending(code: string, message: string): { title: string; detail: string } {
  const title = titles[code] ?? text.endedTitle;
  return { title, detail: details[code] ?? message };
}
