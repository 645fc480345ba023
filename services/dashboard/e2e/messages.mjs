// What mails and messages to Slack must not be, whatever they tell of.
import assert from "node:assert/strict";

/** Escape, its short form, the bell; direction overrides and isolates. */
const INVISIBLE = new Set(["\u001b", "\u009b", "\u0007", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"]);
/** What a mail of Bugle has at its head. */
const HEADERS = new Set(["from", "to", "subject", "date", "message-id", "auto-submitted", "in-reply-to", "references", "mime-version", "content-type", "content-transfer-encoding"]);

export function visible(text, where) {
  const raw = [...text].find((character) => INVISIBLE.has(character));
  assert.equal(raw?.codePointAt(0).toString(16), undefined, `${where}: a character that should not be seen is there`);
}

/** What of a mail needs no mail program: its head, and the part without HTML. */
export function mail({ subject, text, html, headerLines }, where) {
  for (const part of [subject, text, html]) visible(part, where);
  assert.doesNotMatch(subject, /[\r\n]/, where);
  assert.deepEqual(headerLines.map(({ key }) => key).filter((key) => !HEADERS.has(key)), [], `${where}: a line of its head came out of a text`);
}

/** Most characters of each kind of text in Block Kit, by the place where it is. */
const LIMITS = { header: 150, section: 3_000, fields: 2_000, elements: 75 };

/** Every text of a block with the place where it is. */
function texts({ type, text, fields = [], elements = [] }) {
  return [...(text === undefined ? [] : [[type, text]]), ...fields.map((field) => ["fields", field]), ...elements.map((element) => ["elements", element.text])];
}

/** Only links to Bugle are marked up: everything else that Slack would read as such is escaped. */
function escaped(text, url, where) {
  const rest = text.replace(/<([^|<>]*)\|([^|<>]*)>/g, (_, link, label) => {
    assert.ok(link.startsWith(`${url}/`), `${where}: a link to ${link}`);
    return label;
  });
  assert.doesNotMatch(rest, /[<>]|&(?!(?:amp|lt|gt);)/, where);
}

/** A message to Slack, for the Bugle at `url`. */
export function slack({ text, blocks }, url, where) {
  assert.ok(blocks.length > 0 && blocks.length <= 50, `${where}: ${blocks.length} blocks`);
  visible(text, where);
  escaped(text, url, where);
  for (const [place, part] of blocks.flatMap(texts)) {
    visible(part.text, where);
    assert.ok([...part.text].length <= LIMITS[place], `${where}: a text too long for ${place}`);
    if (part.type === "mrkdwn") escaped(part.text, url, where);
  }
  for (const { fields = [] } of blocks) assert.ok(fields.length <= 10, `${where}: ${fields.length} fields`);
}
