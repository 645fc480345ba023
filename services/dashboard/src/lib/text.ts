/** What apps send is shown, never obeyed: no escape sequence, control or direction override survives. */

/* eslint-disable no-control-regex */
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])|\u009b[0-?]*[ -/]*[@-~]/g;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
// Direction overrides, isolates and marks; spaces of no width; line separators; language tags.
const HIDDEN = /[\u0080-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
/* eslint-enable no-control-regex */

const name = (character: string): string => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;

/** The text with colours removed, and what cannot be seen named. */
export function neutralise(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(ANSI, "")
    .replace(CONTROL, (c) => (c === "\u007f" ? "␡" : String.fromCharCode(0x2400 + c.charCodeAt(0))))
    .replace(HIDDEN, name);
}

/** The text up to a limit in characters, and how many were left out. Never splits a surrogate pair. */
export function cut(text: string, limit: number): { text: string; left: number } {
  if (text.length <= limit) return { text, left: 0 };
  const code = text.charCodeAt(limit - 1);
  const end = code >= 0xd800 && code <= 0xdbff ? limit - 1 : limit;
  return { text: text.slice(0, end), left: text.length - end };
}

/** The address, when it is one that a reader may follow. */
export function safeUrl(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** "PaymentError: card declined" as its type and the rest. */
export function splitTitle(title: string, type: string | null): [string, string] {
  if (type !== null && type !== "" && title.startsWith(type)) return [type, title.slice(type.length).replace(/^:\s*/, "")];
  return [title, ""];
}
