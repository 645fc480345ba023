import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import { Problem } from "../../api/client.ts";
import { useTagNames } from "../../api/queries.ts";
import { suggest, tokenize, type Suggestion } from "../../lib/query.ts";
import { neutralise } from "../../lib/text.ts";
import { Icon } from "../../ui/icons.tsx";
import { IconButton } from "../../ui/kit.tsx";

/** The query with the place that the server complained of marked. Its positions are whole characters. */
function Complaint({ query, error }: { query: string; error: unknown }) {
  if (!(error instanceof Problem)) return null;
  const complaints = error.errors.filter((e) => e.field === "query");
  if (complaints.length === 0) return null;
  const characters = Array.from(query);
  return (
    <div className="complaint" role="alert">
      {complaints.map(({ message, position }) => {
        const at = Math.min(position ?? 0, characters.length);
        const rest = characters.slice(at).join("");
        const word = /^\S*/.exec(rest)?.[0] ?? "";
        return (
          <div key={`${position ?? ""} ${message}`}>
            {position !== undefined && (
              <code>
                {neutralise(characters.slice(0, at).join(""))}
                <mark>{word === "" ? "␣" : neutralise(word)}</mark>
                {neutralise(rest.slice(word.length))}
              </code>
            )}
            <p>{message}</p>
          </div>
        );
      })}
    </div>
  );
}

interface Props { query: string; onSearch: (query: string) => void; error: unknown; learned: Partial<Record<string, string[]>>; project: string | null; inputRef: RefObject<HTMLInputElement | null> }

/** The search box: a combobox that completes keys, and their values after a colon. */
export function Search({ query, onSearch, error, learned, project, inputRef }: Props) {
  const [text, setText] = useState(query);
  const [caret, setCaret] = useState<number | null>(null);
  const [active, setActive] = useState(-1);
  const pending = useRef<number | null>(null);
  const list = useId();
  useEffect(() => setText(query), [query]);
  useEffect(() => {
    if (pending.current === null) return;
    inputRef.current?.setSelectionRange(pending.current, pending.current);
    pending.current = null;
  });
  // What the server knows of: names of tags, and the values of the one at the caret.
  const token = caret === null ? undefined : tokenize(text).find((t) => t.start <= caret && caret <= t.end);
  const key = token?.kind === "filter" ? token.key : null;
  const names = useTagNames(key, token?.value ?? "", project, caret !== null).data?.items;
  const suggestions = useMemo(() => {
    if (caret === null) return [];
    return key === null ? suggest(text, caret, learned, names) : suggest(text, caret, { ...learned, [key]: [...(learned[key] ?? []), ...(names ?? [])] });
  }, [text, caret, learned, key, names]);
  const close = (): void => {
    setCaret(null);
    setActive(-1);
  };
  const take = (suggestion: Suggestion): void => {
    pending.current = suggestion.caret;
    setText(suggestion.query);
    setCaret(suggestion.caret);
    setActive(-1);
    inputRef.current?.focus();
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>): void => {
    const chosen = suggestions[active];
    if (event.key === "Escape") {
      if (suggestions.length > 0) close();
      else event.currentTarget.blur();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (suggestions.length === 0) setCaret(event.currentTarget.selectionStart);
      else setActive((active + (event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1) + suggestions.length) % suggestions.length);
    } else if (event.key === "Tab" && !event.shiftKey && chosen !== undefined) {
      event.preventDefault();
      take(chosen);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen !== undefined) take(chosen);
      else {
        close();
        onSearch(text.trim());
      }
    }
  };
  const open = suggestions.length > 0;
  return (
    <div className="search" role="search">
      <div className="searchbox">
        <Icon name="search" />
        <input
          ref={inputRef} type="text" value={text} placeholder="Search: is:unresolved level:error “card declined”" aria-label="Search issues" spellCheck={false} autoComplete="off" maxLength={500}
          role="combobox" aria-autocomplete="list" aria-expanded={open} aria-controls={list} aria-activedescendant={active < 0 ? undefined : `${list}-${active}`}
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart);
            setActive(-1);
          }}
          onFocus={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onClick={(event) => setCaret(event.currentTarget.selectionStart)}
          onBlur={close}
          onKeyDown={onKey}
        />
        {text !== "" && (
          <IconButton icon="close" label="Clear the search" onClick={() => {
            setText("");
            onSearch("");
          }} />
        )}
        <kbd aria-hidden="true">/</kbd>
      </div>
      <ul id={list} role="listbox" aria-label="Suggestions" className="suggestions" hidden={!open}>
        {suggestions.map((suggestion, index) => (
          // The input keeps the focus and hears the keys; the mouse is for those who have one.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li key={suggestion.label} id={`${list}-${index}`} role="option" aria-selected={index === active} tabIndex={-1} onMouseDown={(event) => event.preventDefault()} onClick={() => take(suggestion)}>
            <code>{neutralise(suggestion.label)}</code>
            <span className="muted">{suggestion.hint}</span>
          </li>
        ))}
      </ul>
      <Complaint query={query} error={error} />
    </div>
  );
}
