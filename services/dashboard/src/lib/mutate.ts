import { useMutation } from "@tanstack/react-query";
import { Problem } from "../api/client.ts";
import { useToast } from "../ui/toasts.tsx";
import { useChanged } from "./live.ts";

/**
 * A change: runs, has what it touched read again, and says how it went. `touches` are the nouns of queries.
 * Field errors are left to the form; everything else is told in a toast.
 */
export function useChange<Input, Output = unknown>(run: (input: Input) => Promise<Output>, options: { touches?: string[]; done?: string; quiet?: boolean } = {}) {
  const toast = useToast();
  const changed = useChanged();
  const mutation = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      if (options.done !== undefined) toast.done(options.done);
      await changed(...(options.touches ?? []));
    },
    onError: (error) => {
      if (options.quiet !== true && !(error instanceof Problem && error.status === 422 && error.errors.length > 0)) toast.failed(error);
    },
  });
  const problem = mutation.error instanceof Problem ? mutation.error : null;
  return { ...mutation, problem, wrong: (field: string) => problem?.of(field)?.message };
}
