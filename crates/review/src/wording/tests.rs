use super::{Wording, likeness_percent, tokens, wording};

fn side(before: &str, after: &str, without: Wording) -> String {
    wording(before, after).into_iter().filter(|run| run.wording != without).map(|run| run.text).collect()
}

fn marked(before: &str, after: &str) -> String {
    let mark = |run: super::Run| match run.wording {
        Wording::Kept => run.text,
        Wording::Removed => format!("[-{}-]", run.text),
        Wording::Added => format!("[+{}+]", run.text),
    };
    wording(before, after).into_iter().map(mark).collect()
}

#[test]
fn a_changed_word_is_shown_alone() {
    assert_eq!(marked("reads one ticket", "reads any ticket"), "reads [-one-][+any+] ticket");
    assert_eq!(marked("reads", "reads, and mails it"), "reads[+, and mails it+]");
    assert_eq!(marked("", "new"), "[+new+]");
    assert_eq!(marked("same", "same"), "same");
    assert_eq!(marked("a small red box", "a large green box"), "a [-small red-][+large green+] box");
}

#[test]
fn both_texts_can_be_read_back() {
    let long = "word ".repeat(1_500);
    let other = "other, ".repeat(1_500);
    let texts = ["", "a", "a b c", "grün ist\n\nschön.", "c b a", "x<b>y", "\u{200b}a\u{200b}", &long, &other];
    for before in texts {
        for after in texts {
            assert_eq!(side(before, after, Wording::Added), before);
            assert_eq!(side(before, after, Wording::Removed), after);
        }
    }
    assert_eq!(tokens("a_b  (c)").concat(), "a_b  (c)");
}

#[test]
fn likeness_is_in_hundredths() {
    assert_eq!(likeness_percent("one two three", "one two three"), 100);
    assert_eq!(likeness_percent("", ""), 100);
    assert_eq!(likeness_percent("one", "two"), 0);
    assert!(likeness_percent("reads one ticket of a customer", "reads a ticket of a customer") > 80);
}
