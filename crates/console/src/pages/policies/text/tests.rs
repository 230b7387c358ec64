use super::*;

fn told(before: &str, after: &str) -> String {
    let number = |number: Option<usize>| number.map_or("·".to_owned(), |number| number.to_string());
    let rows = rows(before, after);
    let told = rows.iter().map(|row| match row {
        Row::Alike(count) => format!("… {count}"),
        Row::Line { before, after, line } => {
            let sign = match line.wording {
                Wording::Kept => ' ',
                Wording::Removed => '-',
                Wording::Added => '+',
            };
            format!("{} {} {sign}{}", number(*before), number(*after), line.text)
        }
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn lines_keep_their_numbers_on_both_sides() {
    let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    let after = "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\nk\n";
    assert_eq!(
        told(before, after),
        "… 1\n2 2  b\n3 3  c\n4 4  d\n5 · -e\n· 5 +E\n6 6  f\n7 7  g\n8 8  h\n9 9  i\n10 10  j\n· 11 +k"
    );
    assert_eq!(told(before, before), "");
    assert_eq!(told("", "a\n"), "· 1 +a");
    assert_eq!(told("a\n", ""), "1 · -a");
}

#[test]
fn a_difference_is_told_by_a_sign_and_nothing_in_it_runs_or_hides() {
    let page = compared("a\n<b>\n", "a\n\u{202e}c\n").into_string();
    assert!(page.contains("<del>- &lt;b&gt;</del>"), "{page}");
    assert!(page.contains("<ins>+ ") && page.contains("U+202E") && !page.contains('\u{202e}'), "{page}");
}
