/** Tables: the one way to make them. On a narrow screen styles/tables.css lays each row out as a block of labelled cells. */
import { Children, createContext, useContext, type ReactNode } from "react";

export interface Column {
  name: string;
  /** Numbers, and what can be done, stand at the right edge. */
  right?: boolean;
  /** Only readers of screens need its name: what is in its cells speaks for itself. */
  unnamed?: boolean;
}

export const right = (name: string): Column => ({ name, right: true });
export const unnamed = (name: string): Column => ({ name, unnamed: true });

const columnOf = (head: string | Column): Column => (typeof head === "string" ? { name: head } : head);

const Columns = createContext<readonly Column[]>([]);
/** The column that a cell is in. */
const Own = createContext<Column | undefined>(undefined);

// Where the styles give a part of a table another `display`, browsers forget what it is. The roles say it whatever the styles do.

/** Its children are `Row`s. Wider than the page it scrolls sideways on its own, reachable by keys. */
export function Table({ label, columns, children }: { label: string; columns: readonly (string | Column)[]; children: ReactNode }) {
  const heads = columns.map(columnOf);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="tablewrap" role="group" aria-label={label} tabIndex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {heads.map((head) => (
              <th key={head.name} role="columnheader" scope="col" className={head.right === true ? "right" : ""}>
                {head.unnamed === true ? <span className="sr">{head.name}</span> : head.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          <Columns value={heads}>{children}</Columns>
        </tbody>
      </table>
    </div>
  );
}

/** Its children are `Cell`s, or what ends in one: one for each column, in their order. */
export function Row({ className = "", children }: { className?: string; children: ReactNode }) {
  const columns = useContext(Columns);
  return (
    <tr role="row" className={className}>
      {Children.map(children, (cell, place) => (
        <Own value={columns[place]}>{cell}</Own>
      ))}
    </tr>
  );
}

/** `colSpan`: it is of no single column, and has no label. */
export function Cell({ className = "", colSpan, children }: { className?: string; colSpan?: number; children?: ReactNode }) {
  const column = useContext(Own);
  const label = column?.unnamed === true || colSpan !== undefined ? undefined : column?.name;
  return (
    <td role="cell" className={`${column?.right === true ? "right" : ""} ${className}`} colSpan={colSpan} data-label={label}>
      {children}
    </td>
  );
}
