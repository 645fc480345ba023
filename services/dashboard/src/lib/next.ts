/** Where to go after signing in: only ways within the dashboard lead back in. */
export const safeNext = (next: string | null): string => (next !== null && /^\/(?![/\\])/.test(next) && !next.startsWith("/signin") ? next : "/");
