use super::*;

#[test]
fn a_changed_line_is_shown_with_three_lines_around_it() {
    let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
    let after = "a\nb\nc\nd\nE\nf\ng\nh\n";
    assert_eq!(unified(before, after), "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n");
}

#[test]
fn what_is_new_or_gone_has_no_other_side() {
    assert_eq!(unified("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_eq!(unified("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
    assert_eq!(unified("a\nb", "a\nb\n"), "");
}

#[test]
fn changes_far_apart_are_two_hunks_and_add_up() {
    let before: String = (0..40).map(|line| format!("line {line}\n")).collect();
    let after = before.replace("line 3\n", "").replace("line 30\n", "line 30\nanother\n");
    let diff = unified(&before, &after);
    assert_eq!(diff.matches("@@ -").count(), 2);
    assert!(diff.contains("@@ -1,7 +1,6 @@"), "{diff}");
    assert!(diff.contains("@@ -29,6 +28,7 @@"), "{diff}");
    let kept = |gone: Wording| -> String {
        let left = lines(&before, &after).into_iter().filter(|line| line.wording != gone);
        left.map(|line| format!("{}\n", line.text)).collect()
    };
    assert_eq!((kept(Wording::Added), kept(Wording::Removed)), (before.clone(), after.clone()));
}
