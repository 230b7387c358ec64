use super::{has_lookalikes, has_unseen, skeleton, spelled, unseen, visible, words_of, words_of_name};

#[test]
fn what_cannot_be_seen_is_found_and_written_out() {
    let table = [
        ("zero\u{200b}width", "zero\\u{200b}width"),
        ("\u{feff}mark", "\\u{feff}mark"),
        ("turn\u{202e}ed", "turn\\u{202e}ed"),
        ("isolated\u{2066}x\u{2069}", "isolated\\u{2066}x\\u{2069}"),
        ("tag\u{e0041}", "tag\\u{e0041}"),
        ("select\u{fe01}", "select\\u{fe01}"),
        ("private\u{e000}\u{f0000}", "private\\u{e000}\\u{f0000}"),
        ("none\u{ffff}\u{1fffe}", "none\\u{ffff}\\u{1fffe}"),
        ("escape\u{1b}[2J", "escape\\u{1b}[2J"),
        ("soft\u{ad}hyphen", "soft\\u{ad}hyphen"),
    ];
    for (text, shown) in table {
        assert!(has_unseen(text), "{shown}");
        assert_eq!(visible(text), shown);
    }
}

#[test]
fn what_people_write_is_left_alone() {
    for text in [
        "plain text, with\ttabs\r\nand lines",
        "I ❤\u{fe0f} tools, 1\u{fe0f}\u{20e3} and #\u{fe0f}\u{20e3}",
        "a family 👨\u{200d}👩\u{200d}👧 and a flag 🏳\u{fe0f}\u{200d}🌈",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "grün, ñandú, 日本語, Привет, µs, Δt",
    ] {
        assert_eq!(unseen(text), [], "{text}");
    }
    // A second selector, or one after a letter, carries something.
    assert!(has_unseen("❤\u{fe0f}\u{fe0f}"));
    assert!(has_unseen("a\u{fe0f}"));
    assert!(has_unseen("a\u{200d}b"));
}

#[test]
fn hidden_letters_are_spelled_out() {
    let tagged: String = "do it".chars().filter_map(|letter| char::from_u32(u32::from(letter) + 0xe_0000)).collect();
    assert_eq!(spelled(&format!("reads{tagged}")).as_deref(), Some("do it"));
    let selected: String = b"do it"
        .iter()
        .filter_map(|byte| char::from_u32(if *byte < 16 { 0xfe00 } else { 0xe_0100 - 16 } + u32::from(*byte)))
        .collect();
    assert_eq!(spelled(&format!("😀{selected}")).as_deref(), Some("do it"));
    assert_eq!(spelled("I ❤\u{fe0f} tools"), None);
}

#[test]
fn names_that_look_alike_have_one_skeleton() {
    let table = [
        ("read_file", "readFile"),
        ("read_file", "READ-FILE"),
        ("read_file", "rеаd_file"),
        ("read_file", "read\u{200b}_file"),
        ("read_file", "read_fi1e"),
        ("login", "1ogin"),
        ("modern", "modem"),
        ("search", "ｓｅａｒｃｈ"),
        ("search", "𝐬𝐞𝐚𝐫𝐜𝐡"),
        ("search", "𝑆earch"),
    ];
    for (one, other) in table {
        assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
    }
    assert_ne!(skeleton("read_file"), skeleton("read_files"));
    assert!(has_lookalikes("rеаd_file") && !has_lookalikes("read_file"));
}

#[test]
fn words_are_read_through_disguises() {
    let read = |text: &str| words_of(text).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
    assert_eq!(read("IGN\u{200b}ORE  *previous*\ninstructions"), "ignore previous instructions");
    assert_eq!(read("ignоre рrevious"), "ignore previous");
    assert_eq!(read("Don't, don’t"), "dont dont");
    assert_eq!(words_of_name("getHTTPUrl_now"), ["get", "httpurl", "now"]);
}
