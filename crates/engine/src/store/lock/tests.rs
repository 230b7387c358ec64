use tempfile::TempDir;

use super::*;

#[test]
fn only_one_holds_a_directory_and_the_other_is_told_who() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let held = DataLock::take(&data).unwrap();
    let refused = DataLock::take(&data).unwrap_err();
    let told = format!("another remit is using `{}` (pid {})", data.display(), std::process::id());
    assert_eq!(refused.to_string(), told);
    assert!(refused.help().is_some());
    drop(held);
    DataLock::take(&data).unwrap();
}

#[test]
fn a_lock_file_left_by_a_crash_holds_nothing() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("lock"), "4294967295 and more than a pid\n").unwrap();
    drop(DataLock::take(directory.path()).unwrap());
    let pid = std::fs::read_to_string(directory.path().join("lock")).unwrap();
    assert_eq!(pid, format!("{}\n", std::process::id()));
}
