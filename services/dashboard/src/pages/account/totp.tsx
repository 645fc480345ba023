import { useQueryClient } from "@tanstack/react-query";
import qrcode from "qrcode-generator";
import { useMemo, useState } from "react";
import { call } from "../../api/client.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Form, Input, Panel } from "../../ui/kit.tsx";
import { Code } from "../../ui/text.tsx";

/** The code as one path of squares. Drawn here: the secret goes nowhere. */
function QrCode({ text }: { text: string }) {
  const { path, size } = useMemo(() => {
    const qr = qrcode(0, "M");
    qr.addData(text);
    qr.make();
    const count = qr.getModuleCount();
    let d = "";
    for (let row = 0; row < count; row += 1) for (let column = 0; column < count; column += 1) if (qr.isDark(row, column)) d += `M${column + 4} ${row + 4}h1v1h-1z`;
    return { path: d, size: count + 8 };
  }, [text]);
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR code for the authenticator app" shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

export function SecondFactor({ on }: { on: boolean }) {
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const begin = useChange(() => call<{ secret: string; uri: string }>("POST", "/account/totp"));
  const confirm = useChange(() => call<{ recovery_codes: string[] }>("PUT", "/account/totp", { body: { code: code.replace(/\s/g, "") } }), { done: "The second factor is on" });
  const off = useChange(() => call("DELETE", "/account/totp", { body: { password } }), { done: "The second factor is off" });
  const refresh = (): void => void client.invalidateQueries({ queryKey: ["session"] });
  const codes = confirm.data?.recovery_codes;
  return (
    <Panel title="Second factor" actions={<span className={`tag state ${on ? "sent" : ""}`}>{on ? "on" : "off"}</span>}>
      <div className="formbody">
        {codes !== undefined && (
          <>
            <p><strong>Recovery codes.</strong> Each works once, when the phone is lost. They are shown this once: print them, or keep them in a password manager.</p>
            <Code text={codes.join("\n")} label="Recovery codes" />
            <Button onClick={() => { confirm.reset(); begin.reset(); }}>I have kept them</Button>
          </>
        )}
        {codes === undefined && !on && begin.data === undefined && (
          <>
            <p>Asks for a code of an authenticator app when you sign in, so that a stolen password is not enough.</p>
            <Button onClick={() => begin.mutate(undefined)} busy={begin.isPending}>Turn it on</Button>
          </>
        )}
        {codes === undefined && !on && begin.data !== undefined && (
          <Form onSubmit={() => confirm.mutate(undefined, { onSuccess: refresh })}>
            <p>Scan this with the app, or type the secret.</p>
            <QrCode text={begin.data.uri} />
            <Code text={begin.data.secret} label="Secret" />
            <Input label="Code that the app shows" value={code} onChange={(event) => setCode(event.target.value)} inputMode="numeric" autoComplete="one-time-code" error={confirm.wrong("code")} />
            <Button type="submit" look="primary" busy={confirm.isPending}>Turn it on</Button>
          </Form>
        )}
        {codes === undefined && on && (
          <Form className="narrow" onSubmit={() => off.mutate(undefined, { onSuccess: () => { setPassword(""); begin.reset(); refresh(); } })}>
            <Input label="Your password, to turn it off" type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="current-password" error={off.wrong("password")} />
            <Button type="submit" look="danger" busy={off.isPending} disabled={password === ""}>Turn it off</Button>
          </Form>
        )}
      </div>
    </Panel>
  );
}
