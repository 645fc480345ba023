import { Input } from "../ui/kit.tsx";

export const MIN_PASSWORD = 12;

/** A new password. Long beats odd: no rules but a length. */
export const NewPassword = ({ value, onChange, error, label = "Password" }: { value: string; onChange: (value: string) => void; error?: string | undefined; label?: string }) => (
  <Input label={label} type="password" value={value} onChange={(event) => onChange(event.target.value)} autoComplete="new-password" minLength={MIN_PASSWORD} required error={error} help={`At least ${MIN_PASSWORD} characters. A sentence is a good one.`} />
);

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
