/** Every text the player shows, in one place: a table for each language. */

const english = {
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
  tools: "Tools of this page",
  fullScreen: "Full screen",
  keyboard: "Keyboard",
  figures: "Figures",
  roundTrip: "Round trip",
  clickToPicture: "From a deed to its picture",
  half: "half of them",
  nineteenInTwenty: "19 of 20",
  pictureSize: "Picture",
  received: "Received",
  perSecond: "a second",
  updates: "Updates",
  reconnects: "Reconnections",
  wrong: "Wrong pictures",
  titles: {
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
  } as Record<string, string>,
  details: {
    "ticket.used": "A link opens a session once. Ask for a new one.",
    "ticket.expired": "A link is good for a minute. Ask for a new one.",
    "ticket.unknown": "Ask for a new one.",
    "binding.ended": "The session may still be running. Ask for a new link.",
    "not.authorized": "Ask the administrator of the session.",
    "session.stopped": "Ask for a new link to start it again.",
    "session.deleted": "It cannot be opened any more.",
    "protocol.version": "The service was updated.",
  } as Record<string, string>,
};

const chinese: typeof english = {
  product: "Greenroom",
  pictureLabel: "远程会话。您的输入会发送到会话中。同时按下 Control、Alt 和 Shift 可取回键盘。",
  connecting: "正在连接",
  connectingDetail: "正在打开您的会话。",
  waiting: "仍在连接",
  waitingDetail: "服务尚未响应，本页面会继续尝试。",
  reconnecting: "正在重新连接",
  endedTitle: "未连接",
  noLink: "请打开会话链接",
  noLinkDetail: "本页面需要管理员或门户提供的链接。每个链接只能使用一次。",
  retry: "重试",
  keyboardBack: "键盘已归还给您。点击画面即可继续向会话输入。",
  tools: "页面工具",
  fullScreen: "全屏",
  keyboard: "键盘",
  figures: "统计",
  roundTrip: "往返时间",
  clickToPicture: "从操作到画面",
  half: "中位数",
  nineteenInTwenty: "95% 分位",
  pictureSize: "画面",
  received: "已接收",
  perSecond: "每秒",
  updates: "更新次数",
  reconnects: "重新连接次数",
  wrong: "错误画面",
  titles: {
    "ticket.used": "此链接已被使用",
    "ticket.expired": "此链接已过期",
    "ticket.unknown": "此链接无效",
    "binding.ended": "您的连接已结束",
    "not.authorized": "您没有权限",
    "session.not_running": "会话未在运行",
    "session.stopped": "会话已停止",
    "session.deleted": "会话已删除",
    "protocol.version": "请重新加载本页面",
    "protocol.malformed": "请重新加载本页面",
    "player.broken": "此浏览器无法显示会话",
  },
  details: {
    "ticket.used": "每个链接只能打开一次会话，请获取新的链接。",
    "ticket.expired": "链接的有效期为一分钟，请获取新的链接。",
    "ticket.unknown": "请获取新的链接。",
    "binding.ended": "会话可能仍在运行，请获取新的链接。",
    "not.authorized": "请联系会话的管理员。",
    "session.stopped": "请获取新的链接以重新启动会话。",
    "session.deleted": "该会话已无法打开。",
    "protocol.version": "服务已更新。",
  },
};

/** The first of these languages that there is a table for. */
export function languageOf(wanted: readonly string[]): "en" | "zh" {
  const known = wanted.map((tag) => tag.toLowerCase().split("-")[0]);
  return known.find((language) => language === "en" || language === "zh") === "zh" ? "zh" : "en";
}

export const language = languageOf(globalThis.navigator?.languages ?? []);

export const text = language === "zh" ? chinese : english;

/** How an ended connection is announced. What is not known here is said as the gateway says it. */
export function ending(code: string, message: string): { title: string; detail: string } {
  return { title: text.titles[code] ?? text.endedTitle, detail: text.details[code] ?? message };
}
