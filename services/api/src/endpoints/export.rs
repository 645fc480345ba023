//! Exports: every row that there is, as lines, a page of rows at a time. Neither the rows nor the text are ever held as a whole, and
//! no connection is held while the client reads.

use crate::ApiError;
use crate::openapi::{Gift, Gives};
use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, Responder};
use bugle_web::{Params, Problem};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use std::pin::Pin;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Format {
    /// A JSON value.
    Ndjson,
    /// Cells, after a line of names.
    Csv,
}

impl Format {
    /// Reads `format`; NDJSON when it is not given.
    pub(super) fn read(params: &mut Params) -> Self {
        let parse = |text: &str| match text {
            "ndjson" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        };
        params.optional("format", "ndjson or csv", parse).unwrap_or(Self::Ndjson)
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// A row as it is written.
pub(super) struct Line {
    /// Of NDJSON.
    pub(super) json: Value,
    /// Of CSV.
    pub(super) cells: Vec<String>,
}

/// Some rows, and where those after them begin; `None`: there are no more.
pub(super) struct Part<P> {
    pub(super) lines: Vec<Line>,
    pub(super) next: Option<P>,
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, ApiError>>>>;

/// An export on its way.
pub(super) struct Export {
    format: Format,
    name: &'static str,
    chunks: Chunks,
}

impl Export {
    /// The rows that `read` gives, from `start` on: it is asked for the next only when the client has taken the last. The
    /// file is called `name`.
    pub(super) fn new<P, R, F>(
        format: Format,
        name: &'static str,
        header: &'static [&'static str],
        start: P,
        read: R,
    ) -> Self
    where
        P: 'static,
        R: Fn(P) -> F + 'static,
        F: Future<Output = Result<Part<P>, ApiError>> + 'static,
    {
        Self { format, name, chunks: Box::pin(chunks(format, header, start, read)) }
    }
}

impl Gives for Export {
    fn gift(_: &mut SchemaGenerator) -> Gift {
        Gift { status: 200, types: &["application/x-ndjson", "text/csv"], schema: None, pages: &[] }
    }
}

impl Responder for Export {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let file = format!("attachment; filename=\"{}.{}\"", self.name, self.format.ending());
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, self.format.media_type()))
            .insert_header((CONTENT_DISPOSITION, file))
            .insert_header((CACHE_CONTROL, "no-store"))
            .streaming(self.chunks)
    }
}

enum Step<P> {
    Header(P),
    Rows(P),
    End,
}

fn chunks<P, R, F>(
    format: Format,
    header: &'static [&'static str],
    start: P,
    read: R,
) -> impl Stream<Item = Result<Bytes, ApiError>>
where
    R: Fn(P) -> F,
    F: Future<Output = Result<Part<P>, ApiError>>,
{
    let first = if format == Format::Csv { Step::Header(start) } else { Step::Rows(start) };
    stream::try_unfold((first, read), move |(step, read)| async move {
        match step {
            Step::End => Ok(None),
            Step::Header(start) => {
                let names = header.iter().map(|name| (*name).to_owned()).collect();
                let text = csv([names])?;
                Ok(Some((text, (Step::Rows(start), read))))
            }
            Step::Rows(from) => {
                let part = read(from).await?;
                let text = match format {
                    Format::Ndjson => ndjson(part.lines),
                    Format::Csv => csv(part.lines.into_iter().map(|line| line.cells))?,
                };
                Ok(Some((text, (part.next.map_or(Step::End, Step::Rows), read))))
            }
        }
    })
}

fn ndjson(lines: Vec<Line>) -> Bytes {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.json.to_string());
        text.push('\n');
    }
    text.into()
}

fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Bytes, ApiError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| harmless(cell));
        writer.write_record(cells).map_err(|error| Problem::internal(&error))?;
    }
    Ok(writer.into_inner().map_err(|error| Problem::internal(&error))?.into())
}

/// A spreadsheet takes a cell that begins so for a formula; an apostrophe makes it a text.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A cell for what may be missing.
pub(super) fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use serde_json::json;
    use std::cell::Cell;
    use std::rc::Rc;

    #[tokio::test]
    async fn a_page_is_read_only_when_the_one_before_was_taken() {
        let reads = Rc::new(Cell::new(0));
        let counter = Rc::clone(&reads);
        let read = move |page: u32| {
            counter.set(counter.get() + 1);
            let lines = vec![Line { json: json!(page), cells: vec![page.to_string()] }];
            async move { Ok(Part { lines, next: (page < 3).then_some(page + 1) }) }
        };
        let mut chunks = Box::pin(chunks(Format::Csv, &["page"], 1, read));
        let mut taken = Vec::new();
        for expected in 0..4 {
            taken.push(chunks.next().await.unwrap().unwrap());
            assert_eq!(reads.get(), expected);
        }
        assert!(chunks.next().await.is_none());
        assert_eq!(taken.concat(), b"page\r\n1\r\n2\r\n3\r\n");
    }

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out() {
        let row = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a,\"b\"\r\n=2", "plain", ""];
        let text = csv([row.map(str::to_owned).to_vec()]).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_ref());
        let read: Vec<String> = reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(read, ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "a,\"b\"\r\n=2", "plain", ""]);
    }
}
