//! Tables for people, printed part by part as they come.

use std::array;

/// A table with `N` columns.
pub(super) struct Table<const N: usize> {
    widths: [usize; N],
    heading: Option<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with these headings.
    pub(super) fn new(heading: [&str; N]) -> Self {
        Self {
            widths: [0; N],
            heading: Some(heading.map(str::to_owned)),
        }
    }

    /// The next lines: with the headings, if they are the first. What was printed stays, so that columns
    /// only ever grow.
    pub(super) fn lines(&mut self, rows: impl IntoIterator<Item = [String; N]>) -> String {
        let rows: Vec<[String; N]> = self.heading.take().into_iter().chain(rows).collect();
        let rows: Vec<_> = rows.into_iter().map(|row| row.map(printable)).collect();
        for row in &rows {
            let wider = |i: usize| self.widths[i].max(row[i].chars().count());
            self.widths = array::from_fn(wider);
        }
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(self.widths);
            let text: String = cells
                .map(|(cell, width)| format!("{cell:width$}  "))
                .collect();
            text.trim_end().to_owned()
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The text without what a terminal would take for commands; a dash for none.
fn printable(text: String) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first: &str, second: &str) -> [String; 2] {
        [first.to_owned(), second.to_owned()]
    }

    #[test]
    fn columns_stand_below_their_headings_and_only_grow() {
        let mut table = Table::new(["ID", "NAME"]);
        assert_eq!(
            table.lines([row("p-1", "a"), row("p", "")]),
            "ID   NAME\np-1  a\np    -"
        );
        assert_eq!(table.lines([row("p-10", "b")]), "p-10  b");
        assert_eq!(table.lines([row("p-1", "c")]), "p-1   c");
        assert_eq!(table.lines([]), "");
    }

    #[test]
    fn nothing_in_a_table_commands_the_terminal() {
        let mut table = Table::new(["A", "B"]);
        let text = table.lines([row("\u{1b}[2J", "x\ny")]);
        assert_eq!(text, "A     B\n [2J  x y");
    }
}
