// A mail server that keeps what it gets.
import { once } from "node:events";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { until } from "./system.mjs";

export class Mailbox {
  /** Opens one; `settings` are Bugle's. */
  static async open() {
    const box = new Mailbox();
    box.mails = [];
    box.smtp = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS"], onData: (stream, session, done) => void box.keep(stream, session).then(() => done(), done) });
    const server = box.smtp.listen(0, "127.0.0.1");
    await once(server, "listening");
    box.settings = { BUGLE_SMTP_URL: `smtp://127.0.0.1:${server.address().port}?tls=none` };
    return box;
  }

  async keep(stream, { envelope }) {
    const mail = await simpleParser(stream);
    this.mails.push({ ...mail, recipients: envelope.rcptTo.map(({ address }) => address) });
  }

  /** The oldest mail to somebody that nobody has taken, once it is there; of those whose subject has `about`. */
  async take(address, about = "") {
    const mail = await until(`a mail to ${address}`, () => this.mails.find(({ recipients, subject }) => recipients.includes(address) && subject.includes(about)));
    this.mails.splice(this.mails.indexOf(mail), 1);
    return mail;
  }

  /** Where such a mail leads, as a path. */
  async link(address) {
    const { pathname, search } = new URL(/^http\S+$/m.exec((await this.take(address)).text)[0]);
    return pathname + search;
  }

  /** Where it is answered, as a path: `Acknowledge`, `Escalate` or `Resolve`. */
  static answer({ text }, what) {
    return new URL(new RegExp(`^${what}: +(\\S+)$`, "m").exec(text)[1]).pathname;
  }

  close() {
    return new Promise((resolve) => this.smtp.close(resolve));
  }
}
